"""What a view of the back office has to give before it can be made."""

from typing import Any
from uuid import UUID

import pytest

from portal.admin.base import ServiceModelView
from portal.admin.editing import EditableModelView
from portal.authz import Permission
from portal.models import Company


class ReadOnly(ServiceModelView):
    policy = Permission.CUSTOMERS_READ
    record = "company"
    columns = (("name", "Company"),)

    def __init__(self) -> None:
        super().__init__(Company, "Companies", "companies_again", "companies-again")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        return []

    def find_one(self, record_id: UUID) -> Any:
        return None


class Editable(ReadOnly, EditableModelView):
    def save(self, form: Any, record: Any | None) -> Any:
        return record


def without(view: type, *names: str) -> type:
    """The view as if it had never given these methods."""
    base = EditableModelView if issubclass(view, EditableModelView) else ServiceModelView
    given = {
        name: value
        for cls in reversed(view.__mro__)
        if cls.__module__ == __name__
        for name, value in vars(cls).items()
        if name not in names and not name.startswith("__")
    }
    return type(base)("Lacking", (base,), given)


@pytest.mark.parametrize("view", [ReadOnly, Editable])
def test_a_whole_view_can_be_made(view: type) -> None:
    assert view().record == "company"


@pytest.mark.parametrize(
    ("view", "name"),
    [(ReadOnly, "find_rows"), (ReadOnly, "find_one"), (Editable, "find_rows"), (Editable, "save")],
)
def test_a_view_that_lacks_a_method_cannot_be_made(view: type, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        without(view, name)(Company, "Companies", "lacking", "lacking")


def test_a_view_that_only_reads_serves_no_form(app: Any) -> None:
    rules = {rule.endpoint for rule in app.url_map.iter_rules()}
    for view in ("mail",):
        assert not {f"{view}.create_view", f"{view}.edit_view"} & rules
