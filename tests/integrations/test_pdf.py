"""Documents: what people wrote is data in them, whatever it looks like; every script has letters."""

import io
import threading
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from portal.integrations import pdf
from portal.integrations.pdf import typeset

NOW = datetime(2026, 11, 21, 16, 40, 20, 123456, tzinfo=UTC)
TEMPLATE = """
#import "base.typ": *
#show: document-page.with(title: data.title, subject: data.title, foot: data.tenant)
= #data.title
#facts(data.rows)
#data.body
"""
MARKUP = (
    '#import "base.typ": *',
    '#read("/etc/passwd")',
    '#panic("no")',
    "#sys.inputs",
    "$ x^2 $",
    "\\u{41} \\ end",
    "[brackets] ] [",
    "*bold* _not_ `raw` <label> @cite",
    "= Heading",
    "- list // not a comment /* nor this */",
    '"quoted" } { ; )',
)


@pytest.fixture
def templates(tmp_path, monkeypatch):
    (tmp_path / "base.typ").write_text((pdf._TEMPLATES / "base.typ").read_text(), encoding="utf-8")
    (tmp_path / "try.typ").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.setattr(pdf, "_TEMPLATES", tmp_path)


def document(
    body: str, *, title: str = "TKT-1", locale: str = "en", tenant: str = "Kestrel IT", standard: str = "ua-1"
) -> PdfReader:
    data = {"title": title, "rows": [["Number", title]], "body": body}
    made = typeset("try.typ", data, locale=locale, tenant=tenant, accent="#1D4ED8", now=NOW, standard=standard)
    return PdfReader(io.BytesIO(made))


def text_of(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


@pytest.mark.parametrize("text", MARKUP)
def test_what_looks_like_markup_is_printed_as_it_was_written(templates, text):
    reader = document(text, title=text, tenant=text)
    assert text_of(reader).count(text) == 6  # tenant, subject, title, row, body, foot
    assert reader.metadata.title == text


def test_line_breaks_stay(templates):
    assert "one\ntwo" in text_of(document("one\ntwo"))


def test_arabic_runs_from_the_right_and_has_letters(templates):
    reader = document("الخادم لا يستجيب", locale="ar", tenant="نوفا للتقنية")
    assert "الخادم" in text_of(reader)
    assert reader.trailer["/Root"]["/Lang"] == "ar"
    fonts = {str(font.get_object()["/BaseFont"]) for font in reader.pages[0]["/Resources"]["/Font"].values()}
    assert any("IBMPlexSansArabic" in font.replace("-", "") for font in fonts), fonts


def test_a_long_text_goes_on_on_further_pages(templates):
    reader = document("\n\n".join(f"Paragraph {number}" for number in range(200)))
    assert len(reader.pages) > 2
    assert all(f"/ {len(reader.pages)}" in page.extract_text() for page in reader.pages)


def test_readers_for_the_blind_find_a_tagged_document(templates):
    root = document("Text").trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root


def test_many_at_once(templates):
    texts: list[str] = []
    threads = [threading.Thread(target=lambda n=n: texts.append(text_of(document(f"Body {n}")))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(any(f"Body {n}" in text for text in texts) for n in range(8))


@pytest.mark.parametrize(
    "text",
    ["山田太郎 カナ ひら", "김철수 한국", "मनीष कुमार", "மணி", "সুমন", "สมชาย", "Ωмега עברית", "🎉👍🏽👨‍👩‍👧 ❤️ ✅"],
)
@pytest.mark.parametrize("standard", ["ua-1", "a-3b"])
def test_names_of_every_market_have_letters(templates, text, standard):
    found = text_of(document(text, standard=standard))
    assert "\ufffd" not in found
    assert text[0] in found


@pytest.mark.parametrize("text", ["ລາວ ພາສາ", "𠮷野家", "1️⃣ \U000e0001 \ue000", "ᏣᎳᎩ ꦗꦮ 𐍈"])
def test_what_no_font_has_does_not_cost_the_document(templates, text):
    found = text_of(document(f"Before – “quoted” {text} after 1", standard="a-3b"))
    assert "Before – “quoted”" in found
    assert "after 1" in found
