"""What plain functions draw: nobody's text becomes markup, and what scripts need is there."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from portal.admin.tickets.rows import draw_neighbours
from portal.admin.tickets.rows import draw_rows as draw_queue
from portal.blueprints import drawing
from portal.blueprints.tickets.rows import draw_rows as draw_list

EVIL = "<script>\"'&"
SAFE = "&lt;script&gt;&#34;&#39;&amp;"
AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _request(app):
    with app.test_request_context("/portal/"):
        yield


def drawn(*_, **__):
    return "drawn"


@pytest.mark.parametrize(
    "answer",
    [
        lambda: drawing.icon("inbox", label=EVIL),
        lambda: drawing.icon(EVIL),
        lambda: drawing.shape(EVIL),
        lambda: drawing.time_tag(AT, EVIL),
        lambda: drawing.promise({"state": "within", "text": EVIL}),
        lambda: drawing.promise({"state": "within", "text": "x"}, prefix=EVIL),
        lambda: drawing.promise({"state": "within", "text": "x", "ticks": True, "due_at": AT, "format": EVIL}),
        lambda: drawing.next_step({"kind": "check", "text": EVIL}),
        lambda: drawing.next_step_chip({"kind": "check", "text": EVIL}),
        lambda: drawing.next_step({"kind": "check", "text": "x", "when": EVIL}),
        lambda: drawing.next_step({"kind": "check", "text": "x", "when": EVIL, "at": AT}),
    ],
)
def test_text_stays_text(answer):
    assert EVIL not in answer()
    assert "<script" not in answer()
    assert SAFE in answer()


@pytest.mark.parametrize("field", ["number", "subject", "category", "requester", "url"])
def test_the_lists_rows_keep_text_text(field):
    item = dict.fromkeys(("number", "subject", "category", "requester", "url"), "x") | {field: EVIL}
    item |= {"id": uuid4(), "status": "open", "priority": "low", "assignee": None, "step": None, "updated_at": AT}
    item |= {"status_label": None}
    row = draw_list([item], drawn, drawn, drawn)
    assert "<script" not in row
    assert SAFE in row


@pytest.mark.parametrize("field", ["number", "subject", "snippet", "customer", "url"])
def test_the_queues_rows_keep_text_text(field):
    item = dict.fromkeys(("number", "subject", "snippet", "customer", "url"), "x") | {field: EVIL}
    step = {"kind": "escalation", "text": EVIL, "when": EVIL, "at": AT}
    item |= {"status": "open", "priority": "urgent", "promise": None, "step": step, "assignee": None, "active_at": AT}
    item |= {"status_label": None, "key": "x"}
    row = draw_queue([item], drawn, drawn)
    assert "<script" not in row
    assert row.count(SAFE) >= 3


@pytest.mark.parametrize("field", ["number", "subject", "customer", "requester", "url"])
def test_the_neighbours_keep_text_text(field):
    item = dict.fromkeys(("number", "subject", "customer", "requester", "url"), "x") | {field: EVIL}
    step = {"kind": "escalation", "text": EVIL, "when": EVIL, "at": AT}
    item |= {"id": uuid4(), "priority": "urgent", "promise": None, "step": step}
    here, there = draw_neighbours([item], item["id"], drawn), draw_neighbours([item], uuid4(), drawn)
    assert "<script" not in here
    assert here.count(SAFE) == 3
    assert here.replace(' aria-current="true"', "") == there != here


def test_what_is_not_there_draws_nothing():
    assert drawing.promise(None) == drawing.next_step(None) == drawing.time_tag(None) == ""


def test_a_promise_that_ticks_says_from_when_to_when():
    sla = {
        "state": "near",
        "text": "2 min",
        "fraction": 1.4,
        "ticks": True,
        "due_at": AT,
        "started_at": AT - timedelta(hours=1),
    }
    mark = drawing.promise(sla)
    assert 'data-due="2026-11-21T09:30:00+00:00" data-start="2026-11-21T08:30:00+00:00"' in mark
    assert 'stroke-dasharray="100 100"' in mark
    assert "<circle" not in drawing.promise(sla, drawn=False)
    assert "data-promise" not in drawing.promise(sla | {"ticks": False})


def test_icons_turn_round_with_the_language_only_where_they_point():
    assert "icon-flip" in drawing.icon("chevron-right")
    assert "icon-flip" not in drawing.icon("inbox")
    assert 'class="icon icon-20 menu-check" aria-hidden="true"' in drawing.icon("check", 20, **{"class": "menu-check"})
