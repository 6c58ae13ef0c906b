"""A certificate authority for the connections between containers, and the certificates it signs.

None of these is for browsers: Caddy has its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.local.secrets import write_private

AUTHORITY_DAYS, SERVICE_DAYS = 3650, 365
RENEW_DAYS = 90  # a certificate that runs out sooner than this is made anew
CA = "ca"


def make(folder: Path, services: Iterable[str]) -> list[str]:
    """Have `ca.pem`, and for each service `NAME.pem` with `NAME.key`, in `folder`, good for months.

    What is there and good for RENEW_DAYS is left as it is; where the authority is not, all is made anew.

    Returns:
        The names of what was made now.
    """
    made = []
    authority = _Pair.load(folder, CA)
    if authority is None:
        authority = _Pair.new(CA, signer=None)
        authority.save(folder, CA)
        made.append(CA)
    for service in services:
        if CA in made or _Pair.load(folder, service) is None:
            _Pair.new(service, signer=authority).save(folder, service)
            made.append(service)
    return made


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def load(cls, folder: Path, name: str) -> "_Pair | None":
        """What `folder` has under this name; None if it is not there or about to run out."""
        try:
            certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
            key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
        except FileNotFoundError:
            return None
        if certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=RENEW_DAYS):
            return None
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we make no others
        return cls(certificate, key)

    @classmethod
    def new(cls, name: str, *, signer: "_Pair | None") -> "_Pair":
        """A key and its certificate: an authority, or with a signer for the hosts `name` and localhost."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"HematoVision {name}")])
        now = datetime.now(UTC)
        days = SERVICE_DAYS if signer else AUTHORITY_DAYS
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer.certificate.subject if signer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_usage(authority=signer is None), critical=True)
        )
        if signer:
            hosts = [x509.DNSName(name), x509.DNSName("localhost")]
            of_signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
            builder = (
                builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
                .add_extension(of_signer, critical=False)
                .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            )
        return cls(builder.sign(signer.key if signer else key, hashes.SHA256()), key)

    def save(self, folder: Path, name: str) -> None:
        pem = serialization.Encoding.PEM
        private = self.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private(folder / f"{name}.key", private.decode())
        write_private(folder / f"{name}.pem", self.certificate.public_bytes(pem).decode())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
