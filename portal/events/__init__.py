"""Facts that services publish."""

from portal.events.base import Beside, Event, audit, publish, tell

__all__ = ["Beside", "Event", "audit", "publish", "tell"]
