"""What notices are about (NTF-01): each kind belongs to one category, told by how its name begins."""

from sqlalchemy import ColumnElement, or_

from portal.models import Notification

# Domains add how their kinds begin; what nobody claims is the system's.
PREFIXES: dict[str, tuple[str, ...]] = {
    "service": ("ticket_", "quote_", "contract_"),
    "payment": ("payment_", "invoice_", "dispute_", "statement_"),
    "blog": ("article_", "blog_"),
    "system": ("system_",),
    "security": ("security_", "device_", "account_"),
}
CATEGORIES = tuple(PREFIXES)


def category_of(kind: str) -> str:
    """The category of a kind of notice."""
    return next((name for name, begins in PREFIXES.items() if kind.startswith(begins)), "system")


def in_category(category: str) -> ColumnElement[bool]:
    """Notices of that category."""
    if category == "system":
        others = [begin for name, begins in PREFIXES.items() if name != "system" for begin in begins]
        return ~or_(*(Notification.kind.startswith(begin, autoescape=True) for begin in others))
    return or_(*(Notification.kind.startswith(begin, autoescape=True) for begin in PREFIXES[category]))
