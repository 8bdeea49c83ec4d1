"""What happened around getting in; the worker answers these by mail, off the path of the request."""

from dataclasses import dataclass
from typing import ClassVar

from portal.events.base import Event


@dataclass(frozen=True)
class AccessRequested(Event):
    """Somebody asked for a new password or an account; `record_id` is the link that may come of it.

    It says nothing about whether the person exists: that is looked up by whoever answers (AUTH-09).
    """

    kind: ClassVar[str] = "access.requested"
    record_type: ClassVar[str] = "access_request"

    purpose: str


@dataclass(frozen=True)
class DeviceAdded(Event):
    """A login was used on a device it had not been used on before; `record_id` is the device."""

    kind: ClassVar[str] = "device.added"
    record_type: ClassVar[str] = "device"


@dataclass(frozen=True)
class PasswordResetOwed(Event):
    """Somebody gave the right password of a login that has to set a new one; `record_id` is the login."""

    kind: ClassVar[str] = "user.password_reset_owed"
    record_type: ClassVar[str] = "user"


@dataclass(frozen=True)
class AllSessionsEnded(Event):
    """Many people were signed out at one word; `record_id` is the tenant. Open lines are looked at at once."""

    kind: ClassVar[str] = "tenant.sessions_ended"
    record_type: ClassVar[str] = "tenant"
