"""Mails and text messages from templates: one template, set in a text and an HTML frame, in any language."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.config import ROOT
from portal.lib.i18n import translations_for
from portal.lib.text import excerpt

SUBJECT_LENGTH = 240


@dataclass(frozen=True)
class RenderedMail:
    """A mail ready to be stored."""

    subject: str
    text: str
    html: str


def render_mail_template(name: str, context: dict[str, Any]) -> RenderedMail:
    """A mail from its template, in both frames."""
    text = _environment(False).get_template(name)
    page = _environment(True).get_template(name)
    subject = "".join(text.blocks["subject"](text.new_context(context | {"layout": "mail/layout.txt"})))
    return RenderedMail(
        subject=excerpt(subject, SUBJECT_LENGTH),
        text=_tidy(text.render(context | {"layout": "mail/layout.txt"})),
        html=page.render(context | {"layout": "mail/layout.html"}),
    )


def render_words(name: str, context: dict[str, Any]) -> tuple[str, str]:
    """Subject and lead of a mail's template by themselves, as plain text."""
    text = _environment(False).get_template(name)
    parts = ("".join(text.blocks[block](text.new_context(context))) for block in ("subject", "lead"))
    subject, lead = (part.strip() for part in parts)
    return subject, lead


def render_text_template(name: str, context: dict[str, Any]) -> str:
    """A text message from its template."""
    return _tidy(_environment(False).get_template(name).render(context)).strip()


def translator(locale: str) -> Callable[..., str]:
    """The `_` of a language: translates, then fills in."""
    catalogue = translations_for(locale)

    def translate(message: str, **values: Any) -> str:
        found: str = catalogue.gettext(message)
        return found % values if values else found

    return translate


@lru_cache(maxsize=2)
def _environment(escape: bool) -> Environment:
    """The same templates, escaped for HTML or left alone for text."""
    return Environment(
        loader=FileSystemLoader(str(ROOT / "templates")),
        autoescape=escape,  # noqa: S701 - the text frame has nothing to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _tidy(text: str) -> str:
    """No more than one empty line in a row."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines).strip() + "\n"
