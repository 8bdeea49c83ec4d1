"""Files for tests, honest ones and hostile ones."""

import io
import struct
import zipfile
import zlib

from PIL import Image

from tests.pictures import picture

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
MP4 = struct.pack(">I", 24) + b"ftypisom\x00\x00\x02\x00isommp42" + struct.pack(">I", 16) + b"mdat" + bytes(8)
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm" + bytes(
    20
)
MAIL = b"From: ana@acme.example\r\nTo: help@demo.example\r\nSubject: VPN\r\n\r\nIt drops.\r\n"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(100)


def pdf(*objects: bytes, tail: bytes = b"") -> bytes:
    """A document of one empty page; further objects are put in as they are."""
    body = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    body += b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    body += b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>\nendobj\n"
    body += b"".join(b"%d 0 obj\n%s\nendobj\n" % (at, one) for at, one in enumerate(objects, start=4))
    return body + b"trailer\n<< /Root 1 0 R >>\n%%EOF\n" + tail


def packed_objects(content: bytes) -> bytes:
    """Objects within a packed stream, where a glance does not see them."""
    packed = zlib.compress(content)
    return b"<< /Type /ObjStm /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)


def archive(entries: dict[str, bytes], *, prefix: bytes = b"") -> bytes:
    """A ZIP."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return prefix + out.getvalue()


def office(main: str, **more: bytes) -> bytes:
    """An office document by its main part: `word/document.xml`, `xl/workbook.xml`, `ppt/presentation.xml`."""
    return archive({"[Content_Types].xml": b"<Types/>", main: b"<x/>", **more})


def open_document(kind: str) -> bytes:
    """An open document, `text` or `spreadsheet`."""
    return archive({"mimetype": f"application/vnd.oasis.opendocument.{kind}".encode(), "content.xml": b"<x/>"})


def locked_archive() -> bytes:
    """A ZIP whose entry says that it is encrypted."""
    content = bytearray(archive({"a.txt": b"secret"}))
    content[6] |= 1
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def overlapping_archive() -> bytes:
    """A ZIP with two entries in its list that are the same bytes."""
    one = archive({"a.txt": b"x" * 100})
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[at:end]
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(entry), at, 0)
    return one[:at] + entry + entry.replace(b"a.txt", b"b.txt") + record


def photograph(kind: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture that tells where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    exif[0x8825] = {1: "N", 2: (45.0, 45.0, 0.0)}
    options = {"comment": b"a secret comment"} if kind == "JPEG" else {}
    return picture(kind, size, colour=(10, 120, 200), exif=exif, **options)


def moving(kind: str = "GIF", frames: int = 3, size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture that moves."""
    all_frames = [Image.new("RGB", size, (at * 60 % 256, 0, 0)) for at in range(frames)]
    out = io.BytesIO()
    all_frames[0].save(out, kind, save_all=True, append_images=all_frames[1:], duration=70, loop=0)
    return out.getvalue()


def promised_picture(side: int) -> bytes:
    """A PNG of a few bytes whose head promises `side` x `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    )


# (name, content, code): what people and programs try by the edges of the product.
HOSTILE_NAMES = [
    ("logo.svg", SVG, "file_kind_not_allowed"),
    ("logo.png", SVG, "file_kind_mismatch"),
    ("notes.txt", PAGE, "file_active_content"),
    ("setup.exe", EXE, "file_kind_not_allowed"),
    ("offer.pdf", pdf() + archive({"a.js": b"x"}), "file_kind_mismatch"),
    ("logs.zip", archive({"a.log": bytes(20_000_000)}), "file_archive_bomb"),
    ("screen.png", promised_picture(60_000), "file_too_many_pixels"),
    ("empty.txt", b"", "file_empty"),
]
