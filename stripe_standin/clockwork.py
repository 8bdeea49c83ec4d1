"""What happens by itself when its time has come: debits, refunds, hosted pages that run out."""

from collections.abc import Callable
from contextlib import suppress

from stripe_standin import charging, checkout, refunds
from stripe_standin.errors import ApiError, Body
from stripe_standin.world import World


def settle_debit(world: World, intent_id: str, *, failed: bool | None = None) -> Body:
    """A debit, and the hosted page it came from."""
    intent = charging.settle_debit(world, intent_id, failed=failed)
    checkout.debit_settled(world, intent)
    return intent


def _expire(world: World, session_id: str) -> None:
    checkout.close(world, world.get("checkout.session", session_id))


STEPS: dict[str, Callable[[World, str], object]] = {"debit": settle_debit, "refund": refunds.settle, "session": _expire}


def run_due(world: World) -> None:
    """Do everything whose time has come, in order."""
    while due := world.store.run("SELECT step, id FROM timers WHERE due <= ? ORDER BY due LIMIT 1", world.store.now()):
        step, object_id = due[0]
        world.store.settled(step, object_id)
        # Somebody was quicker by a control; what is decided stays decided.
        with suppress(ApiError):
            STEPS[step](world, object_id)
