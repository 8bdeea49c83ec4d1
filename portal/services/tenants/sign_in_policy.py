"""How people of a tenant sign in: what the tenant decides, with bounds that it cannot leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

SETTING = "sign_in"
# AUTH-04: half an hour unless the tenant says otherwise; a browser left alone overnight is never let in.
IDLE_MINUTES = (5, 30, 12 * 60)
GRACE_DAYS = (0, 7, 30)


class SecondFactor(StrEnum):
    """Who has to have a second factor (AUTH-16)."""

    OPTIONAL = "optional"
    STAFF = "staff"
    EVERYBODY = "everybody"


@dataclass(frozen=True)
class SignInPolicy:
    """The tenant's choices; every one has a safe default."""

    second_factor: SecondFactor = SecondFactor.OPTIONAL
    grace_days: int = GRACE_DAYS[1]
    idle_minutes: int = IDLE_MINUTES[1]
    registration_open: bool = False
    link_account_open: bool = True
    phone_sign_up_open: bool = False

    @property
    def idle(self) -> timedelta:
        """How long a session lives without activity."""
        return timedelta(minutes=self.idle_minutes)

    def requires_factor(self, *, staff: bool) -> bool:
        """Whether people of this kind must have a second factor once their grace period is over."""
        return self.second_factor is SecondFactor.EVERYBODY or (staff and self.second_factor is SecondFactor.STAFF)


def read_policy(settings: Mapping[str, Any]) -> SignInPolicy:
    """The policy in a tenant's settings; what is missing or out of bounds falls back to the default."""
    stored = settings.get(SETTING)
    given: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    factor = given.get("second_factor")
    return SignInPolicy(
        second_factor=SecondFactor(factor) if factor in set(SecondFactor) else SecondFactor.OPTIONAL,
        grace_days=_bounded(given.get("grace_days"), GRACE_DAYS),
        idle_minutes=_bounded(given.get("idle_minutes"), IDLE_MINUTES),
        registration_open=given.get("registration_open") is True,
        link_account_open=given.get("link_account_open") is not False,
        phone_sign_up_open=given.get("phone_sign_up_open") is True,
    )


def _bounded(value: Any, bounds: tuple[int, int, int]) -> int:
    lowest, standard, highest = bounds
    return value if type(value) is int and lowest <= value <= highest else standard
