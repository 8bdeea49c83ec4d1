"""Uploaded pictures: drawn anew, nothing else of the file survives, and bombs do no harm."""

import io
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from portal.integrations import picture_child, pictures
from portal.integrations.pictures import PictureRefused, redraw_picture
from tests.pictures import moving, opened, picture


def refusal(content: bytes) -> str:
    with pytest.raises(PictureRefused) as refused:
        redraw_picture(content)
    return refused.value.code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (20, 900), (256, 256), (3000, 2000)])
def test_every_picture_becomes_a_square_webp(kind, size):
    drawn = opened(redraw_picture(picture(kind, size)))
    assert (drawn.format, drawn.size) == ("WEBP", (256, 256))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_every_mode_is_drawn(mode):
    drawn = opened(redraw_picture(picture("PNG", (64, 64), mode)))
    assert drawn.size == (256, 256)
    assert drawn.mode in ("RGB", "RGBA")


def test_transparency_stays():
    drawn = opened(redraw_picture(picture("PNG", (64, 64), "RGBA", colour=(255, 0, 0, 0)))).convert("RGBA")
    assert drawn.getpixel((128, 128))[3] == 0


def test_the_middle_is_kept():
    wide = Image.new("RGB", (600, 200), "red")
    wide.paste(Image.new("RGB", (200, 200), "blue"), (200, 0))
    out = io.BytesIO()
    wide.save(out, "PNG")
    drawn = opened(redraw_picture(out.getvalue())).convert("RGB")
    for at in ((10, 10), (128, 128), (245, 245)):
        assert drawn.getpixel(at)[2] > 200


def test_nothing_but_the_picture_is_left():
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    exif[0x8825] = {1: "N", 2: (45.0, 45.0, 0.0)}
    content = picture("JPEG", exif=exif, comment=b"a secret comment", icc_profile=b"a profile" * 20)
    drawn = redraw_picture(content + b"<script>alert(1)</script>")
    found = opened(drawn)
    assert dict(found.getexif()) == {}
    assert not {"icc_profile", "comment", "exif", "xmp"} & set(found.info)
    for canary in (b"where I live", b"secret comment", b"a profile", b"<script>"):
        assert canary not in drawn


def test_a_picture_lying_on_its_side_is_turned():
    lying = Image.new("RGB", (200, 200), "red")
    lying.paste(Image.new("RGB", (200, 100), "blue"), (0, 0))
    exif = Image.Exif()
    exif[0x0112] = 3
    out = io.BytesIO()
    lying.save(out, "JPEG", exif=exif, quality=95)
    drawn = opened(redraw_picture(out.getvalue())).convert("RGB")
    assert drawn.getpixel((128, 30))[0] > 200
    assert drawn.getpixel((128, 230))[2] > 200


@pytest.mark.parametrize(
    "content",
    [b"GIF89a" + bytes(50), b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"hello", b"\x89PNG\r\n\x1a\n",
     b"\xff\xd8\xff\xe0" + bytes(200), b"RIFF\x00\x00\x00\x00WEBPVP8 "],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content):
    assert refusal(content) == "picture_unreadable"


def test_a_gif_is_refused_whatever_it_calls_itself():
    assert refusal(picture("GIF", mode="P")) == "picture_unreadable"


def test_a_broken_picture_is_refused():
    whole = picture("PNG", (500, 500), colour=(1, 2, 3))
    assert refusal(whole[: len(whole) // 2]) == "picture_unreadable"


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_what_moves_is_refused(kind):
    assert refusal(moving(kind)) == "picture_animated"


def test_twenty_megapixels_and_no_more():
    assert opened(redraw_picture(picture("PNG", (5000, 4000), "1"))).size == (256, 256)
    assert refusal(picture("PNG", (5000, 4001), "1")) == "picture_too_many_pixels"


def test_a_promise_of_a_huge_picture_is_refused_unread():
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000)))
    assert refusal(bomb + chunk(b"IEND", b"")) == "picture_too_many_pixels"


def test_five_megabytes_and_no_more():
    fill = pictures.MAX_BYTES - len(picture("PNG"))
    assert redraw_picture(picture("PNG") + bytes(fill))
    assert refusal(picture("PNG") + bytes(fill + 1)) == "picture_too_large"
    assert refusal(b"") == "picture_missing"


def test_a_child_that_does_not_come_back_is_ended(monkeypatch):
    monkeypatch.setattr(pictures, "SECONDS", 0.001)
    assert refusal(picture("PNG")) == "picture_unreadable"


CONFINED = """
import os, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
runpy.run_path(sys.argv[1])["confine"]()
try:
    bytearray(600 * 1024 * 1024)
except MemoryError:
    print("no memory")
try:
    os.write(os.open(sys.argv[2], os.O_CREAT | os.O_WRONLY), b"x")
except OSError:
    print("no file")
"""


def test_the_child_is_confined(tmp_path):
    run = [sys.executable, "-c", CONFINED, picture_child.__file__, str(tmp_path / "written")]
    said = subprocess.run(run, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["no", "memory", "no", "file"], said.stderr
