"""Fixtures of the runner's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runner.fakes import Copy, make_checkout


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with stand-ins for the product's own programs."""
    return make_checkout(tmp_path_factory.mktemp("checkout") / "portico")


@pytest.fixture
def start_copy(checkout: Path, tmp_path: Path) -> Iterator[Callable[..., Copy]]:
    """Start a copy of the product on a data folder of the given name; all of them are stopped at the end."""
    copies: list[Copy] = []

    def start(data: str = "var", **environ: str) -> Copy:
        copies.append(Copy(checkout, tmp_path / data, **environ))
        return copies[-1]

    yield start
    for copy in copies:
        copy.process.kill()
        copy.process.wait(10)


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Path]:
    """Write an executable shell script into a folder of this test."""

    def write(path: str, script: str = "exit 0") -> Path:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"#!/bin/sh\n{script}\n")
        target.chmod(0o755)
        return target

    return write
