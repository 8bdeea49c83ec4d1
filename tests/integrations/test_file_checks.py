"""What is taken and what is not: by name, by content, and by what is inside (SEC-10)."""

import io
import subprocess
import sys

import pytest
from PIL import Image

from portal.integrations import file_checks, file_child
from portal.integrations.file_checks import FileRefused, check_file, is_quiet_pdf
from tests.files import (
    EXE,
    MAIL,
    MP4,
    PAGE,
    SVG,
    WEBM,
    archive,
    locked_archive,
    moving,
    office,
    open_document,
    overlapping_archive,
    packed_objects,
    pdf,
    photograph,
    promised_picture,
)
from tests.pictures import opened, picture

HONEST = {
    "screen.png": (picture("PNG"), "image/png"),
    "photo.jpg": (picture("JPEG"), "image/jpeg"),
    "PHOTO.JPEG": (picture("JPEG"), "image/jpeg"),
    "still.gif": (picture("GIF", mode="P"), "image/gif"),
    "moves.gif": (moving(), "image/gif"),
    "drawn.webp": (picture("WEBP"), "image/webp"),
    "offer.pdf": (pdf(), "application/pdf"),
    "notes.txt": ("Größe: 3 µm – naïve".encode(), "text/plain"),
    "latin.txt": ("Größe".encode("latin-1"), "text/plain"),
    "wide.txt": ("Größe".encode("utf-16"), "text/plain"),
    "colours.log": (b"\x1b[31mERROR\x1b[0m cannot bind\n", "text/plain"),
    "list.csv": (b"a;b\n1;2\n", "text/csv"),
    "answer.json": (b'{"html": "<p>in a value</p>"}', "application/json"),
    "letter.docx": (office("word/document.xml"), file_checks.KINDS["docx"].content_type),
    "sums.xlsx": (office("xl/workbook.xml"), file_checks.KINDS["xlsx"].content_type),
    "talk.pptx": (office("ppt/presentation.xml"), file_checks.KINDS["pptx"].content_type),
    "letter.odt": (open_document("text"), file_checks.KINDS["odt"].content_type),
    "sums.ods": (open_document("spreadsheet"), file_checks.KINDS["ods"].content_type),
    "logs.zip": (archive({"a.log": b"x", "b/c.txt": b"y"}), "application/zip"),
    "mail.eml": (MAIL, "message/rfc822"),
    "session.mp4": (MP4, "video/mp4"),
    "session.webm": (WEBM, "video/webm"),
}
HOSTILE = {
    "no ending": ("notes", b"text", "file_kind_not_allowed"),
    "a program": ("setup.exe", EXE, "file_kind_not_allowed"),
    "a drawing with scripts": ("logo.svg", SVG, "file_kind_not_allowed"),
    "a page": ("page.html", PAGE, "file_kind_not_allowed"),
    "a script": ("run.sh", b"#!/bin/sh\n", "file_kind_not_allowed"),
    "two endings": ("invoice.pdf.exe", pdf(), "file_kind_not_allowed"),
    "nothing": ("empty.txt", b"", "file_empty"),
    "svg called png": ("logo.png", SVG, "file_kind_mismatch"),
    "page called txt": ("notes.txt", PAGE, "file_active_content"),
    "page after white space": ("notes.txt", b"\xef\xbb\xbf \n\t" + PAGE.lower(), "file_active_content"),
    "page in wide letters": ("notes.txt", PAGE.decode().encode("utf-16"), "file_active_content"),
    "page behind a comment": ("notes.log", b"<!-- log --><html>", "file_active_content"),
    "script in the first lines": ("notes.txt", b"hello\n<script>alert(1)</script>", "file_active_content"),
    "shell script called log": ("run.log", b"#!/bin/sh\nrm -rf /\n", "file_active_content"),
    "php called csv": ("list.csv", b"a,b\n<?php system($_GET['c']); ?>", "file_active_content"),
    "program called txt": ("readme.txt", EXE, "file_kind_mismatch"),
    "program called pdf": ("offer.pdf", EXE, "file_kind_mismatch"),
    "png called jpg": ("photo.jpg", picture("PNG"), "file_kind_mismatch"),
    "gif called png": ("still.png", picture("GIF", mode="P"), "file_kind_mismatch"),
    "pdf called txt": ("offer.txt", pdf(), "file_kind_mismatch"),
    "pdf called zip": ("offer.zip", pdf(), "file_kind_mismatch"),
    "zip called docx": ("letter.docx", archive({"a.txt": b"x"}), "file_kind_mismatch"),
    "sheet called docx": ("letter.docx", office("xl/workbook.xml"), "file_kind_mismatch"),
    "document called zip": ("logs.zip", office("word/document.xml"), "file_kind_mismatch"),
    "text called eml": ("mail.eml", b"hello", "file_kind_mismatch"),
    "video called webm": ("session.webm", MP4, "file_kind_mismatch"),
    "pdf that is an archive, too": ("offer.pdf", pdf() + archive({"a.js": b"x"}), "file_kind_mismatch"),
    "text that is an archive, too": ("notes.txt", b"notes\n" + archive({"a": b"x"}), "file_kind_mismatch"),
    "video that is an archive, too": ("session.mp4", MP4 + archive({"a": b"x"}), "file_kind_mismatch"),
    "pdf with something in front": ("offer.pdf", b"GIF89a" + pdf(), "file_kind_mismatch"),
    "half a picture": ("screen.png", picture("PNG", (400, 400), colour=(1, 2, 3))[:400], "file_unreadable"),
    "too many pixels": ("screen.png", picture("PNG", (6000, 5001), "1"), "file_too_many_pixels"),
    "a promise of pixels": ("screen.png", promised_picture(60_000), "file_too_many_pixels"),
    "too many frames": ("moves.gif", moving(frames=file_child.MAX_FRAMES + 1, size=(2, 2)), "file_animation_too_long"),
    "moving pixels": ("moves.gif", moving(frames=31, size=(1000, 1000)), "file_animation_too_long"),
    "packed zeros": ("logs.zip", archive({"a.log": bytes(20_000_000)}), "file_archive_bomb"),
    "zeros in a document": ("sums.xlsx", office("xl/workbook.xml", zeros=bytes(20_000_000)), "file_archive_bomb"),
    "too many entries": ("logs.zip", archive({f"{at}.log": b"" for at in range(2001)}), "file_archive_bomb"),
    "entries that share bytes": ("logs.zip", overlapping_archive(), "file_archive_bomb"),
    "an archive behind a program": ("logs.zip", b"PK\x03\x04" + EXE + archive({"a.log": b"x"}), "file_archive_bomb"),
    "out of its folder": ("logs.zip", archive({"../../etc/cron.d/x": b"x"}), "file_archive_unsafe"),
    "out of its folder, Windows": ("logs.zip", archive({"..\\x": b"x"}), "file_archive_unsafe"),
    "from the root": ("logs.zip", archive({"/etc/passwd": b"x"}), "file_archive_unsafe"),
    "locked": ("logs.zip", locked_archive(), "file_archive_locked"),
    "a program inside": ("logs.zip", archive({"doc/setup.EXE": b"x"}), "file_archive_programs"),
    "a page inside": ("logs.zip", archive({"index.html": PAGE}), "file_archive_programs"),
    "macros": ("sums.xlsx", office("xl/workbook.xml", **{"xl/vbaProject.bin": b"x"}), "file_archive_programs"),
    "an archive inside": ("logs.zip", archive({"more.zip": archive({"a": b"x"})}), "file_archive_nested"),
    "no archive at all": ("logs.zip", b"PK\x03\x04" + bytes(60), "file_unreadable"),
    "an empty archive": ("logs.zip", archive({}), "file_unreadable"),
}


def checked(content: bytes, name: str) -> file_checks.CheckedFile:
    return check_file(io.BytesIO(content), name)


@pytest.mark.parametrize("name", HONEST)
def test_honest_files_are_taken(name):
    content, kind = HONEST[name]
    found = checked(content, name)
    assert found.content_type == kind
    if found.width is None:
        assert found.content.read() == content
        assert found.thumbnail is None


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused(case):
    name, content, code = HOSTILE[case]
    with pytest.raises(FileRefused) as refused:
        checked(content, name)
    assert refused.value.code == code


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "photo.jpg"), ("PNG", "screen.png"), ("WEBP", "drawn.webp")])
def test_of_a_picture_nothing_but_the_picture_is_kept(kind, name):
    content = photograph(kind) + b"<script>alert(1)</script>" + archive({"evil.js": b"x"})
    found = checked(content, name)
    kept = found.content.read()
    again = opened(kept)
    assert (again.format, again.size, (found.width, found.height)) == (kind, (64, 48), (64, 48))
    assert dict(again.getexif()) == {}
    assert not {"exif", "comment", "icc_profile", "xmp"} & set(again.info)
    for canary in (b"where I live", b"a secret comment", b"<script>", b"evil.js"):
        assert canary in content or (canary == b"a secret comment" and kind != "JPEG")
        assert canary not in kept
        assert canary not in found.thumbnail
    assert again.convert("RGB").getpixel((30, 20))[2] > 150


def test_a_photograph_lying_on_its_side_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    found = checked(picture("JPEG", (60, 20), exif=exif), "photo.jpg")
    assert (found.width, found.height) == (20, 60)


def test_what_moves_keeps_moving():
    found = checked(moving(frames=4), "moves.gif")
    again = opened(found.content.read())
    assert (again.n_frames, again.info["duration"]) == (4, 70)
    assert opened(found.thumbnail).size == (40, 30)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_png_is_drawn(mode):
    assert opened(checked(picture("PNG", (20, 10), mode), "screen.png").content.read()).size == (20, 10)


def test_the_small_picture_is_small():
    found = checked(picture("PNG", (4000, 1000)), "screen.png")
    small = opened(found.thumbnail)
    assert (small.format, small.size) == ("WEBP", (480, 120))


@pytest.mark.parametrize(
    ("objects", "quiet"),
    [
        ((), True),
        ((b"<< /S /URI /URI (https://kestrel.example) >>",), True),
        ((b"<< /S /JavaScript /JS (app.alert(1)) >>",), False),
        ((b"<< /S /#4aavaScript /JS (app.alert(1)) >>",), False),
        ((packed_objects(b"1 0 << /S /JavaScript /JS (app.alert(1)) >>"),), False),
        ((packed_objects(b"1 0 << /Type /Font >>"),), True),
        ((b"<< /S /Launch /F (cmd.exe) >>",), False),
        ((b"<< /Names << /EmbeddedFiles 9 0 R >> >>",), False),
        ((b"<< /OpenAction << /S /GoTo >> >>",), False),
        ((b"<< /Encrypt 9 0 R >>",), False),
    ],
)
def test_only_quiet_pdfs_are_shown(objects, quiet):
    assert is_quiet_pdf(io.BytesIO(pdf(*objects))) is quiet


def test_a_packed_stream_that_never_ends_is_not_shown():
    assert not is_quiet_pdf(io.BytesIO(pdf(packed_objects(bytes(20_000_000)))))


def test_a_child_that_does_not_come_back_is_ended(monkeypatch):
    monkeypatch.setattr(file_checks, "SECONDS", 0.001)
    with pytest.raises(FileRefused, match="file_unreadable"):
        checked(picture("PNG"), "screen.png")


CONFINED = """
import os, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
runpy.run_path(sys.argv[1])["confine"]()
try:
    bytearray(1100 * 1024 * 1024)
except MemoryError:
    print("no memory")
try:
    os.write(os.open(sys.argv[2], os.O_CREAT | os.O_WRONLY), b"x")
except OSError:
    print("no file")
"""


def test_the_child_is_confined(tmp_path):
    run = [sys.executable, "-c", CONFINED, file_child.__file__, str(tmp_path / "written")]
    said = subprocess.run(run, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["no", "memory", "no", "file"], said.stderr
