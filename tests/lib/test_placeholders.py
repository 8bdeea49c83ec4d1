"""Places in prepared texts: which exist, where the others stand, and that what fills them stays data."""

import pytest

from portal.lib.placeholders import FOR_CUSTOMERS, PLACEHOLDERS, UnknownPlace, fill, unknown_places


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello {{customer.name}}, {{ ticket.number }}", []),
        ("{{customer.email}}", [("customer.email", 1, 1)]),
        ("Hello\n  {{ x }} and {{y}}", [("x", 2, 3), ("y", 2, 15)]),
        ("{{ticket.number", [("ticket.number", 1, 1)]),
        ("{{\nticket.number}}", [("", 1, 1)]),
        ("{{ticket.__class__}}", [("ticket.__class__", 1, 1)]),
        ("{{ticket.number|upper}}", [("ticket.number|upper", 1, 1)]),
        ("{{}}", [("", 1, 1)]),
        ("a { b } {c}", []),
    ],
)
def test_unknown_places_are_found_with_their_position(text, found):
    assert list(unknown_places(text, PLACEHOLDERS)) == [UnknownPlace(*place) for place in found]


def test_customers_have_no_places_of_agents():
    assert [place.name for place in unknown_places("{{agent.name}} {{ticket.number}}", FOR_CUSTOMERS)] == ["agent.name"]


def test_what_is_filled_in_is_data():
    values = {"ticket.subject": "{{agent.name}} [x](http://evil.example)\n# **b**", "agent.name": "Sam"}
    filled = fill("{{ticket.subject}} / {{ agent.name }} / {{ticket.number}}", values)
    assert filled == r"{{agent.name}} \[x\](http://evil.example) # \*\*b\*\* / Sam / {{ticket.number}}"
