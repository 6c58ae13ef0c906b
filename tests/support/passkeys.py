"""A security key that lies in memory: what a browser and a key say together (WebAuthn, ES256)."""

import hashlib
import json
import secrets
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from webapp.accounts.models import User


class Key:
    """Made for one address; `answer` is what its owner's touch gives."""

    def __init__(self, user: User, host: str) -> None:
        self.host, self.id = host, secrets.token_bytes(16)
        self._private = ec.generate_private_key(ec.SECP256R1())
        public = ES256.from_cryptography_key(self._private.public_key())  # type: ignore[no-untyped-call]
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        asked = CollectedClientData.create("webauthn.create", secrets.token_bytes(32), self.origin)
        made = AttestationObject.create("none", self._seen(credential), {})
        said = {"clientDataJSON": websafe_encode(asked), "attestationObject": websafe_encode(made)}
        data = {"name": "A key", "credential": self._whole(said)}
        Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)

    @property
    def origin(self) -> str:
        return f"https://{self.host}"

    def answer(self, options: Any) -> str:
        """What the browser sends of a question that a page asks it."""
        challenge = options["publicKey"]["challenge"]
        asked = CollectedClientData.create("webauthn.get", challenge, self.origin)
        seen = self._seen()
        signature = self._private.sign(seen + asked.hash, ec.ECDSA(hashes.SHA256()))
        said = {"clientDataJSON": asked, "authenticatorData": seen, "signature": signature}
        return json.dumps(self._whole({name: websafe_encode(value) for name, value in said.items()}))

    def _seen(self, credential: AttestedCredentialData | None = None) -> AuthenticatorData:
        flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV
        if credential:
            flags |= AuthenticatorData.FLAG.AT
        host = hashlib.sha256(self.host.encode()).digest()
        seen: AuthenticatorData = AuthenticatorData.create(host, flags, 0, credential or b"")
        return seen

    def _whole(self, said: dict[str, str]) -> dict[str, Any]:
        key_id = websafe_encode(self.id)
        return {
            "id": key_id,
            "rawId": key_id,
            "type": "public-key",
            "response": said,
            "clientExtensionResults": {},
        }
