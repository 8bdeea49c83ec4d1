"""Facts that services publish."""

from portal.events.base import Event, audit, publish

__all__ = ["Event", "audit", "publish"]
