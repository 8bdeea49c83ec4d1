"""Drawn signatures: a small PNG as a data URL, drawn anew by the child that examines pictures, and not empty."""

import base64
import binascii
import io

from PIL import Image

from portal.integrations.file_checks import FileRefused, check_file

PREFIX = "data:image/png;base64,"
MAX_BYTES = 200 * 1024
MAX_SIDE = 3_000
# As many pixels as a short stroke has; less is a slip of the hand.
_LEAST_INK = 40


class DrawingRefused(Exception):
    """The drawing is not taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_drawing(data_url: str) -> bytes:
    """The PNG of a drawn signature, drawn anew; raises DrawingRefused for anything else, and for an empty sheet."""
    if not data_url.startswith(PREFIX) or len(data_url) > MAX_BYTES * 4 // 3 + len(PREFIX) + 4:
        raise DrawingRefused("signature_unreadable")
    try:
        content = base64.b64decode(data_url.removeprefix(PREFIX), validate=True)
        checked = check_file(io.BytesIO(content), "signature.png")
    except (binascii.Error, ValueError, FileRefused) as error:
        raise DrawingRefused("signature_unreadable") from error
    if max(checked.width or 0, checked.height or 0) > MAX_SIDE:
        raise DrawingRefused("signature_unreadable")
    checked.content.seek(0)
    drawn = checked.content.read()
    if not _has_ink(drawn):
        raise DrawingRefused("signature_empty")
    return drawn


def _has_ink(png: bytes) -> bool:
    """Whether enough pixels differ from the sheet, be it clear or of one colour."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        shown = picture.convert("RGBA")
    sheet = Image.new("RGBA", shown.size, (255, 255, 255, 255))
    sheet.alpha_composite(shown)
    histogram = sheet.convert("L").histogram()
    return sum(histogram) - max(histogram) >= _LEAST_INK
