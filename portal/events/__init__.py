"""Facts that services publish."""

from portal.events.base import Event, audit, publish, tell

__all__ = ["Event", "audit", "publish", "tell"]
