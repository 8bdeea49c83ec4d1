"""Files in the state a test needs."""

from typing import Any

import pytest

from portal.services.files.uploading import FilePlace
from tests.keeping import Shelf, place_in


@pytest.fixture
def place(settings: Any) -> FilePlace:
    """Where files of the tests lie; no scanner."""
    return place_in(settings)


@pytest.fixture
def shelf(session: Any, place: FilePlace, actor_of: Any, now: Any) -> Shelf:
    """Keeps files of the world's people."""
    return Shelf(session, place, actor_of, now)
