"""What happens to the domains of identity providers."""

from dataclasses import dataclass
from typing import ClassVar

from portal.events.base import Event


@dataclass(frozen=True)
class EmailDomainClaimed(Event):
    """A provider shall speak for a domain; the proof has to be looked for."""

    kind: ClassVar[str] = "email_domain.claimed"
    record_type: ClassVar[str] = "email_domain"


@dataclass(frozen=True)
class EmailDomainCheckAsked(Event):
    """Somebody does not want to wait for the next look."""

    kind: ClassVar[str] = "email_domain.check_asked"
    record_type: ClassVar[str] = "email_domain"


@dataclass(frozen=True)
class EmailDomainRemoved(Event):
    """The claim was withdrawn; whoever looks for its proof can stop."""

    kind: ClassVar[str] = "email_domain.removed"
    record_type: ClassVar[str] = "email_domain"


@dataclass(frozen=True)
class SsoSignedOut(Event):
    """Sessions ended because their owner signed out at the provider; `record_id` is the login."""

    kind: ClassVar[str] = "user.sso_signed_out"
    record_type: ClassVar[str] = "user"
