"""Pictures that people upload, drawn anew in a child process with limits (reliability.md §5, Files)."""

import subprocess
import sys
from pathlib import Path

from portal.integrations import picture_child

MAX_BYTES = picture_child.MAX_BYTES
SECONDS = 20
_PROGRAM = Path(picture_child.__file__)
_REFUSALS = {
    picture_child.TOO_MANY_PIXELS: "picture_too_many_pixels",
    picture_child.MANY_FRAMES: "picture_animated",
}


class PictureRefused(Exception):
    """The file is not taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def redraw_picture(content: bytes) -> bytes:
    """The middle of a JPEG, PNG or WebP as a WebP of 256 x 256, without anything else that was in the file.

    The kind is told by the content alone. Raises PictureRefused: more than 5 MB, more than 20 megapixels, more
    than one frame, or nothing that can be read as a picture.
    """
    if not content:
        raise PictureRefused("picture_missing")
    if len(content) > MAX_BYTES:
        raise PictureRefused("picture_too_large")
    try:
        child = subprocess.run(  # noqa: S603 - our own program, no shell, no argument from outside
            [sys.executable, "-I", str(_PROGRAM)],
            input=content,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired as error:
        raise PictureRefused("picture_unreadable") from error
    if child.returncode != 0 or not child.stdout:
        raise PictureRefused(_REFUSALS.get(child.returncode, "picture_unreadable"))
    return child.stdout
