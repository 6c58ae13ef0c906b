"""Why a TLS handshake failed, in words that may be shown to anybody."""

# What OpenSSL, BoringSSL (gRPC) and libpq say of a failed handshake; the first that is found counts.
# untranslated: probes answer programs, and those who read logs
_TLS_FAILURES = {
    "alert certificate expired": "it says that our certificate has expired",
    "certificate has expired": "its certificate has expired",
    "hostname mismatch": "its certificate is for another name",
    "ip address mismatch": "its certificate is for another name",
    "hostname verification check failed": "its certificate is for another name",
    "does not match host name": "its certificate is for another name",
    "doesn't match": "its certificate is for another name",
    "certificate required": "it wants a certificate of ours",
    "certificate_required": "it wants a certificate of ours",
    "unknown ca": "it does not know who signed our certificate",
    "issuer certificate": "its certificate is not signed by the CA we trust",
    "self-signed certificate": "its certificate is not signed by the CA we trust",
    "certificate verify failed": "its certificate has expired or is not signed by the CA we trust",  # libpq
    "server does not support ssl": "it does not speak TLS",
    "wrong version number": "it does not speak TLS",
    "wrong_version_number": "it does not speak TLS",
}


def tls_failure(error: BaseException) -> str | None:
    """What is wrong with TLS, where that is why a connection failed; nothing of our insides."""
    said = str(error).lower()
    return next((reason for words, reason in _TLS_FAILURES.items() if words in said), None)
