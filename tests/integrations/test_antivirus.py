"""The scanner's word: clean only where it says so, in so many words (SEC-11)."""

import socket
import threading

import pytest

from portal.config import ConfigurationError
from portal.integrations.antivirus import ClamdScanner, ScannerUnavailable, Verdict
from tests.clamd import Clamd


def test_clean_and_not_clean():
    with Clamd() as clamd:
        scanner = ClamdScanner(clamd.url)
        large = [bytes(300_000), b"end"]
        assert scanner.scan(large) == Verdict(clean=True)
        assert clamd.seen == [b"".join(large)]
        assert scanner.scan([b"X5O!P EICAR"]) == Verdict(clean=False, found="Win.Test.EICAR_HDB-1")


@pytest.mark.parametrize(
    "answer",
    [
        b"INSTREAM size limit exceeded. ERROR",
        b"stream: OK but not quite",
        b"",
        b"UNKNOWN COMMAND",
        b"stream: FOUND OK?",
    ],
)
def test_everything_else_is_no_answer(answer):
    with Clamd() as clamd:
        clamd.answer = answer
        with pytest.raises(ScannerUnavailable):
            ClamdScanner(clamd.url).scan([b"x"])


def test_nobody_there_is_no_answer():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ScannerUnavailable):
            ClamdScanner(url).scan([b"x"])


def test_a_line_that_breaks_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            server.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ScannerUnavailable):
            ClamdScanner(f"tcp://127.0.0.1:{server.getsockname()[1]}").scan([bytes(1000)] * 1000)
        thread.join(5)


def test_a_socket_of_this_machine(tmp_path):
    path = str(tmp_path / "clamd.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def answer():
            line = server.accept()[0]
            with line:
                while not line.recv(65536).endswith(b"\0\0\0\0"):
                    pass
                line.sendall(b"stream: OK\0")

        thread = threading.Thread(target=answer)
        thread.start()
        assert ClamdScanner(f"unix://{path}").scan([b"hello"]).clean
        thread.join(5)


@pytest.mark.parametrize("url", ["http://x:1", "tcp://", "unix://", "nonsense", "tcp://x:0", "tcp://x:99999"])
def test_an_address_that_cannot_work_stops_the_start(url):
    with pytest.raises(ConfigurationError, match="PORTAL_ANTIVIRUS_URL"):
        ClamdScanner(url)
