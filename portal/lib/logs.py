"""Logs: one JSON object a line, with known fields only and nothing in it that opens a door (SEC-09).

Services and views never log what people sent. This is the net below: values are searched for what looks like a
secret, whichever library wrote them, tracebacks included.
"""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

GONE = "[redacted]"
# What a line may say; whoever needs another field has to think about what will stand in it.
FIELDS = frozenset(
    {
        "event",
        "level",
        "logger",
        "timestamp",
        "exception",
        "request_id",
        "path",
        "error",
        "constraint",
        "tenant",
        "kind",
        "attempts",
        "seconds",
        "count",
    }
)
_NAMES = r"pass(?:word|wd|phrase)?|secret|token|authorization|cookie|api[_-]?key|challenge|verifier|signature|pin|cvc"
_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # What the database says about a row holds the row; what pydantic says holds what was sent.
    (re.compile(r"(DETAIL|CONTEXT|PARAMETERS):[^\n]*", re.IGNORECASE), rf"\1: {GONE}"),
    (re.compile(r"(input_value=).*?(?=, input_type=)", re.DOTALL), rf"\1{GONE}"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {GONE}"),
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]+)+"), GONE),
    (re.compile(r"otpauth://\S+"), GONE),
    (re.compile(r"\$argon2\S+"), GONE),
    (re.compile(r"(\w://)[^\s/@:]*:[^\s@]*@"), rf"\1{GONE}@"),
    (re.compile(r"(/[^\s?\"'<>]*)\?[^\s\"'<>]+"), rf"\1?{GONE}"),
    (re.compile(rf"(?i)((?:{_NAMES})\w*[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&)}}\]]+)"), rf"\1{GONE}"),
    (re.compile(r"(?i)(\bcode[\"']?\s*[:=]\s*[\"']?)[A-Z0-9-]*\d[A-Z0-9-]*"), rf"\1{GONE}"),
    # Tokens of ours have 43 characters in both cases; ids and names of modules do not.
    (re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{32,}"), GONE),
    (re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-])"), lambda found: _card(found[0])),
)


def configure_logs(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Have every logger of this process write to `stream` (standard error) in this form."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(build_formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def build_formatter(*_: Any, **__: Any) -> logging.Formatter:
    """The form of a line, for handlers that others make (gunicorn's)."""
    return ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            keep_known_fields,
            redact_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def keep_known_fields(logger: Any, name: str, event: EventDict) -> EventDict:
    """Drop the values of fields that are not on the list; that there was one is told."""
    return {key: value if key in FIELDS else GONE for key, value in event.items()}


def redact_values(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact every value; what is no text and no number becomes text first."""
    return {key: value if isinstance(value, (int, float)) else redact(str(value)) for key, value in event.items()}


def redact(text: str) -> str:
    """The text without what looks like a secret: passwords, tokens, keys, query strings, card numbers."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _card(digits: str) -> str:
    """Nothing of a number that passes for a card's (Luhn); other long numbers stay."""
    total = 0
    for place, digit in enumerate(reversed([int(char) for char in digits if char.isdigit()])):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return GONE if total % 10 == 0 else digits


_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
