"""Parts of pages that fetch themselves again, and the counts in the frame."""

from flask import g, make_response, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import format_count
from portal.services.tickets.counting import count_views


def live_part(html: str) -> ResponseReturnValue:
    """A fragment with its ETag; 304 where the page has it already."""
    answer = make_response(html)
    answer.add_etag()
    return answer.make_conditional(request)


class CountsView(ServiceView):
    """Numbers of rail and views as JSON, asked for again when something changed."""

    policy = Permission.NOTIFICATIONS_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Unread notices, own open tickets and, for the desk, what its views hold."""
        tickets, unread = g.get("chrome_counts", (0, 0))
        counts: dict[str, str | int] = {"notifications": _shown(unread), "tickets": _shown(tickets)}
        if http.actor().may(Permission.DESK_READ):
            views = ("mine", "unassigned", "due_soon", "breached", "with_customer", "open", "solved")
            found = count_views(http.session(), views, actor=http.actor(), now=http.now())
            counts |= {f"view:{name}": _shown(number) for name, number in found.items()}
        return counts


def _shown(number: int) -> str | int:
    return format_count(number) if number else 0
