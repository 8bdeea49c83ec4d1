"""Where bytes lie: a folder; S3 is the same library's with another address."""

import io
import stat

import pytest

from portal.config import ConfigurationError
from portal.integrations.storage import FileGone, StorageUnavailable, build_storage, new_key
from tests.conftest import settings_for


@pytest.fixture
def configured(database, tmp_path):
    from dataclasses import replace

    return lambda url=None: replace(settings_for(database, "none", tmp_path), storage_url=url)


def test_what_was_put_is_read_in_pieces_until_it_is_deleted(configured, tmp_path):
    storage = build_storage(configured())
    key, content = new_key(), bytes(range(256)) * 4096
    storage.put(key, io.BytesIO(content))
    pieces = list(storage.read(key))
    assert b"".join(pieces) == content
    assert len(pieces) > 1
    assert (tmp_path / "files" / key).read_bytes() == content
    storage.delete([key, key, new_key()])
    with pytest.raises(FileGone):
        storage.read(key)


def test_the_folder_is_nobody_elses(configured, tmp_path):
    build_storage(configured())
    assert stat.S_IMODE((tmp_path / "files").stat().st_mode) == 0o700


def test_keys_say_nothing_and_are_never_the_same():
    keys = {new_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(len(key) == 51 and key[:2] == key[3:5] for key in keys)


def test_another_folder(configured, tmp_path):
    storage = build_storage(configured(f"file://{tmp_path}/elsewhere%20here"))
    storage.put("ab/c", io.BytesIO(b"x"))
    assert (tmp_path / "elsewhere here" / "ab" / "c").read_bytes() == b"x"


def test_no_key_leads_out_of_the_store(configured):
    storage = build_storage(configured())
    with pytest.raises(ValueError):
        storage.put("../outside", io.BytesIO(b"x"))


def test_a_bucket_that_does_not_answer_is_unavailable(configured):
    storage = build_storage(
        configured("s3://key:se%2Fcret@files/prefix?region=eu-west-3&endpoint=http://127.0.0.1:9&path_style=1")
    )
    for call in (
        lambda: storage.put("a", io.BytesIO(b"x")),
        lambda: list(storage.read("a")),
        lambda: storage.delete(["a"]),
    ):
        with pytest.raises(StorageUnavailable) as error:
            call()
        assert "cret" not in str(error.value)


@pytest.mark.parametrize("url", ["ftp://x/y", "s3://", "file://host/x", "nonsense", "s3://bucket?zone=1"])
def test_an_address_that_cannot_work_stops_the_start(configured, url):
    with pytest.raises(ConfigurationError, match="PORTAL_STORAGE_URL"):
        build_storage(configured(url))
