import json
import socket
import stat
from pathlib import Path

import pytest

from runner.errors import SetupError
from runner.ports import LOOPBACK, choose_port, is_free, remember_ports, require_free


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind((LOOPBACK, choose_port()))
        server.listen(1)
        yield server.getsockname()[1]


def test_ports_are_kept_over_a_restart(tmp_path: Path) -> None:
    first = remember_ports(tmp_path / "ports.json", ["a", "b"])
    assert remember_ports(tmp_path / "ports.json", ["a", "b"]) == first
    assert stat.S_IMODE((tmp_path / "ports.json").stat().st_mode) == 0o600


def test_a_port_that_was_taken_meanwhile_is_chosen_again(tmp_path: Path, listener: int) -> None:
    path = tmp_path / "ports.json"
    path.write_text(json.dumps({"a": listener, "b": choose_port()}))
    kept = json.loads(path.read_text())["b"]
    chosen = remember_ports(path, ["a", "b"])
    assert chosen["a"] != listener
    assert chosen["b"] == kept
    assert json.loads(path.read_text()) == chosen


@pytest.mark.parametrize("content", ["", "[]", '{"a": "x", "b": null}', "{broken"])
def test_a_damaged_file_is_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    chosen = remember_ports(tmp_path / "ports.json", ["a", "b"])
    assert len(set(chosen.values())) == 2


def test_a_taken_port_is_told_in_one_sentence_with_a_way_out(listener: int) -> None:
    with pytest.raises(SetupError, match=rf"^Port {listener} on 127.0.0.1 is taken: .* `make run PORT=\d+`\.$"):
        require_free(listener)


def test_a_port_is_free_again_when_its_server_is_gone(listener: int) -> None:
    assert not is_free(listener)
    assert is_free(choose_port())
