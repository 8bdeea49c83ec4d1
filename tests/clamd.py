"""A scanner on the loopback that speaks clamd's INSTREAM and finds the word EICAR."""

import socketserver
import struct
import threading
from types import TracebackType
from typing import Self


class Clamd:
    """`with Clamd() as scanner`: `scanner.url`, what it was shown in `seen`, and `answer` to say something else."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.answer: bytes | None = None
        outer = self

        class Line(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                assert self.rfile.read(10) == b"zINSTREAM\0"
                content = b""
                while size := struct.unpack("!L", self.rfile.read(4))[0]:
                    content += self.rfile.read(size)
                outer.seen.append(content)
                found = b"stream: Win.Test.EICAR_HDB-1 FOUND" if b"EICAR" in content else b"stream: OK"
                self.wfile.write((found if outer.answer is None else outer.answer) + b"\0")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line)
        self._server.daemon_threads = True
        self.url = f"tcp://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
