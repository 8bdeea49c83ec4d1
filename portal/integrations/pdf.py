"""Documents as PDF, set by Typst from templates of ours in `templates/pdf/`.

What people wrote goes in as data, never as part of the template, so nothing in it is ever markup or a program:
the template reads it as JSON and sets it as strings. No network, no packages, no fonts of the machine.
"""

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import typst

from portal.config import ROOT
from portal.lib.i18n import text_direction

_TEMPLATES = ROOT / "templates" / "pdf"
# Made by the build of the assets (assets/fonts.js); without them the typesetter's own serif is used.
_FONTS = ROOT / "portal" / "static" / "dist" / "print-fonts"
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
    with _SETTERS:
        made = typst.compile(
            str(_TEMPLATES / template),
            root=str(_TEMPLATES),
            font_paths=[str(_FONTS)],
            ignore_system_fonts=True,
            format="pdf",
            pdf_standards=standard,
            sys_inputs={"data": json.dumps(values, ensure_ascii=False)},
            timestamp=now.replace(microsecond=0),
        )
    if not isinstance(made, bytes):
        raise TypeError("a document is one file")
    return made
