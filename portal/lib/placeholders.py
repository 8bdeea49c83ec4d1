"""Places in prepared texts that a ticket's facts fill, from a fixed list; a text is never a template.

What is filled in is data: it is not looked through for further places, stands on one line, and its Markdown does
nothing.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from portal.lib.wording import N_

PLACEHOLDERS = {
    "ticket.number": N_("Number of the ticket"),
    "ticket.subject": N_("Subject of the ticket"),
    "customer.name": N_("Whole name of who asked"),
    "customer.first_name": N_("First name of who asked"),
    "customer.company": N_("Company of who asked"),
    "agent.name": N_("Your whole name"),
    "agent.first_name": N_("Your first name"),
    "portal.name": N_("Name of the portal"),
}
# Customers write to the team, whoever that will be.
FOR_CUSTOMERS = frozenset(name for name in PLACEHOLDERS if not name.startswith("agent."))
# Mails name who caused them instead of whoever writes, and the status as their reader calls it.
FOR_MAILS = {name: label for name, label in PLACEHOLDERS.items() if name in FOR_CUSTOMERS} | {
    "actor.name": N_("Name of who answered, asked or decided"),
    "ticket.status": N_("Status of the ticket"),
}
_PLACE = re.compile(r"\{\{[ \t]*([a-z_.]+)[ \t]*\}\}")
_MARKS = re.compile(r"([\\`*\[\]<])")
SHOWN = 30


@dataclass(frozen=True)
class UnknownPlace:
    """What stands in braces and is not on the list; line and column count from 1."""

    name: str
    line: int
    column: int


def unknown_places(text: str, allowed: Collection[str]) -> Iterator[UnknownPlace]:
    """Every place that is not allowed, opened and never closed ones among them."""
    for line, words in enumerate(text.split("\n"), start=1):
        start = words.find("{{")
        while start >= 0:
            end = words.find("}}", start + 2)
            name = words[start + 2 : end if end >= 0 else None].strip()
            if end < 0 or name not in allowed:
                yield UnknownPlace(name[:SHOWN], line, start + 1)
            start = words.find("{{", end + 2) if end >= 0 else -1


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its places filled, each once; a place without a value stays as it stands."""
    return _PLACE.sub(lambda found: _data(values[found[1]]) if found[1] in values else found[0], text)


def fill_plain(text: str, values: Mapping[str, str]) -> str:
    """`fill` for texts that are no Markdown: what is filled in stands on one line and is not escaped."""
    return _PLACE.sub(lambda found: " ".join(values[found[1]].split()) if found[1] in values else found[0], text)


def _data(value: str) -> str:
    return _MARKS.sub(r"\\\1", " ".join(value.split()))
