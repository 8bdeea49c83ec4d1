"""Drafts under /api/v1: what you have typed and not sent, for no one but you."""

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Body, Shape, UtcDateTime
from portal.blueprints.policies import permission
from portal.services.tickets.drafts import SavedDraft, load_draft, save_draft

bp = Blueprint("drafts_api", __name__, url_prefix="/api/v1/portal/drafts")
staff_bp = Blueprint("staff_drafts_api", __name__, url_prefix="/api/v1/staff/drafts")


class DraftRequest(Body):
    """What is typed now; nothing removes the draft."""

    fields: dict[str, str] = Field(
        max_length=8, description="`message`; of a new ticket `subject`, `description`, `category`, `priority`."
    )


class DraftItem(Shape):
    """What was typed at a place."""

    fields: dict[str, str]
    updated_at: UtcDateTime | None

    @classmethod
    def of(cls, found: SavedDraft) -> "DraftItem":
        """A draft as it was found."""
        return cls(fields=dict(found.fields), updated_at=found.updated_at)


@bp.get("/<place>")
@permission(Permission.TICKETS_READ)
@operation("Read a draft", answer=DraftItem)
def show(place: str) -> DraftItem:
    """Your draft at `new` or `reply:<ticket>`; without fields where there is none."""
    return DraftItem.of(load_draft(http.session(), place, actor=http.actor()))


@bp.put("/<place>")
@permission(Permission.TICKETS_READ)
@operation("Keep a draft", body=DraftRequest, answer=DraftItem)
def keep(place: str, body: DraftRequest) -> DraftItem:
    """Keeps what you have typed at `new` or `reply:<ticket>`; sending it removes it."""
    return DraftItem.of(save_draft(http.session(), place, body.fields, actor=http.actor(), now=http.now()))


@staff_bp.get("/<place>")
@permission(Permission.DESK_READ)
@operation("Read a draft", answer=DraftItem)
def staff_show(place: str) -> DraftItem:
    """Your draft at `reply:<ticket>` or `note:<ticket>`; without fields where there is none."""
    return DraftItem.of(load_draft(http.session(), place, actor=http.actor()))


@staff_bp.put("/<place>")
@permission(Permission.DESK_READ)
@operation("Keep a draft", body=DraftRequest, answer=DraftItem)
def staff_keep(place: str, body: DraftRequest) -> DraftItem:
    """Keeps what you have typed at `reply:<ticket>` or `note:<ticket>`; sending it removes it."""
    return DraftItem.of(save_draft(http.session(), place, body.fields, actor=http.actor(), now=http.now()))
