"""Encryption of what identifies patients and of sign-in secrets: keys, the cipher, and fields that use them.

What is sealed is bound to its place (table, column, lab, row), so it opens nowhere else. Each lab's values
are sealed with a key of the lab's own, derived from the installation's key by HKDF, and not with random data
keys that a master key wraps (envelope encryption). Wrapping pays where the master key lives in a device that
never gives it away; here whoever holds the master key holds the process that unwraps, and rotating a wrapping
key leaves the values under the old data keys. Derivation gives the same separation between labs with no state
to lose, and rotating a key really writes every value anew.

One thing derivation cannot do: be forgotten. A record that must be erasable has a random key of its own
(`OwnKey`), sealed with the lab's, in a row that can be deleted; rotation seals that key anew, not what lies
under it.
"""
