"""Names of files that people send: labels to show and to save under, never paths (reliability.md §3, Files)."""

import unicodedata

NAME_LENGTH = 200
# Joiners belong to Persian words and to emoji; everything else of their category only changes what a name looks like.
_KEPT_FORMATS = "\u200c\u200d"
_OF_PATHS = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def clean_file_name(name: str) -> str:
    """A name without path, control and direction-changing characters, at most 200 characters, its ending kept."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(char for char in unicodedata.normalize("NFC", last) if _is_visible(char))
    text = " ".join(kept.translate(_OF_PATHS).split()).strip(". ")
    stem, dot, ending = text.rpartition(".")
    if len(text) <= NAME_LENGTH or not stem or len(ending) > 10:
        return text[:NAME_LENGTH].rstrip(". ") or "file"
    return stem[: NAME_LENGTH - len(ending) - 1].rstrip(". ") + dot + ending


def _is_visible(char: str) -> bool:
    return char in _KEPT_FORMATS or char.isspace() or unicodedata.category(char)[0] != "C"


def extension_of(name: str) -> str:
    """What stands behind the last dot, in small letters; empty where there is no dot."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""
