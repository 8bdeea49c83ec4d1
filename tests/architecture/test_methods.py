"""HEAD reaches every view that answers GET, and no form's token is asked of it: views may only act on POST."""

import re

from portal.config import ROOT

ACTS_ON_WHAT_IS_NOT_GET = re.compile(
    r'if request\.method == "GET":\n(?:\s+.*\n)*?\s+return|not request\.method == "GET"'
)


def test_no_view_takes_everything_but_get_for_a_form():
    guilty = [
        str(path.relative_to(ROOT))
        for folder in ("blueprints", "admin")
        for path in (ROOT / "portal" / folder).rglob("*.py")
        if ACTS_ON_WHAT_IS_NOT_GET.search(path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_the_check_would_notice():
    assert ACTS_ON_WHAT_IS_NOT_GET.search('    if request.method == "GET":\n        return page()\n    act()\n')
