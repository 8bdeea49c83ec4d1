"""A Temporal server without an install: getting its program, running it, and the time-skipping one for tests."""

from runner.temporal.binary import find_server
from runner.temporal.server import DevServer, start_dev_server
from runner.temporal.time_skipping import find_test_server as test_server_path

__all__ = ["DevServer", "find_server", "start_dev_server", "test_server_path"]
