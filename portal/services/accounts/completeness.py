"""How complete a profile is, and what each missing piece would be good for (ACC-04). Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Piece(StrEnum):
    """What makes a profile complete; the date of birth, which nobody has to tell, is none."""

    NAME = "name"
    EMAIL_VERIFIED = "email_verified"
    PHONE_VERIFIED = "phone_verified"
    TITLE = "title"
    ADDRESS = "address"
    PICTURE = "picture"


@dataclass(frozen=True)
class Completeness:
    """`percent` from 0 to 100, and what is missing in the order it should be asked for."""

    percent: int
    missing: tuple[Piece, ...]


def measure_completeness(present: frozenset[Piece]) -> Completeness:
    """Every piece weighs the same; only the whole is 100 percent."""
    missing = tuple(piece for piece in Piece if piece not in present)
    return Completeness((len(Piece) - len(missing)) * 100 // len(Piece), missing)
