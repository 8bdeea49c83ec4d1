"""What happens to contracts, and to the documents that people signed."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from portal.events.base import Event


@dataclass(frozen=True)
class ContractFact(Event):
    """Something about one contract."""

    record_type: ClassVar[str] = "contract"


@dataclass(frozen=True)
class ContractDrafted(ContractFact):
    """A contract was begun, or its draft was changed."""

    kind: ClassVar[str] = "contract.drafted"


@dataclass(frozen=True)
class ContractSent(ContractFact):
    """Its text is frozen, and its signers are asked."""

    kind: ClassVar[str] = "contract.sent"


@dataclass(frozen=True)
class ContractPartSigned(ContractFact):
    """One of several has signed; the others are still to come."""

    kind: ClassVar[str] = "contract.part_signed"

    user_id: UUID


@dataclass(frozen=True)
class ContractSigned(ContractFact):
    """The last of its signers has signed."""

    kind: ClassVar[str] = "contract.signed"

    user_id: UUID


@dataclass(frozen=True)
class ContractDeclined(ContractFact):
    """A signer said no; the contract is void by that."""

    kind: ClassVar[str] = "contract.declined"

    user_id: UUID


@dataclass(frozen=True)
class ContractVoided(ContractFact):
    """It was taken back before everybody had signed."""

    kind: ClassVar[str] = "contract.voided"


@dataclass(frozen=True)
class ContractReminded(ContractFact):
    """Those whose turn it is are asked once more."""

    kind: ClassVar[str] = "contract.reminded"

    number: int


@dataclass(frozen=True)
class ContractReplanned(ContractFact):
    """Its reminders come at other times, by another rule of the tenant."""

    kind: ClassVar[str] = "contract.replanned"


@dataclass(frozen=True)
class ContractExpiring(ContractFact):
    """A signed contract ends soon."""

    kind: ClassVar[str] = "contract.expiring"


@dataclass(frozen=True)
class ContractSealed(ContractFact):
    """The signed copy can be had."""

    kind: ClassVar[str] = "contract.sealed"

    level: str


@dataclass(frozen=True)
class QuoteSealed(Event):
    """The signed copy of an accepted quote can be had."""

    kind: ClassVar[str] = "quote.sealed"
    record_type: ClassVar[str] = "quote"

    level: str
