"""Hits of a search within a text: at the beginnings of words, whatever the case, the accents and the markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.highlighting import cut_round_hit, mark_hits, mark_similar


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


@pytest.mark.parametrize(
    ("text", "query", "hits"),
    [
        ("Printer on fire", "printr", ["Printer"]),
        ("Überdruck im Kessel", "kesel", ["Kessel"]),
        ("overdrive", "drive", ["overdrive"]),
        ("TCK-1035, not TCK-1036", "035", ["1035"]),
        ("TCK-1036", "1035", []),
        ("a be sea", "be", []),
        ("nothing", "", []),
    ],
)
def test_words_that_are_like_those_looked_for(text: str, query: str, hits: list[str]) -> None:
    assert [piece for piece, hit in mark_similar(text, query) if hit] == hits


@pytest.mark.parametrize(
    ("text", "query", "place"),
    [
        ("The printer is on fire.", "printer", "The printer is on fire."),
        ("The printer is on fire.", "fire", "…printer is on fire."),
        ("one two three four five six seven eight nine ten eleven", "nine", "…seven eight nine ten eleven"),
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa",
            "alpha",
            "alpha beta gamma delta epsilon zeta eta…",
        ),
        ("x" * 60 + " here", "here", "…here"),
        ("first\n\nsecond   third", "third", "first second third"),
        ("nothing of it", "other", None),
        ("", "other", None),
    ],
)
def test_a_place_is_cut_round_its_hit(text: str, query: str, place: str | None) -> None:
    assert cut_round_hit(text, query, 40) == place


@given(st.text(max_size=200), st.text(max_size=20), st.integers(20, 80))
def test_a_place_is_short_and_shows_the_hit(text: str, query: str, length: int) -> None:
    place = cut_round_hit(text, query, length)
    whole = any(hit for _, hit in mark_hits(" ".join(text.split()), query))
    assert (place is not None) == whole
    assert place is None or len(place) <= length + 1
    assert "".join(piece for piece, _ in mark_similar(text, query)) == text
