"""Where the documents of these tests lie."""

import pytest

from portal.integrations.storage import folder_storage


@pytest.fixture
def storage(tmp_path):
    return folder_storage(tmp_path / "files")
