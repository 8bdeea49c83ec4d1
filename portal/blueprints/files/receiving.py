"""Files that come in by forms: each is kept by itself, so that one that is refused costs nobody the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from flask import Flask, current_app, request
from werkzeug.datastructures import FileStorage

from portal.blueprints import http
from portal.blueprints.files.presenters import chip_view
from portal.blueprints.uploads import takes_file
from portal.errors import FieldError, Invalid
from portal.lib.file_kinds import ACCEPT
from portal.models import Attachment
from portal.services.files.uploading import FilePlace, Upload, keep_file, list_loose
from portal.services.tenants.file_policy import FILES_A_MESSAGE, MAX_MB, MEGABYTE

FIELD = "attachments"
KEPT = "attachment_ids"
# What one form takes with all of its files; larger ones go one by one (scripts and programs do that).
FORM_BYTES = FILES_A_MESSAGE * MAX_MB[1] * MEGABYTE
# Each reads half of what it may, so that a little too large is told apart from far too large.
takes_one_file = takes_file(MAX_MB[2] * MEGABYTE)
takes_files = takes_file(FORM_BYTES // 2)


def place() -> FilePlace:
    """Where files lie."""
    return cast(FilePlace, current_app.extensions["portal_files"])


def init_receiving(app: Flask) -> None:
    """What forms that take files need."""
    app.jinja_env.globals["file_accept"] = ACCEPT


@dataclass(frozen=True)
class Received:
    """The files of a form: those that are kept, and what is wrong with the others."""

    ids: tuple[UUID, ...] = ()
    errors: tuple[FieldError, ...] = ()

    def check(self) -> None:
        """Raise Invalid where a file was refused; the form comes back with the others still attached."""
        if self.errors:
            raise Invalid(*self.errors)


def receive_files() -> Received:
    """Keep the files of the request's form, beside those that it kept before (`attachment_ids`); commits each."""
    ids = [found for found in map(_uuid, request.form.getlist(KEPT)) if found is not None]
    errors: list[FieldError] = []
    sent = [file for file in request.files.getlist(FIELD) if file.filename]
    if len(ids) + len(sent) > FILES_A_MESSAGE:
        errors.append(FieldError(FIELD, "files_too_many", (("limit", FILES_A_MESSAGE),)))
        sent = []
    for file in sent:
        try:
            ids.append(keep(file).id)
        except Invalid as refused:
            http.session().rollback()
            errors += [FieldError(FIELD, error.code, error.params) for error in refused.errors]
    return Received(tuple(dict.fromkeys(ids)), tuple(errors))


def keep(file: FileStorage) -> Attachment:
    """Keep one file and commit; raises Invalid."""
    upload = Upload(file.filename or "", file.stream)  # type: ignore[arg-type]
    kept = keep_file(http.session(), upload, place=place(), actor=http.actor(), now=http.now())
    http.commit()
    return kept


def still_attached(ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """The files that a form shown again brings along."""
    return [chip_view(file) for file in list_loose(http.session(), ids, actor=http.actor())]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
