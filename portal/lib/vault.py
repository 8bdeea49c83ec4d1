"""What only this installation's secret can do: encrypt fields (SEC-07), and make the secrets that are sent once.

Fields are encrypted with the newest key and read with any (MultiFernet), so keys can be rotated while running.
A one-time secret is derived from its row's id, not stored: the row has its hash, the mail is given it when it
leaves, and neither a dump of the database nor a workflow's history holds anything that opens a door.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

CODE_DIGITS = 6


class UnreadableSecret(Exception):
    """A stored secret was encrypted with a key that is not configured (any more)."""


class Vault:
    """Keys derived from secrets, the newest first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("a vault needs a secret")
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(secret, b"fields"))) for secret in secrets])
        self._newest = Fernet(base64.urlsafe_b64encode(_derive(secrets[0], b"fields")))
        # Not rotated with the fields: links live for days at most, and a changed key would break those on their way.
        self._links = [_derive(secret, b"one-time links") for secret in secrets]
        self._signing = [_derive(secret, b"signatures") for secret in secrets]

    def encrypt(self, secret: bytes) -> bytes:
        """What to store instead of `secret`."""
        return self._fernet.encrypt(secret)

    def decrypt(self, stored: bytes) -> bytes:
        """The secret; UnreadableSecret where no configured key fits."""
        try:
            return self._fernet.decrypt(stored)
        except InvalidToken as error:
            raise UnreadableSecret("encrypted with an unknown key") from error

    def is_current(self, stored: bytes) -> bool:
        """Whether it was encrypted with the newest key."""
        try:
            self._newest.decrypt(stored)
        except InvalidToken:
            return False
        return True

    def rotate(self, stored: bytes) -> bytes:
        """The same secret under the newest key; UnreadableSecret where no configured key fits."""
        try:
            return self._fernet.rotate(stored)
        except InvalidToken as error:
            raise UnreadableSecret("encrypted with an unknown key") from error

    def link_token(self, link_id: UUID, hashed: bytes | None = None) -> str:
        """The 256-bit secret of a one-time link; with `hashed`, under whichever key it was made."""
        return self._pick(link_id, hashed, lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode())

    def link_code(self, link_id: UUID, hashed: bytes | None = None) -> str:
        """The same as digits to type, for text messages; good only where wrong guesses are counted."""
        digits = 10**CODE_DIGITS
        return self._pick(link_id, hashed, lambda raw: f"{int.from_bytes(raw[:8], 'big') % digits:0{CODE_DIGITS}d}")

    def code_hash(self, link_id: UUID, code: str) -> bytes:
        """What is stored of a code: keyed, since a million guesses are soon tried, and bound to its row."""
        return hmac.digest(self._links[0], link_id.bytes + code.encode("utf-8", "surrogatepass"), "sha256")

    def sign(self, purpose: bytes, data: bytes) -> bytes:
        """32 bytes that only this installation can make of `data`, and for this purpose."""
        return _signature(self._signing[0], purpose, data)

    def is_signed(self, purpose: bytes, data: bytes, signature: bytes) -> bool:
        """Whether `signature` is the one, or its beginning, under any key; as long as callers always cut it alike."""
        made = (_signature(key, purpose, data)[: len(signature)] for key in self._signing)
        return bool(signature) and any(hmac.compare_digest(one, signature) for one in made)

    def _pick(self, link_id: UUID, hashed: bytes | None, shape: Callable[[bytes], str]) -> str:
        made = [shape(hmac.digest(key, link_id.bytes, "sha256")) for key in self._links]
        if hashed is None:
            return made[0]
        for secret in made:
            if hashed in (hashlib.sha256(secret.encode()).digest(), self.code_hash(link_id, secret)):
                return secret
        raise UnreadableSecret("made with an unknown key")


def _signature(key: bytes, purpose: bytes, data: bytes) -> bytes:
    return hmac.digest(key, len(purpose).to_bytes(2, "big") + purpose + data, "sha256")


def _derive(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), b"portico " + purpose, "sha256")
