"""`Idempotency-Key`: a POST sent again gets the first answer again, and changes nothing twice.

The answer is stored in the transaction of the change. A refused request stores nothing, so the same key may be
used again once what was wrong is put right. Sign-in, refresh, revocation and the second factor take no key: their
answers are secrets, which are not stored.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request

from portal.blueprints import http
from portal.blueprints.api.strict_json import canonical_json
from portal.errors import invalid
from portal.services.accounts.idempotency import claim_key, fingerprint, store_answer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY_LENGTH = 255
KEY_PATTERN = r"^[\x21-\x7e]+$"
_VISIBLE = re.compile(KEY_PATTERN)


@dataclass(frozen=True)
class Claim:
    """A key that this request holds until its transaction ends."""

    key: str
    user_id: UUID
    digest: bytes
    sealed: bool = False

    def keep(self, status: int, body: str) -> None:
        """Store the answer; it is committed with the change. Secrets in it are stored encrypted."""
        if self.sealed:
            body = http.vault().encrypt(body.encode()).decode()
        store_answer(
            http.session(),
            self.key,
            user_id=self.user_id,
            digest=self.digest,
            status=status,
            body=body,
            now=http.now(),
        )


def claim(body: object, *, sealed: bool = False) -> Claim | Response | None:
    """The claim of a request with a key, the stored answer where there is one, None without a key.

    `sealed` is for bodies and answers that hold secrets: neither can be read, nor guessed, from what is stored.

    Raises Conflict `idempotency_in_progress` and Invalid (`idempotency_mismatch`, or about the key itself).
    """
    key, user_id = request.headers.get(HEADER), http.actor().user_id
    if key is None or user_id is None:
        return None
    if not key:
        raise invalid(HEADER, "required")
    if len(key) > KEY_LENGTH:
        raise invalid(HEADER, "too_long", limit=KEY_LENGTH)
    if not _VISIBLE.fullmatch(key):
        raise invalid(HEADER, "characters_forbidden")
    digest = fingerprint(request.method.encode(), request.full_path.encode(), canonical_json(body))
    if sealed:
        digest = http.vault().code_hash(user_id, digest.hex())
    stored = claim_key(http.session(), key, user_id=user_id, digest=digest)
    if stored is None:
        return Claim(key, user_id, digest, sealed)
    text = http.vault().decrypt(stored.body.encode()).decode() if sealed else stored.body
    answer = Response(text, status=stored.status, mimetype="application/json")
    answer.headers[REPLAYED] = "true"
    return answer
