"""A passkey device in software: answers the server's real options with real signatures, or with a lie on demand."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT, VERIFIED, HOLDS_KEY = 0x01, 0x04, 0x40


@dataclass
class SoftDevice:
    """Holds one passkey. `verified` false leaves out the proof that a person unlocked the device."""

    origin: str = "http://localhost"
    rp_id: str = "localhost"
    verified: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: str = ""

    def create(self, options: dict[str, Any]) -> str:
        """The JSON that a page sends after `navigator.credentials.create`."""
        public = options["publicKey"]
        self.user_handle = public["user"]["id"]
        held = AttestedCredentialData.create(
            Aaguid.NONE, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(self._rp_hash(), self._flags() | HOLDS_KEY, 0, bytes(held))
        attestation = AttestationObject.create("none", data, {})
        return self._say("webauthn.create", public["challenge"], {"attestationObject": websafe_encode(attestation)})

    def get(self, options: dict[str, Any]) -> str:
        """The JSON that a page sends after `navigator.credentials.get`."""
        challenge = options["publicKey"]["challenge"]
        data = AuthenticatorData.create(self._rp_hash(), self._flags(), 0)
        signed = bytes(data) + hashlib.sha256(self._client_data("webauthn.get", challenge)).digest()
        response = {
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": self.user_handle,
        }
        return self._say("webauthn.get", challenge, response)

    def _say(self, kind: str, challenge: str, response: dict[str, str]) -> str:
        name = websafe_encode(self.credential_id)
        response["clientDataJSON"] = websafe_encode(self._client_data(kind, challenge))
        extensions = {"credProps": {"rk": True}} if kind == "webauthn.create" else {}
        credential = {"type": "public-key", "id": name, "rawId": name, "response": response}
        return json.dumps(credential | {"clientExtensionResults": extensions})

    def _client_data(self, kind: str, challenge: str) -> bytes:
        assert websafe_decode(challenge)
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _flags(self) -> int:
        return PRESENT | (VERIFIED if self.verified else 0)

    def _rp_hash(self) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest()
