"""What every view of the back office shares: its declared policy, its frame, its way to services.

Flask-Admin gives routes, lists and forms; nothing of its looks, its scripts or its saving is used. Reads and
writes are services of ours, so the rules of the product hold here as they do everywhere else.
"""

import functools
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_admin import BaseView
from flask_admin import expose as flask_admin_expose
from flask_admin.base import AdminViewMeta
from flask_admin.model.base import BaseModelView, ViewArgs
from wtforms import Form

from portal.authz import Permission, require
from portal.blueprints import http
from portal.errors import NotFound
from portal.lib.text import has_forbidden_characters

View = TypeVar("View", bound=Callable[..., Any])
MAX_PAGE = 1_000
WRITING = frozenset({"create_view", "edit_view", "move_view"})
SEARCH_LENGTH = 200


def route(url: str, methods: Sequence[str] = ("GET",)) -> Callable[[View], View]:
    """Flask-Admin's `expose`, with its type: the method answers `url` below the view's own address."""

    def mark(view: View) -> View:
        flask_admin_expose(url, methods)(view)
        return view

    return mark


class GuardedView:
    """A view whose endpoints all declare a permission: `policy`, `write_policy`, or `@permission` on a method.

    The guard of the application enforces it before the view runs; the view checks it once more itself.
    """

    policy: ClassVar[Permission]
    routes: ClassVar[frozenset[str] | None] = None
    write_policy: ClassVar[Permission | None] = None
    helpers: ClassVar[dict[str, Any]] = {}
    # Flask-Admin's own: (address, name of the method, HTTP methods).
    _urls: list[tuple[str, str, Any]]

    def create_blueprint(self, admin: Any) -> Any:
        """The blueprint with this view's routes; routes that are switched off do not exist."""
        routes = self.routes
        self._urls = [row for row in self._urls if routes is None or row[1] in routes]
        for _, name, _ in self._urls:
            setattr(self, name, _declare(getattr(self, name), self.policy_of(name)))
        return super().create_blueprint(admin)  # type: ignore[misc]

    def policy_of(self, name: str) -> Permission:
        """The permission that a route of this view needs."""
        standard = self.policy
        if name in WRITING and self.write_policy is not None:
            standard = self.write_policy
        declared: Permission = getattr(getattr(type(self), name), "portal_policy", standard)
        return declared

    def is_accessible(self) -> bool:
        """Whether the reader may open this view at all."""
        found = http.identity()
        return found is not None and found.actor.is_staff and found.actor.may(self.policy)

    def is_visible(self) -> bool:
        """What may not be opened is not offered either."""
        return self.is_accessible()

    def _handle_view(self, name: str, **kwargs: Any) -> None:
        require(http.actor(), self.policy_of(name))

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin takes any TypeError for a wrong signature and calls the view a second time.
        return fn(self, *args, **kwargs)

    def render(self, template: str, **context: Any) -> str:
        """A page of ours; without Flask-Admin's own context."""
        return render_template(template, **{"admin_view": self} | self.helpers | context)


def _declare(view: Callable[..., Any], needed: Permission) -> Callable[..., Any]:
    """The view as a function of its own, marked with the permission it needs."""

    @functools.wraps(view)
    def declared(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    declared.portal_policy = needed  # type: ignore[attr-defined]
    return declared


class _ViewMeta(AdminViewMeta, ABCMeta):  # type: ignore[misc]
    """Flask-Admin's metaclass; a view that lacks an abstract method cannot be made."""


class ServiceView(GuardedView, BaseView):  # type: ignore[misc]
    """A page of its own kind within the back office."""


class ServiceModelView(GuardedView, BaseModelView, metaclass=_ViewMeta):  # type: ignore[misc]
    """A list with a page per record, read by services; what can be written is an `EditableModelView`."""

    routes: ClassVar[frozenset[str] | None] = frozenset({"index_view", "details_view"})
    record: ClassVar[str]
    columns: ClassVar[Sequence[tuple[str, Any]]]
    can_create = False
    can_edit = False
    can_delete = False
    can_export = False
    can_view_details = True
    page_size = 25
    list_template = "admin/model/list.html"
    details_template = "admin/model/details.html"
    form: type[Form] = Form

    def __init__(self, model: type[Any], name: Any, endpoint: str, url: str) -> None:
        super().__init__(model, name=name, endpoint=endpoint, url=url)

    # What Flask-Admin asks of a model view.

    def get_pk_value(self, model: Any) -> Any:
        """The record's key in addresses."""
        return model.id

    def scaffold_list_columns(self) -> list[str]:
        """Only what the view allows is ever shown."""
        return [key for key, _ in self.columns]

    def get_list_columns(self) -> list[tuple[str, Any]]:
        """The allowed columns with their headings."""
        return list(self.columns)

    def get_details_columns(self) -> list[tuple[str, Any]]:
        """The same for a record's own page."""
        return list(self.columns)

    def scaffold_sortable_columns(self) -> dict[str, str]:
        """Lists come in the order of their service."""
        return {}

    def init_search(self) -> bool:
        """Whether the list can be searched."""
        return bool(self.column_searchable_list)

    def scaffold_form(self) -> type[Form]:
        """The form of the view."""
        return self.form

    def get_list(
        self,
        page: int | None,
        sort_column: str | None,
        sort_desc: bool,
        search: str | None,
        filters: Any,
        page_size: int | None = None,
    ) -> tuple[None, list[Any]]:
        """One row more than a page holds, so that the pager knows whether there is a next one; never a count."""
        if search and has_forbidden_characters(search):
            return None, []
        size = self.page_size
        return None, self.find_rows(search or "", limit=size + 1, offset=(page or 0) * size)

    def get_one(self, id: Any) -> Any:
        """The record of an address; NotFound for bad keys, too."""
        try:
            wanted = UUID(str(id))
        except ValueError:
            raise NotFound(self.record) from None
        return self.find_one(wanted)

    def _get_list_extra_args(self) -> ViewArgs:
        args = super()._get_list_extra_args()
        args.page = min(max(args.page or 0, 0), MAX_PAGE)
        args.search = (args.search or "")[:SEARCH_LENGTH] or None
        args.page_size = None
        return args

    # What subclasses give.

    @abstractmethod
    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """Rows of the list."""

    @abstractmethod
    def find_one(self, record_id: UUID) -> Any:
        """One record; raises NotFound."""

    # Pages.

    @route("/details/")
    def details_view(self) -> ResponseReturnValue:
        """A record's own page."""
        return self.render(self.details_template, model=self.get_one(request.args.get("id")))
