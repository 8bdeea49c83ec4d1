"""Versions of what a tenant sets up, as the API gives them."""

from collections.abc import Sequence
from typing import Any

from portal.blueprints.api.schemas import Shape, UtcDateTime
from portal.models import ConfigVersion
from portal.services.tickets.sla_versions import Version


class VersionShape(Shape):
    """An earlier or the present version."""

    version: int
    saved_at: UtcDateTime
    saved_by: str
    current: bool
    form: dict[str, Any]

    @classmethod
    def of_version(cls, one: Version) -> "VersionShape":
        """A version of a promise or of working hours."""
        return cls(
            version=one.number,
            saved_at=one.saved_at,
            saved_by=one.saved_by_name,
            current=one.current,
            form=one.data["form"],
        )


class Versions(Shape):
    """Who saved what when, the newest first; fifty at most."""

    items: list[VersionShape]

    @classmethod
    def of_rows(cls, rows: Sequence[ConfigVersion]) -> "Versions":
        """Kept versions, the newest first."""
        return cls(
            items=[
                VersionShape(
                    version=row.version,
                    saved_at=row.saved_at,
                    saved_by=row.saved_by_name,
                    current=place == 0,
                    form=row.data["form"],
                )
                for place, row in enumerate(rows)
            ]
        )
