import io

import pytest

from runner.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_step_is_one_line_with_its_seconds() -> None:
    out = io.StringIO()
    with Progress(out).step("Installing"):
        assert out.getvalue() == "Installing …"
    assert out.getvalue() == "Installing … 0.0 s\n"


def test_a_note_does_not_tear_a_step_apart() -> None:
    out = io.StringIO()
    progress = Progress(out)
    with progress.step("Installing"):
        progress.say("Building")
    assert out.getvalue() == "Installing …\nBuilding\nInstalling: 0.0 s\n"


def test_a_step_that_fails_says_so() -> None:
    out = io.StringIO()
    with pytest.raises(ValueError, match="x"), Progress(out).step("Installing"):
        raise ValueError("x")
    assert out.getvalue() == "Installing … stopped after 0.0 s\n"


def test_a_terminal_keeps_to_the_line() -> None:
    out = Terminal()
    with Progress(out).step("Installing"):
        pass
    assert out.getvalue() == "Installing …\rInstalling … 0.0 s\n"


def test_a_reader_that_left_does_not_stop_the_work() -> None:
    out = io.StringIO()
    progress = Progress(out)
    out.close()
    with progress.step("Installing"):
        progress.say("Building")
