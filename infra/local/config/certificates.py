"""A certificate authority for the connections between the parts of an installation, and what it signs.

None of these is for browsers: Caddy has its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from infra.local.config.secrets import write_private

AUTHORITY_DAYS, SERVICE_DAYS = 3650, 365
RENEW_DAYS = 90  # a certificate that runs out sooner than this is made anew
CA = "ca"
LOOPBACK = ip_address("127.0.0.1")

_SERVER, _CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def make(
    folder: Path,
    servers: Iterable[str],
    clients: Iterable[str] = (),
    *,
    days: int | None = None,
    renew_days: int | None = None,
) -> list[str]:
    """Have `ca.pem`, and for each name `NAME.pem` with `NAME.key`, in `folder`, good for months.

    A server's certificate is invalid for a client, and the other way round; a name in both is either. What
    is there, as it should be and good for `renew_days` (default RENEW_DAYS) is left as it is; where the
    authority is not, all is made anew. Those that are made are good for `days` (default SERVICE_DAYS).

    Returns:
        The names of what was made now.
    """
    servers, clients = set(servers), set(clients)
    margin = timedelta(days=RENEW_DAYS if renew_days is None else renew_days)
    made = []
    authority = _Pair.load(folder, CA, margin)
    if authority is None:
        authority = _Pair.new(CA, AUTHORITY_DAYS)
        authority.save(folder, CA)
        made.append(CA)
    for name in sorted(servers | clients):
        uses = [use for use, users in ((_SERVER, servers), (_CLIENT, clients)) if name in users]
        found = _Pair.load(folder, name, margin)
        if found is None or not (found.is_of(authority) and found.serves(uses)):
            lasts = SERVICE_DAYS if days is None else days
            _Pair.new(name, lasts, signer=authority, uses=uses).save(folder, name)
            made.append(name)
    return made


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def load(cls, folder: Path, name: str, margin: timedelta) -> "_Pair | None":
        """What `folder` has under this name; None if it is gone, damaged, or ends within `margin`."""
        try:
            certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
            key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
        except (FileNotFoundError, ValueError, TypeError):  # the last: under a passphrase that nobody gives
            return None
        if certificate.not_valid_after_utc < datetime.now(UTC) + margin:
            return None
        # We make no others; a pair that is none was left by somebody who was killed between the two.
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            return None
        return cls(certificate, key)

    def is_of(self, authority: "_Pair") -> bool:
        """Whether this authority signed it, and not one that was there before."""
        try:
            self.certificate.verify_directly_issued_by(authority.certificate)
        except (ValueError, InvalidSignature):
            return False
        return True

    def serves(self, uses: list[x509.ObjectIdentifier]) -> bool:
        """Whether it may be used so; those of earlier releases could not all."""
        found = self.certificate.extensions
        hosts = found.get_extension_for_class(x509.SubjectAlternativeName).value
        return list(
            found.get_extension_for_class(x509.ExtendedKeyUsage).value
        ) == uses and LOOPBACK in hosts.get_values_for_type(x509.IPAddress)

    @classmethod
    def new(
        cls,
        name: str,
        days: int,
        *,
        signer: "_Pair | None" = None,
        uses: Iterable[x509.ObjectIdentifier] = (),
    ) -> "_Pair":
        """A key and its certificate: an authority, or with a signer for the hosts `name` and localhost."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"HematoVision {name}")])
        now = datetime.now(UTC)
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
            hosts = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(LOOPBACK)]
            of_signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
            builder = (
                builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
                .add_extension(of_signer, critical=False)
                .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
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
