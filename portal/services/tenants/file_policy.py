"""How much a tenant takes and keeps: its own choice, with bounds that it cannot leave (SEC-10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SETTING = "files"
MEGABYTE = 1024 * 1024
# Lowest, standard, highest.
MAX_MB = (1, 20, 100)
QUOTA_MB = (0, 5 * 1024, 10 * 1024 * 1024)
FILES_A_MESSAGE = 10


@dataclass(frozen=True)
class FilePolicy:
    """The largest file and the sum of all that are kept, in megabytes (1024 x 1024 bytes)."""

    max_mb: int = MAX_MB[1]
    quota_mb: int = QUOTA_MB[1]

    @property
    def max_bytes(self) -> int:
        """The largest file."""
        return self.max_mb * MEGABYTE

    @property
    def quota_bytes(self) -> int:
        """The sum of all files."""
        return self.quota_mb * MEGABYTE


def read_file_policy(settings: Mapping[str, Any]) -> FilePolicy:
    """The policy in a tenant's settings; what is missing or out of bounds falls back to the default."""
    stored = settings.get(SETTING)
    given: Mapping[str, Any] = stored if isinstance(stored, Mapping) else {}
    return FilePolicy(_bounded(given.get("max_mb"), MAX_MB), _bounded(given.get("quota_mb"), QUOTA_MB))


def _bounded(value: Any, bounds: tuple[int, int, int]) -> int:
    lowest, standard, highest = bounds
    return value if type(value) is int and lowest <= value <= highest else standard
