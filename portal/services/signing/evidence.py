"""What is said of the signers on the page of evidence, in the sealed file and in the database: the same, once."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from portal.events.base import plain
from portal.models import Signature


def describe_signatures(places: Sequence[Signature]) -> list[dict[str, Any]]:
    """The evidence of each place in the order of the decisions; `hash` chains an entry to the one before it."""
    entries: list[dict[str, Any]] = []
    previous = ""
    for place in sorted(places, key=lambda one: (one.decided_at is None, one.decided_at, one.position, str(one.id))):
        entry = _describe(place)
        previous = chained(previous, entry)
        entries.append(entry | {"hash": previous})
    return entries


def chained(previous: str, entry: dict[str, Any]) -> str:
    """SHA-256 (hex) over the hash before and the entry in canonical JSON."""
    return hashlib.sha256(previous.encode() + canonical(entry)).hexdigest()


def canonical(value: Any) -> bytes:
    """JSON with sorted names and without spaces: equal values, equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _describe(place: Signature) -> dict[str, Any]:
    told: dict[str, Any] = plain(
        {
            "id": place.id,
            "name": place.signer_name,
            "email": place.signer_email,
            "side": place.side,
            "status": place.status,
            "viewed_at": _utc(place.viewed_at),
            "decided_at": _utc(place.decided_at),
            "address": place.address,
            "user_agent": place.user_agent,
            "factors": place.factors,
            "consent_version": place.consent_version,
            "consent_text": place.consent_text,
            "content_sha256": place.content_sha256.hex() if place.content_sha256 else "",
            "drawn": place.image_key is not None,
        }
    )
    return told


def _utc(at: datetime | None) -> datetime | None:
    """Written the same whatever zone the database's connection has."""
    return at.astimezone(UTC) if at else None
