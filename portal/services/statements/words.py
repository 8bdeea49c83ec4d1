"""What a statement says in its reader's language: titles, names of columns and movements, days and amounts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from portal.lib.i18n import format_minute, text_direction
from portal.lib.letters import translator
from portal.lib.money import Money
from portal.lib.money_format import format_amount, format_rate
from portal.lib.wording.billing import MOVEMENTS
from portal.models import LedgerKind, Statement, StatementKind
from portal.services.statements.figures import Balance, TaxSum


@dataclass(frozen=True)
class Parties:
    """Whose account it is and who keeps it, as they are called in law."""

    company: str
    company_tax_number: str
    seller: str
    seller_tax_number: str
    tenant: str
    accent: str


@dataclass(frozen=True)
class Contents:
    """All of a statement but its lines."""

    statement: Statement
    parties: Parties
    balances: Sequence[Balance]
    taxes: Sequence[TaxSum]


class Words:
    """The words and formats of one statement."""

    def __init__(self, statement: Statement) -> None:
        self.locale = statement.locale
        self.translate: Callable[..., str] = translator(statement.locale)
        self.rtl = text_direction(statement.locale) == "rtl"
        self._statement = statement
        self._zone = ZoneInfo(statement.zone)

    def title(self) -> str:
        """What the document is called."""
        return statement_title(self._statement, self.locale)

    def columns(self) -> list[str]:
        """Names of the columns of lines in files for spreadsheets."""
        _ = self.translate
        return [
            *(_("Date"), _("Document"), _("Payment"), _("Entry"), _("Amount"), _("Balance"), _("Currency")),
        ]

    def kind(self, kind: LedgerKind) -> str:
        """What a movement is called."""
        return self.translate(MOVEMENTS[kind.value])

    def day_of(self, at: datetime) -> date:
        """The day of a movement where the account is kept."""
        return at.astimezone(self._zone).date()

    def day(self, day: date) -> str:
        """A day written out."""
        return day_text(day, self.locale)

    def moment(self, at: datetime) -> str:
        """A moment, to the second: a statement is true as of it."""
        return format_minute(at, self.locale, self._statement.zone, "d MMM y, HH:mm:ss")

    def amount(self, amount: int, currency: str) -> str:
        """Minor units with their sign and currency."""
        return format_amount(amount, currency, self.locale)

    def rate(self, rate: Decimal) -> str:
        """A rate of tax."""
        return format_rate(rate, self.locale)

    def facts(self, contents: Contents) -> list[tuple[str, str]]:
        """Whose account, which days, as of when; what is not known is left out."""
        _, parties, statement = self.translate, contents.parties, contents.statement
        rows = [
            (_("Account of"), parties.company),
            (_("Tax number"), parties.company_tax_number),
            (_("Issued by"), parties.seller),
            (_("Our tax number"), parties.seller_tax_number),
            (_("Period"), f"{self.day(statement.start_on)} – {self.day(statement.end_on)}"),
            (_("As of"), self.moment(statement.as_of)),
        ]
        return [(label, value) for label, value in rows if value]


def statement_title(statement: Statement, locale: str) -> str:
    """“Annual statement 2026”, “Account statement”, in this language."""
    _ = translator(locale)
    if statement.kind is StatementKind.ANNUAL:
        return _("Annual statement %(year)s", year=statement.start_on.year)
    return _("Account statement")


def file_name(statement: Statement) -> str:
    """What the file is called when somebody saves it."""
    if statement.kind is StatementKind.ANNUAL:
        return f"statement-{statement.start_on.year}.{statement.format.value}"
    return f"statement-{statement.start_on.isoformat()}-{statement.end_on.isoformat()}.{statement.format.value}"


@lru_cache(maxsize=4096)
def day_text(day: date, locale: str) -> str:
    """A day written out in a language."""
    return format_minute(datetime.combine(day, time(12), UTC), locale, "UTC", "d MMM y")


def decimal(amount: int, currency: str) -> Decimal:
    """Minor units as a number of whole ones."""
    return Money(amount, currency).decimal
