"""What can have happened to the people of a company (names: contract §6)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from portal.events.base import Event


@dataclass(frozen=True)
class CustomerInvited(Event):
    """Somebody was asked into a company's portal; `record_id` is the invitation."""

    kind: ClassVar[str] = "customer.invited"
    record_type: ClassVar[str] = "invitation"

    company_id: UUID
    user_id: UUID
    role: str
