"""What lists repeat in each row, drawn by plain functions: icons, times, promises, next steps.

As macros these were most of a page's time. Templates know them by the names of `templates/components`.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from portal.blueprints.localisation import format_exact, format_when, reader

# Icons that point somewhere turn round in languages written from right to left.
_DIRECTIONAL = frozenset(
    {
        *("chevron-left", "chevron-right", "reply", "forward", "send", "list", "list-checks", "log-out"),
        *("external-link", "panel-left", "panel-right", "book-open", "rows-2", "rows-3"),
        *("message-square", "messages-square", "message-square-plus"),
    }
)
# The icon says what kind of step it is.
_STEP_ICONS = {
    **dict.fromkeys(("sla_first_response", "sla_resolution", "sla_escalation", "escalation"), "chevrons-up"),
    **dict.fromkeys(("sla_warning", "reminder"), "bell"),
    **dict.fromkeys(("expiry", "offer_expires"), "hourglass"),
    **dict.fromkeys(("auto_close", "closing"), "archive"),
    **dict.fromkeys(("appointment", "visit"), "calendar-clock"),
    **dict.fromkeys(("answer_due", "solution_due"), "message-square"),
    "delivery": "package",
    "pick_up": "truck",
    "resume": "pause",
    "check": "refresh-cw",
    "payment": "credit-card",
    "missed": "triangle-alert",
}


def init_drawing(app: Flask) -> None:
    """Give templates these functions."""
    app.jinja_env.globals.update(
        draw_icon=icon,
        draw_shape=shape,
        draw_time=time_tag,
        draw_countdown=countdown,
        draw_promise=promise,
        draw_step_icon=step_icon,
        draw_step=next_step,
        draw_step_chip=next_step_chip,
    )


@lru_cache(maxsize=8192, typed=True)
def escaped(words: str) -> str:
    """Words as part of HTML; kept, since each row of a list says the same few. Typed: Markup is not its text."""
    return str(escape(words))


def icon(name: str, size: int = 16, label: str | None = None, **more: str) -> Markup:
    """An icon of the sprite; decoration unless it has a label."""
    return _icon(reader().sprite, name, size, label, more.get("class", ""))


@lru_cache(maxsize=1024)
def _icon(sprite: str, name: str, size: int, label: str | None, css: str) -> Markup:
    sized = f" icon-{size}" if size != 16 else ""
    flips = " icon-flip" if name in _DIRECTIONAL else ""
    named = f' role="img" aria-label="{escape(label)}"' if label else ' aria-hidden="true"'
    more = f" {escape(css)}" if css else ""
    return Markup(f'<svg class="icon{sized}{flips}{more}"{named}><use href="{sprite}#{escape(name)}"/></svg>')  # noqa: S704 - escaped


def shape(name: str, **more: str) -> Markup:
    """One of our own small shapes; decoration."""
    return _shape(reader().sprite, name, more.get("class", ""))


@lru_cache(maxsize=256)
def _shape(sprite: str, name: str, css: str) -> Markup:
    turns = " spin" if name == "arc" else ""
    more = f" {escape(css)}" if css else ""
    return Markup(f'<svg class="shape{turns}{more}" aria-hidden="true"><use href="{sprite}#s-{escape(name)}"/></svg>')  # noqa: S704 - escaped


def time_tag(at: datetime | None, css: str = "", behaviour: str = " data-relative") -> Markup:
    """A point in time in words, with the exact time at hand."""
    if at is None:
        return Markup()
    named = f' class="{escaped(css)}"' if css else ""
    return Markup(f"<time{named}{stamped(at)}{behaviour}>{escaped(format_when(at))}</time>")  # noqa: S704 - escaped


def countdown(at: datetime | None, css: str = "") -> Markup:
    """A point in time to come; scripts count down to it."""
    return time_tag(at, css, " data-countdown")


def stamped(at: datetime) -> str:
    """The attributes of a `time`: for programs and, to hover over, exact for people."""
    moment = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f' datetime="{moment}" title="{escaped(format_exact(at))}"'


def promise(sla: Any, prefix: str = "", drawn: bool = True) -> Markup:
    """A promise: its state as shape or ring, its words; `drawn` False leaves out the ring."""
    if not sla:
        return Markup()
    values: Mapping[str, Any] = sla if isinstance(sla, Mapping) else vars(sla)
    state = values["state"]
    if state == "met":
        mark: str = shape("check")
    elif state == "paused":
        mark = shape("hold")
    else:
        mark = _ring(1 if state == "breached" else values.get("fraction") or 0) if drawn else ""
    before = f"{escaped(prefix)} " if prefix else ""
    return Markup(  # noqa: S704 - escaped
        f'<span class="promise promise-{escaped(state)}"{_ticking(values, prefix)}>{mark}'
        f'<span class="promise-text">{before}{escaped(values["text"])}</span></span>'
    )


def _ticking(values: Mapping[str, Any], prefix: str) -> str:
    """What scripts need to count a promise down."""
    due, started, pattern = values.get("due_at"), values.get("started_at"), values.get("format")
    if not values.get("ticks") or not due:
        return ""
    parts = [f' data-promise data-due="{due.isoformat(timespec="seconds")}"']
    if started:
        parts.append(f' data-start="{started.isoformat(timespec="seconds")}"')
    if prefix:
        parts.append(f' data-prefix="{escape(prefix)}"')
    if pattern:
        parts.append(f' data-format="{escape(pattern)}"')
    return "".join(parts)


def _ring(fraction: float) -> str:
    filled = round(100 * min(max(fraction, 0), 1))
    return (
        '<svg class="shape ring" aria-hidden="true"><circle/>'
        f'<circle pathLength="100" stroke-dasharray="{filled} 100"/></svg>'
    )


def step_icon(kind: str) -> Markup:
    """The icon of a kind of step."""
    return icon(_STEP_ICONS.get(kind) or ("chevrons-up" if kind.startswith("sla_") else "clock"), 14)


def next_step(step: Mapping[str, Any] | None, *, chip: bool = False) -> Markup:
    """What happens next: icon, words, and its time (`when` in words, else counted down to `at`)."""
    if not step:
        return Markup()
    tone, text = step.get("tone") or "neutral", escaped(step["text"])
    look = (" next-chip" if chip else "") + (f" next-{escaped(tone)}" if tone != "neutral" else "")
    whole = f' title="{text}"' if chip else ""
    mark = step_icon(str(step.get("icon_kind") or step["kind"]))
    words = f'<span class="next-text">{text}</span>{_when(step.get("at"), step.get("when"))}'
    return Markup(f'<span class="next{look}"{whole}>{mark}{words}</span>')  # noqa: S704 - escaped


def _when(at: datetime | None, words: str | None) -> str:
    if at is None:
        return f'<span class="next-when">{escaped(words)}</span>' if words else ""
    return f'<time class="next-when"{stamped(at)}>{escaped(words)}</time>' if words else countdown(at, "next-when")


def next_step_chip(step: Mapping[str, Any] | None) -> Markup:
    """The same as a chip."""
    return next_step(step, chip=True)
