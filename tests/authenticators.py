"""What people hold in their hands: an authenticator app, and a security key written for the tests."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cbor2
import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def code_of(secret: str, at: datetime | None = None, steps: int = 0) -> str:
    """The code an app shows (or will show `steps` periods later)."""
    moment = int((at or datetime.now(UTC)).timestamp()) // 30 + steps
    return pyotp.TOTP(secret).generate_otp(moment)


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftKey:
    """A WebAuthn authenticator with one EC P-256 credential; its faults can be set."""

    origin: str
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0
    step: int = 1
    verifies: bool = True
    handle: bytes = b""

    def make(self, question: dict[str, Any], **changes: Any) -> str:
        """The answer to `navigator.credentials.create`."""
        self.handle = unb64(question["user"]["id"])
        client = self._client_data("webauthn.create", question["challenge"], changes)
        data = self._authenticator_data(changes.get("rp_id", question["rp"]["id"]), attested=True)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": b64(client), "attestationObject": b64(attestation), "transports": ["internal"]}
        return self._answer(response)

    def prove(self, question: dict[str, Any], **changes: Any) -> str:
        """The answer to `navigator.credentials.get`."""
        client = self._client_data("webauthn.get", question["challenge"], changes)
        self.count += self.step
        data = self._authenticator_data(changes.get("rp_id", question["rpId"]))
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": b64(client),
            "authenticatorData": b64(data),
            "signature": b64(changes.get("signature", signature)),
            "userHandle": b64(changes.get("handle", self.handle)),
        }
        return self._answer(response)

    def _client_data(self, kind: str, challenge: str, changes: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told | changes.get("client", {})).encode()

    def _authenticator_data(self, rp_id: str, *, attested: bool = False) -> bytes:
        flags = USER_PRESENT | (USER_VERIFIED if self.verifies else 0) | (ATTESTED if attested else 0)
        data = hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")
        if not attested:
            return data
        numbers = self.private.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        length = len(self.credential_id).to_bytes(2, "big")
        return data + bytes(16) + length + self.credential_id + cbor2.dumps(key)

    def _answer(self, response: dict[str, Any]) -> str:
        name = b64(self.credential_id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        )
