"""Hits of a search within a text: at the beginnings of words, whatever the case, the accents and the markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.highlighting import mark_hits


@pytest.mark.parametrize(
    ("text", "query", "hits"),
    [
        ("VPN drops", "vpn", ["VPN"]),
        ("Café müde", "cafe mud", ["Café", "müd"]),
        ("Cafe", "café", ["Cafe"]),
        ("overdrive", "drive", []),
        ("TCK-1035 and 1035", "TCK-1035", ["TCK", "1035", "1035"]),
        ("Straße", "strasse", ["Straße"]),
        ("<b>vpn</b>", "b", ["b", "b"]),
        ("طابعة المكتب", "طابع", ["طابع"]),
        ("nothing", "", []),
        ("nothing", "'&|!:*", []),
    ],
)
def test_words_are_found_where_they_begin(text: str, query: str, hits: list[str]) -> None:
    assert [piece for piece, hit in mark_hits(text, query) if hit] == hits


@given(st.text(max_size=60), st.text(max_size=20))
def test_nothing_is_lost_or_added(text: str, query: str) -> None:
    assert "".join(piece for piece, _ in mark_hits(text, query)) == text
