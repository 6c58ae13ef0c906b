"""Signing in through another service by OpenID Connect: Google, LinkedIn, a hospital's identity provider.

Allauth's provider, with the checks of OpenID Connect Core 1.0 that it leaves out where the token comes
straight from the provider: signature, nonce, and that the answer about the person is about the same person.
"""
