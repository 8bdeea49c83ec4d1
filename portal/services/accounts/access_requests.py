"""What strangers ask for: written down by the same two statements whoever they are, answered by the worker.

Whether there is such a person is not even looked up while the request waits for its answer, so neither the answer
nor its time tells (AUTH-09). The row of the request becomes the link that is mailed; where nothing comes of it, it
is taken away. What was typed is kept encrypted until then.
"""

import json
from datetime import datetime
from typing import Any

from portal.authz import Actor
from portal.errors import invalid
from portal.events import publish
from portal.events.access import AccessRequested
from portal.lib.text import has_forbidden_characters
from portal.lib.vault import Vault
from portal.models import LinkPurpose, OneTimeLink
from portal.models.session import TenantSession
from portal.services.accounts.identity import canonical_identifier
from portal.services.accounts.one_time import issue_link

SEALED = "sealed"


def request_reset(session: TenantSession, identifier: str, *, vault: Vault, actor: Actor, now: datetime) -> None:
    """Note that somebody forgot the password of the login with this address or phone number.

    Raises Invalid about `identifier` for what can be neither.
    """
    if not identifier.strip():
        raise invalid("identifier", "required")
    if has_forbidden_characters(identifier):
        raise invalid("identifier", "characters_forbidden")
    told = {"identifier": canonical_identifier(identifier)}
    write_request(session, LinkPurpose.RESET_PASSWORD, told, vault=vault, actor=actor, now=now)


def write_request(
    session: TenantSession, purpose: LinkPurpose, told: dict[str, Any], *, vault: Vault, actor: Actor, now: datetime
) -> None:
    """Store a request with what was typed, for the worker to answer."""
    sealed = vault.encrypt(json.dumps(told).encode()).decode()
    link = issue_link(session, purpose, user_id=None, vault=vault, now=now, payload={SEALED: sealed})
    event = AccessRequested(link.id, purpose=purpose.value)
    publish(session, event, actor=actor, now=now, after={"purpose": purpose.value})


def read_request(link: OneTimeLink, vault: Vault) -> dict[str, Any]:
    """What was typed; raises UnreadableSecret where the key it was sealed with is gone."""
    found: dict[str, Any] = json.loads(vault.decrypt(str(link.payload[SEALED]).encode()))
    return found
