"""Where a message of the thread came from, or where it went as well: told by the timeline the page has read."""

from collections.abc import Iterable

from portal.blueprints.localisation import gettext
from portal.lib.wording.tickets import MESSAGE_MARKS
from portal.models import TicketEvent


def message_marks(events: Iterable[TicketEvent]) -> dict[str, str]:
    """Message id -> “From TCK-12”, for what merges brought here and splits copied elsewhere."""
    marks: dict[str, str] = {}
    for event in events:
        if event.kind in MESSAGE_MARKS:
            text = gettext(MESSAGE_MARKS[event.kind], number=event.params.get("number", ""))
            marks.update(dict.fromkeys(event.params.get("messages", ()), str(text)))
    return marks
