"""Documents as PDF, set by Typst from templates of ours in `templates/pdf/`.

What people wrote goes in as data, never as part of the template, so nothing in it is ever markup or a program:
the template reads it as JSON and sets it as strings. No network, no packages, no fonts of the machine.
"""

import json
import re
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal

import typst

from portal.config import ROOT
from portal.lib.i18n import text_direction

_TEMPLATES = ROOT / "templates" / "pdf"
# Made by the build of the assets (assets/fonts.js); without them the typesetter's own serif is used.
_FONTS = ROOT / "portal" / "static" / "dist" / "print-fonts"
# What of a text no font has, as Typst (Rust's Debug) quotes it.
_UNPRINTABLE = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}")
# In each round one alphabet or one sign is replaced; whoever uses more of them in one document gets an error.
_ROUNDS = 30
# Between these two, 128 code points hold letters of one alphabet (Unicode 17, Blocks).
_ALPHABETS, _IDEOGRAPHS = 0x0250, 0x2E80
_REPLACEMENT = "\ufffd"
# A page of text takes some milliseconds of one core; requests that want documents wait for one another.
_SETTERS = threading.BoundedSemaphore(2)


def typeset(
    template: str,
    data: Mapping[str, Any],
    *,
    locale: str,
    tenant: str,
    accent: str,
    now: datetime,
    standard: Literal["ua-1", "a-3b"] = "ua-1",
) -> bytes:
    """The document that `template` (a file of `templates/pdf/`) makes of `data`, as tagged PDF (PDF/UA-1).

    `standard` a-3b is for documents that carry a file within.

    `data` has to be JSON; `tenant` and `accent` (#RRGGBB) stand at the head of each page. `now` is its date.
    Raises typst.TypstError where template and data do not fit together.
    """
    language = locale.split("-")[0].split("_")[0]
    values = {
        **data,
        "tenant": tenant,
        "accent": accent,
        "lang": language,
        "rtl": text_direction(language) == "rtl",
    }
    text = json.dumps(values, ensure_ascii=False)
    for _ in range(_ROUNDS):
        try:
            return _compile(template, text, standard, now)
        except typst.TypstError as error:
            missing = _UNPRINTABLE.search(str(error.message))
            if missing is None:
                raise
            text = _without(text, _ESCAPE.sub(lambda found: chr(int(found[1], 16)), missing[1]))
    return _compile(template, text, standard, now)


def _compile(template: str, text: str, standard: Literal["ua-1", "a-3b"], now: datetime) -> bytes:
    with _SETTERS:
        made = typst.compile(
            str(_TEMPLATES / template),
            root=str(_TEMPLATES),
            font_paths=_fonts(),
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=standard,
            sys_inputs={"data": text},
            timestamp=now.replace(microsecond=0),
        )
    if not isinstance(made, bytes):
        raise TypeError("a document is one file")
    return made


@cache
def _fonts() -> typst.Fonts:
    """Read once: a third of a short document's time is else spent on looking through fonts."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(_FONTS)])


def _without(text: str, missing: str) -> str:
    """The text without what no font has: of an alphabet all letters, as they come together, of other signs this one.

    The standards for accessible and for archived documents forbid letters that cannot be shown (ISO 14289-1, 7.21).
    """
    letters = {letter for letter in missing if not letter.isascii()}
    blocks = {ord(letter) >> 7 for letter in letters if letter.isalpha() and _ALPHABETS <= ord(letter) < _IDEOGRAPHS}
    return "".join(_REPLACEMENT if char in letters or ord(char) >> 7 in blocks else char for char in text)
