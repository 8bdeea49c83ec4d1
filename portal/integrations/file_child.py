"""Looks into one uploaded file, in a process of its own that may use little; run by `portal.integrations.file_checks`.

    python -I file_child.py picture|archive|pdf < the file

Its exit code says what is wrong with the file. Of a picture it writes a line of JSON, the picture drawn anew and a
small one for lists. Nothing of ours is imported but the limits of the other child: whatever a broken file can do to
a parser it does to a process that has no database, no keys and not much memory.
"""

import importlib.util
import io
import json
import re
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

MAX_PIXELS = 30_000_000
MAX_FRAMES = 200
MEMORY = 1024 * 1024 * 1024
CPU_SECONDS = 15
THUMBNAIL = (480, 480)
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "MPO")
MAX_ENTRIES = 2_000
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_RATIO = 100
# Small things compress well; only large ones can hurt anybody.
RATIO_FROM = 5 * 1024 * 1024
_LOCAL_HEADER = 30
# Deflate never makes more of a file than this; less unpacked than packed is a lie about what comes out.
_DEFLATE_SLACK = 1024
MAX_INFLATED = 8 * 1024 * 1024

TOO_MANY_PIXELS, TOO_LONG, UNREADABLE = 10, 11, 12
BOMB, UNSAFE, ENCRYPTED, PROGRAMS, NESTED, MISMATCH = 20, 21, 22, 23, 24, 25
ACTIVE = 30

_PROGRAMS = re.compile(
    r"\.(?:exe|com|scr|pif|bat|cmd|ps1|psm1|vbs|vbe|js|jse|mjs|wsf|wsh|hta|lnk|msi|msp|jar|apk|dll|cpl|reg|sh|php\d?|"
    r"html?|xhtml|svgz?|docm|xlsm|pptm)\s*$|(?:^|/)vbaproject\.bin$",
    re.IGNORECASE,
)
_ARCHIVES = re.compile(r"\.(?:zip|7z|rar|gz|tgz|bz2|xz|zst|tar|cab|iso)\s*$", re.IGNORECASE)
_OFFICE = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}
_OPEN = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
}
# What makes a PDF more than paper. Names of five letters and more do not come about by chance in packed data.
_ACTIVE = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|OpenAction|SubmitForm|ImportData|XFA|Encrypt)\b")
_STREAM = re.compile(rb"<<(?P<dict>.{0,2000}?)>>\s*stream\r?\n(?P<body>.*?)endstream", re.DOTALL)


def confine() -> None:
    """The limits of the child that draws people's pictures, with room for a photograph in full size."""
    place = Path(__file__).with_name("picture_child.py")
    spec = importlib.util.spec_from_file_location("picture_child", place)
    assert spec is not None
    assert spec.loader is not None
    limits: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(limits)
    limits.MEMORY, limits.CPU_SECONDS = MEMORY, CPU_SECONDS
    limits.confine()


def redraw(stream: BinaryIO, out: BinaryIO) -> int:
    """Write the picture anew in its own format, without anything else that was in the file."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - after the limits

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(stream, formats=FORMATS) as picture:
        kind = "JPEG" if picture.format == "MPO" else str(picture.format)
        # A second picture within a JPEG (as telephones write them) and frames of a PNG are left out.
        frames = getattr(picture, "n_frames", 1) if kind in ("GIF", "WEBP") else 1
        if picture.width * picture.height > MAX_PIXELS:
            return TOO_MANY_PIXELS
        if frames > MAX_FRAMES or frames * picture.width * picture.height > MAX_PIXELS:
            return TOO_LONG
        if frames > 1:
            drawn, first = _moving(picture, kind)
        else:
            first = _plain(ImageOps.exif_transpose(picture), kind)
            drawn = _saved(first, kind)
    width, height = first.size
    small = first.convert("RGBA" if "A" in first.getbands() or "transparency" in first.info else "RGB")
    small.thumbnail(THUMBNAIL)
    thumbnail = _saved(small, "WEBP", quality=75)
    head = {"format": kind, "width": width, "height": height, "drawn": len(drawn), "thumbnail": len(thumbnail)}
    out.write(json.dumps(head).encode() + b"\n" + drawn + thumbnail)
    return 0


def _plain(picture: Any, kind: str) -> Any:
    """A copy with pixels and, where colours come from a palette, what of it is clear; nothing else."""
    modes = {"JPEG": ("L", "RGB"), "PNG": ("1", "L", "LA", "P", "RGB", "RGBA"), "GIF": ("L", "P", "RGB", "RGBA")}
    clear = "A" in picture.getbands() or "transparency" in picture.info
    if picture.mode not in modes.get(kind, ("RGB", "RGBA")):
        picture = picture.convert("RGBA" if clear and kind != "JPEG" else "RGB")
    plain = picture.copy()
    plain.info = {"transparency": picture.info["transparency"]} if "transparency" in picture.info else {}
    return plain


def _moving(picture: Any, kind: str) -> tuple[bytes, Any]:
    from PIL import ImageSequence  # noqa: PLC0415 - after the limits

    frames, durations = [], []
    for frame in ImageSequence.Iterator(picture):
        durations.append(int(frame.info.get("duration") or 100))
        plain = frame.convert("RGBA")
        plain.info = {}
        frames.append(plain)
    whole = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    if kind == "GIF":
        whole["disposal"] = 2
    return _saved(frames[0], kind, **whole), frames[0]


def _saved(picture: Any, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **({"quality": 90} if kind in ("JPEG", "WEBP") else {}) | options)
    return out.getvalue()


def look_into_archive(stream: BinaryIO, out: BinaryIO) -> int:
    """Name the kind of archive; nothing is unpacked but the line in which an open document says what it is."""
    with zipfile.ZipFile(stream) as archive:
        entries = archive.infolist()
        wrong = _wrong_with(entries, archive.start_dir)
        if wrong:
            return wrong
        names = {entry.filename for entry in entries}
        kind = next((kind for name, kind in _OFFICE.items() if name in names), "zip")
        if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
            kind = _OPEN.get(archive.read("mimetype").strip(), kind)
    out.write(kind.encode())
    return 0


def _wrong_with(entries: list[zipfile.ZipInfo], end: int) -> int:
    if not entries or len(entries) > MAX_ENTRIES:
        return BOMB if entries else UNREADABLE
    packed, unpacked = sum(e.compress_size for e in entries), sum(e.file_size for e in entries)
    if unpacked > MAX_UNPACKED or (unpacked > RATIO_FROM and unpacked > MAX_RATIO * max(packed, 1)):
        return BOMB
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    # Entries that share their bytes are how the worst bombs are made; something before the first is another file.
    ends = [entry.header_offset + _LOCAL_HEADER + entry.compress_size for entry in ordered]
    if ordered[0].header_offset != 0 or any(
        stop > start for stop, start in zip(ends, [e.header_offset for e in ordered[1:]] + [end], strict=True)
    ):
        return BOMB
    return next((code for code in map(_wrong_with_entry, entries) if code), 0)


def _wrong_with_entry(entry: zipfile.ZipInfo) -> int:
    name = entry.orig_filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or "\x00" in name or re.match(r"[A-Za-z]:", name):
        return UNSAFE
    if entry.flag_bits & 0x1:
        return ENCRYPTED
    if _PROGRAMS.search(name):
        return PROGRAMS
    if _ARCHIVES.search(name):
        return NESTED
    large = entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
    return BOMB if large or entry.compress_size > entry.file_size * 1.01 + _DEFLATE_SLACK else 0


def look_into_pdf(stream: BinaryIO, out: BinaryIO) -> int:
    """Whether the document does nothing but lie there: no scripts, programs, forms sent off, files inside, locks."""
    content = stream.read()
    parts = [content]
    for found in _STREAM.finditer(content):
        if b"ObjStm" in _spelled_out(found["dict"]):
            reader = zlib.decompressobj()
            parts.append(reader.decompress(found["body"], MAX_INFLATED))
            if reader.unconsumed_tail:
                return ACTIVE
    return ACTIVE if any(_ACTIVE.search(_spelled_out(part)) for part in parts) else 0


def _spelled_out(part: bytes) -> bytes:
    """Names with their `#4A` spelled out (ISO 32000-1, 7.3.5)."""
    return re.sub(rb"#([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), part)


ROLES = {"picture": redraw, "archive": look_into_archive, "pdf": look_into_pdf}


def main(role: str) -> int:
    """The exit code."""
    confine()
    answer = io.BytesIO()
    try:
        code = ROLES[role](sys.stdin.buffer, answer)
    except Exception as error:
        # What a parser says about a broken file is of no use to anybody, how it broke is.
        sys.stderr.write(type(error).__name__)
        return TOO_MANY_PIXELS if type(error).__name__ == "DecompressionBombError" else UNREADABLE
    if code == 0:
        sys.stdout.buffer.write(answer.getvalue())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
