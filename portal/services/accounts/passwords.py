"""Passwords: argon2id, and the same work for people who do not exist."""

from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError


@dataclass(frozen=True)
class Passwords:
    """Hashes and checks with the cost of the settings (memory in KiB, passes)."""

    time_cost: int = 2
    memory_kib: int = 19 * 1024
    _hasher: PasswordHasher = field(init=False, repr=False)
    _dummy: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        hasher = PasswordHasher(time_cost=self.time_cost, memory_cost=self.memory_kib, parallelism=1)
        object.__setattr__(self, "_hasher", hasher)
        object.__setattr__(self, "_dummy", hasher.hash("nobody's password"))

    def hash(self, password: str) -> str:
        """The string to store."""
        return self._hasher.hash(password.encode("utf-8", "surrogatepass"))

    def matches(self, password: str, stored: str | None) -> bool:
        """Whether the password is right; takes as long when there is nothing stored (AUTH-09)."""
        try:
            self._hasher.verify(stored or self._dummy, password.encode("utf-8", "surrogatepass"))
        except (Argon2Error, InvalidHashError):
            return False
        return stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """Whether the hash was made at another cost."""
        return self._hasher.check_needs_rehash(stored)
