"""What happens to the domains of identity providers."""

from dataclasses import dataclass
from typing import ClassVar

from portal.events.base import Event


@dataclass(frozen=True)
class EmailDomainClaimed(Event):
    """A domain's proof has to be looked for, now."""

    kind: ClassVar[str] = "email_domain.claimed"
    record_type: ClassVar[str] = "email_domain"
