"""Draws one uploaded picture anew, in a process of its own that may use little; run by `portal.integrations.pictures`.

Reads the file from standard input and writes a WebP to standard output. It imports nothing of ours: whatever a
broken file can do to Pillow it does to a process that has no database, no keys and not much memory.
"""

import io
import resource
import sys

SIDE = 256
MAX_PIXELS = 20_000_000
MAX_BYTES = 5 * 1024 * 1024
MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 5
# What it says by its exit code; anything else is a file that cannot be read.
TOO_MANY_PIXELS, MANY_FRAMES, UNREADABLE = 10, 11, 12


def confine() -> None:
    """Bound memory (bytes), CPU (seconds), and writing of files (none)."""
    for limit, bound in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (bound, bound))


def redraw(content: bytes) -> bytes | int:
    """The picture's middle as a WebP of 256 x 256 with nothing else in it, or why not."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - after the limits

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            return TOO_MANY_PIXELS
        # A JPEG with a second, smaller picture in it (as telephones write them) is not an animation.
        if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
            return MANY_FRAMES
        picture.draft("RGB", (2 * SIDE, 2 * SIDE))
        upright = ImageOps.exif_transpose(picture)
        clear = "A" in upright.getbands() or "transparency" in upright.info
        small = ImageOps.fit(upright.convert("RGBA" if clear else "RGB"), (SIDE, SIDE))
    drawn = Image.new(small.mode, small.size)
    drawn.paste(small)
    out = io.BytesIO()
    drawn.save(out, "WEBP", quality=85, method=4)
    return out.getvalue()


def main() -> int:
    """The exit code."""
    confine()
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        answer = redraw(content)
    except Exception as error:
        # What Pillow says about a broken file is of no use to anybody, how it broke is.
        sys.stderr.write(type(error).__name__)
        return TOO_MANY_PIXELS if type(error).__name__ == "DecompressionBombError" else UNREADABLE
    if isinstance(answer, int):
        return answer
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
