"""Pictures for tests, good ones and bad ones."""

import io
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: Any) -> bytes:
    """A picture of one colour as a file."""
    out = io.BytesIO()
    Image.new(mode, size, options.pop("colour", 0)).save(out, kind, **options)
    return out.getvalue()


def moving(kind: str) -> bytes:
    """A picture with two frames."""
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    """What Pillow makes of a file."""
    return Image.open(io.BytesIO(content))
