"""Two or more quotes (or versions of one) side by side, line by line (H6.10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.authz import Actor
from portal.errors import invalid
from portal.models import Quote, QuoteLine
from portal.models.session import TenantSession
from portal.services.quotes.queries import get_quote, list_lines

FEWEST, MOST = 2, 4


@dataclass(frozen=True)
class ComparedRow:
    """What each quote has of one thing, None where it has none of it; `differs` where they are not alike."""

    description: str
    cells: tuple[QuoteLine | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the quotes are not alike here."""
        return len({_terms(line) for line in self.cells}) > 1


@dataclass(frozen=True)
class Comparison:
    """Quotes in the order asked for, and their lines matched."""

    quotes: tuple[Quote, ...]
    rows: tuple[ComparedRow, ...]


def compare_quotes(session: TenantSession, quote_ids: Sequence[UUID], *, actor: Actor) -> Comparison:
    """Compare two to four quotes. Raises NotFound for one that is not the actor's, Invalid about `ids`."""
    wanted = list(dict.fromkeys(quote_ids))
    if not FEWEST <= len(wanted) <= MOST:
        raise invalid("ids", "compare_number", low=FEWEST, high=MOST)
    quotes = tuple(get_quote(session, quote_id, actor=actor) for quote_id in wanted)
    return Comparison(quotes, match_lines([list_lines(session, quote.id) for quote in quotes]))


def match_lines(columns: Sequence[Sequence[QuoteLine]]) -> tuple[ComparedRow, ...]:
    """Lines that speak of the same thing in one row: the same item, else the same words; each line once."""
    rows: dict[tuple[str, int], list[QuoteLine | None]] = {}
    for place, lines in enumerate(columns):
        seen: dict[str, int] = {}
        for line in lines:
            key = _thing(line)
            seen[key] = seen.get(key, 0) + 1
            cells = rows.setdefault((key, seen[key]), [None] * len(columns))
            cells[place] = line
    return tuple(ComparedRow(next(line.description for line in cells if line), tuple(cells)) for cells in rows.values())


def _thing(line: QuoteLine) -> str:
    if line.catalog_item_id is not None:
        return str(line.catalog_item_id)
    return " ".join(line.description.casefold().split())


def _terms(line: QuoteLine | None) -> tuple[object, ...] | None:
    if line is None:
        return None
    return (line.description, line.quantity, line.unit_price, line.discount, line.tax_rate, line.optional)
