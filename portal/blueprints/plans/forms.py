"""From what was typed into the forms to what the services take; what cannot be read becomes a refusal."""

from datetime import date
from uuid import UUID

from werkzeug.datastructures import MultiDict

from portal.errors import invalid
from portal.lib.money import parse_amount
from portal.models import PlanInterval
from portal.services.plans.accepting import PlanAcceptance
from portal.services.plans.asking import PlanWish
from portal.services.plans.dividing import MOST, Part

# Lines that the team may add to what was asked for.
SPARE = 2


def typed_wish(form: MultiDict[str, str]) -> PlanWish:
    """The plan that was asked for. Raises Invalid about `count`, `interval` and `first_on`."""
    try:
        interval = PlanInterval(form.get("interval", ""))
    except ValueError:
        raise invalid("interval", "unknown_choice") from None
    count = form.get("count", "").strip()
    # More digits than a count has are none.
    if not (count.isascii() and count.isdigit() and len(count) <= len(str(MOST))):
        raise invalid("count", "plan_count")
    day = _day("first_on", form.get("first_on", ""))
    return PlanWish(int(count), interval, day, form.get("reason", ""))


def typed_parts(form: MultiDict[str, str], currency: str) -> list[Part]:
    """The instalments that the team typed, without lines that were left empty. Raises Invalid about `instalments`."""
    parts = []
    for index in range(1, MOST + 1):
        day, amount = form.get(f"day-{index}", "").strip(), form.get(f"amount-{index}", "").strip()
        if not day and not amount:
            continue
        try:
            minor = parse_amount(amount.replace(",", "."), currency).amount
        except ValueError:
            raise invalid("instalments", "amount_invalid") from None
        parts.append(Part(_day("instalments", day), minor))
    return parts


def typed_acceptance(form: MultiDict[str, str]) -> PlanAcceptance:
    """What the signer typed. Raises Invalid about the method."""
    chosen = form.get("method", "")
    try:
        method_id = UUID(chosen) if chosen else None
    except ValueError:
        raise invalid("payment_method_id", "method_unknown") from None
    return PlanAcceptance(
        form.get("signer_name", ""), form.get("content_sha256", ""), form.get("consent") == "1", method_id
    )


def _day(field: str, text: str) -> date:
    if not text.strip():
        raise invalid(field, "required")
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise invalid(field, "date_invalid") from None
