"""How lists show what a search found: hits marked, and where the row does not show one, the place it stands at."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from markupsafe import Markup

from portal.blueprints import http
from portal.lib.highlighting import cut_round_hit, mark_hits, mark_similar
from portal.lib.paging import Page
from portal.services.tickets.excerpts import read_matching_texts
from portal.services.tickets.rows import TicketRow

Pieces = Sequence[tuple[str, bool]]
# As much of a text as the API gives to show where the words stand.
API_EXCERPT = 160
_MARK = Markup("<mark>{}</mark>")


def find_excerpts(page: Page[TicketRow], words: str, length: int) -> dict[UUID, str]:
    """Places of the texts that hold the words, for rows whose number, subject and company do not.

    By one statement at most, and by none where the newest message says it, or nothing holds the words.
    """
    if page.approximate or not words.strip():
        return {}
    excerpts: dict[UUID, str] = {}
    missing: list[UUID] = []
    for row in page.items:
        ticket = row.ticket
        if _has_hit(f"{ticket.ticket_number} {ticket.subject} {row.company_name}", words):
            continue
        if place := cut_round_hit(ticket.last_message, words, length):
            excerpts[ticket.id] = place
        else:
            missing.append(ticket.id)
    if missing:
        found = read_matching_texts(http.session(), missing, words, actor=http.actor())
        for ticket_id, texts in found.items():
            places = (cut_round_hit(text, words, length) for text in texts)
            if place := next(filter(None, places), None):
                excerpts[ticket_id] = place
    return excerpts


def mark_fields(item: dict[str, Any], names: Iterable[str], words: str) -> None:
    """Mark the words in these fields of a row; where none of them holds one, what is like them."""
    texts = {name: str(item[name]) for name in names}
    marked = {name: mark_hits(text, words) for name, text in texts.items()}
    if not any(hit for pieces in marked.values() for _, hit in pieces):
        marked = {name: mark_similar(text, words) for name, text in texts.items()}
    item |= {name: _drawn(pieces) for name, pieces in marked.items()}


def _has_hit(text: str, words: str) -> bool:
    return any(hit for _, hit in mark_hits(text, words))


def _drawn(pieces: Pieces) -> Markup:
    return Markup("").join(_MARK.format(piece) if hit else piece for piece, hit in pieces)
