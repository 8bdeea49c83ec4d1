import shutil
import stat
from collections import namedtuple
from pathlib import Path

import pytest

from runner.errors import SetupError
from runner.layout import Layout, setting


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout.from_environ({"PORTAL_DATA_DIR": str(tmp_path / "data"), "PORT": "8123"}, root=tmp_path)
    made.prepare()
    return made


def test_defaults_are_var_in_the_checkout_and_port_8000(tmp_path: Path) -> None:
    layout = Layout.from_environ({}, root=tmp_path)
    assert (layout.data, layout.port, layout.address) == (tmp_path / "var", 8000, "http://127.0.0.1:8000")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8000.0", "٨٠٠٠", " 80"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SetupError, match="PORT must be a number from 1 to 65535"):
        Layout.from_environ({"PORT": port})


def test_a_full_disk_is_told_in_one_sentence(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(SetupError, match=r"^Less than 500 MB are free on the disk of .*: make room and start again\.$"):
        layout.prepare()


def test_a_data_folder_that_cannot_be_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    layout = Layout.from_environ({"PORTAL_DATA_DIR": str(tmp_path / "file" / "data")}, root=tmp_path)
    with pytest.raises(SetupError, match=r"cannot be used .*: set PORTAL_DATA_DIR to another one"):
        layout.prepare()


def test_the_secret_key_is_made_once_and_private(layout: Layout) -> None:
    first = layout.child_environ({})["PORTAL_SECRET_KEY"]
    assert len(first) >= 48
    assert layout.child_environ({})["PORTAL_SECRET_KEY"] == first
    assert stat.S_IMODE((layout.run / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(layout.run.stat().st_mode) == 0o700


def test_what_a_person_set_wins(layout: Layout) -> None:
    given = {"PORTAL_ENV": "test", "PORTAL_BASE_URL": "https://help.example", "PORTAL_SECRET_KEY": "k", "HOME": "/h"}
    assert layout.child_environ(given).items() >= given.items()
    assert not (layout.run / "secret.key").exists()


def test_an_empty_value_counts_as_not_set(layout: Layout) -> None:
    assert layout.child_environ({"PORTAL_ENV": ""})["PORTAL_ENV"] == "development"


def test_compiled_modules_are_kept_where_the_machine_would_not(layout: Layout) -> None:
    environ = layout.child_environ({"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/bin"})
    assert (environ.get("PYTHONDONTWRITEBYTECODE"), environ["PATH"]) == (None, "/bin")


def test_the_children_get_absolute_folders_and_the_port(layout: Layout) -> None:
    environ = layout.child_environ({})
    assert Path(environ["PORTAL_DATA_DIR"]).is_absolute()
    assert (environ["PORT"], environ["PORTAL_BASE_URL"]) == ("8123", "http://127.0.0.1:8123")


def test_a_setting_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql:///x\n")
    assert setting({"A_FILE": str(tmp_path / "url"), "A": "y"}, "A") == "postgresql:///x"
    with pytest.raises(SetupError, match="A_FILE cannot be read"):
        setting({"A_FILE": str(tmp_path / "none")}, "A")
