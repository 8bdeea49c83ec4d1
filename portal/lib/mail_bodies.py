"""What a mail says: its text (of HTML, what would be read), without what it quotes, and the files that come with it."""

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message
from email.policy import default as default_policy
from html.parser import HTMLParser

import nh3
from mailparser_reply import EmailReplyParser

from portal.config import LOCALES
from portal.lib.i18n import translations_for
from portal.lib.mail_parsing import ReceivedMail, leaves, storable_text, visible_text
from portal.lib.wording import N_

MAX_HTML = 500_000
MAX_TEXT = 200_000
# The reader of quotations takes quadratic time; an answer stands at the top.
QUOTE_WINDOW = 5_000
_MANY_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
_SPACES = re.compile(r"[ \t\u00a0]+")
_KEPT = {"p", "br", "div", "li", "tr", "blockquote", "a", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "td"}
_DROPPED = {"script", "style", "title", "head", "noscript", "template", "textarea", "select", "svg", "math"}
_BLOCKS = {"p", "div", "li", "tr", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_ANY_TAG = re.compile(r"<[^<>]*>")
# Elements that hold nothing, and those that end without saying so.
_SHALLOW = {"br", "img", "hr", "input", "meta", "link", "col", "wbr", "base"}
_SHALLOW |= {"p", "li", "td", "th", "tr", "dd", "dt", "option", "tbody", "thead"}
MAX_DEPTH = 500
# Proofs of a signature say nothing to people.
_SILENT = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
_REPLY_MARK = N_("Please reply above this line")
_QUOTES = EmailReplyParser(languages=["en", "de", "es", "fr", "it", "nl"])


@dataclass(frozen=True)
class MailFile:
    """A file that came along; inline ones are pictures within the text."""

    name: str
    content: bytes
    inline: bool = False


def text_of(mail: ReceivedMail) -> str:
    """The whole text: of its plain parts, else of its HTML; empty where it has none."""
    plain: list[str] = []
    html: list[str] = []
    for part in leaves(mail.message):
        if _is_file(part):
            continue
        if part.get_content_type() == "text/plain":
            plain.append(_decoded(part))
        elif part.get_content_type() == "text/html":
            html.append(_decoded(part))
    text = "\n\n".join(piece.strip() for piece in plain if piece.strip())
    if not text:
        text = "\n\n".join(filter(None, (text_of_html(page) for page in html)))
    return _tidy(storable_text(text[:MAX_TEXT]))


def answer_of(text: str) -> str:
    """What somebody wrote above what they quote; the whole text where nothing else would be left."""
    above = _above_our_mark(text)
    window = above[:QUOTE_WINDOW]
    # Each beginning of a quotation is tried against the rest of the text.
    if window.count("On ") + window.count("Am ") + window.count("Le ") <= 60:
        latest = (_QUOTES.parse_reply(text=window) or "").strip()
        if latest and len(latest) < len(window.strip()):
            above = latest
    kept = "\n".join(_without_trailing_quotes(above.split("\n"))).strip()
    return kept or text.strip()


def files_of(mail: ReceivedMail) -> list[MailFile]:
    """The files in their order; messages within the message come as `.eml`."""
    found: list[MailFile] = []
    for part in leaves(mail.message):
        if part is mail.message and not _is_file(part):
            continue
        kind = part.get_content_type()
        if kind in _SILENT or not (_is_file(part) or part.get_content_maintype() not in ("text", "multipart")):
            continue
        content = _content_of(part)
        if content:
            inline = part.get_content_maintype() == "image" and bool(part.get("Content-ID"))
            found.append(MailFile(_name_of(part, len(found) + 1), content, inline))
    return found


def text_of_html(html: str) -> str:
    """What would be read of HTML: cleaned first, so that nothing of it is taken for markup afterwards."""
    page = html[:MAX_HTML]
    if _is_too_deep(page):
        return _SPACES.sub(" ", _ANY_TAG.sub(" ", page)).replace("<", " ").strip()
    safe = nh3.clean(
        page,
        tags=_KEPT,
        clean_content_tags=_DROPPED,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(safe)
    reader.close()
    return reader.text()


def _is_too_deep(page: str) -> bool:
    """Whether elements lie so deep within one another that readers take quadratic time over them."""
    depth = 0
    for closing, name in _TAG.findall(page):
        if name.lower() not in _SHALLOW:
            depth = max(0, depth - 1) if closing else depth + 1
            if depth > MAX_DEPTH:
                return True
    return False


class _Reader(HTMLParser):
    """Lines of text from clean HTML; quotations get their sign, addresses of links stand behind them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._quoted = 0
        self._href = ""
        self._label = ""
        self._preformatted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, a quotation or a link."""
        if tag in _BLOCKS or tag == "br":
            self._break(force=tag == "br")
        if tag == "p" and len(self._lines) > 1:
            self._break(force=True)
        if tag == "blockquote":
            self._quoted += 1
        elif tag == "li":
            self._add("- ")
        elif tag == "td":
            self._add(" ")
        elif tag == "pre":
            self._preformatted = True
        elif tag == "a":
            self._href, self._label = dict(attrs).get("href") or "", ""

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        if tag == "a":
            shown = self._label.strip()
            if self._href and self._href.removeprefix("mailto:") not in (shown, f"{shown}/"):
                self._add(f" ({self._href})")
            self._href = ""
        if tag in _BLOCKS:
            self._break()
        if tag == "blockquote":
            self._quoted = max(0, self._quoted - 1)
        elif tag == "pre":
            self._preformatted = False

    def handle_data(self, data: str) -> None:
        """Text within a line."""
        self._label += data
        if self._preformatted:
            for count, line in enumerate(data.split("\n")):
                if count:
                    self._break(force=True)
                self._add(line)
            return
        self._add(_SPACES.sub(" ", data.replace("\n", " ")))

    def text(self) -> str:
        """The lines."""
        return "\n".join(line.strip() for line in self._lines).strip()

    def _add(self, text: str) -> None:
        if not self._lines[-1] and self._quoted and text.strip():
            self._lines[-1] = "> " * min(self._quoted, 5)
        self._lines[-1] += text

    def _break(self, *, force: bool = False) -> None:
        if force or self._lines[-1].strip():
            self._lines.append("")


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _content_of(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):
        try:
            return payload[0].as_bytes(policy=default_policy) if payload and isinstance(payload[0], Message) else b""
        except (MessageError, ValueError, LookupError, UnicodeError, TypeError):
            return b""
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _decoded(part: Message) -> str:
    """A text part in the character set that it names, else in what it seems to be."""
    content = _content_of(part)
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            # Codecs that turn bytes into bytes (base64, zlib, …) are no character sets.
            return content.decode("utf-8" if charset in ("unicode-escape", "unicode_escape", "idna") else charset)
        except (LookupError, ValueError, UnicodeError):
            continue
    return content.decode("cp1252", "replace")


def _name_of(part: Message, number: int) -> str:
    name = visible_text(str(part.get_filename() or ""))
    if name:
        return name
    if part.get_content_type() == "message/rfc822":
        return f"message-{number}.eml"
    ending = {"jpeg": "jpg", "plain": "txt"}.get(part.get_content_subtype(), part.get_content_subtype())
    return f"{'image' if part.get_content_maintype() == 'image' else 'file'}-{number}.{ending}"


def _tidy(text: str) -> str:
    return _MANY_EMPTY_LINES.sub("\n\n", text).strip()


def _above_our_mark(text: str) -> str:
    """The text above the line that our own mails begin with, in any of our languages."""
    marks = {translations_for(locale).gettext(_REPLY_MARK) for locale in LOCALES}
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if any(mark in line for mark in marks):
            return "\n".join(_without_introduction(lines[:at]))
    return text


def _without_introduction(lines: list[str]) -> list[str]:
    """Without the line by which a mail program introduces what it quotes (`On Monday, … wrote:`)."""
    kept = list(lines)
    while kept and not kept[-1].strip(" >"):
        kept.pop()
    if kept and kept[-1].rstrip().endswith(":"):
        kept.pop()
        # Long ones are broken in two.
        if kept and kept[-1].startswith(("On ", "Am ", "Le ", "El ")):
            kept.pop()
    return kept


def _without_trailing_quotes(lines: list[str]) -> list[str]:
    kept = list(lines)
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(">")):
        kept.pop()
    return kept if len(kept) == len(lines) else _without_introduction(kept) if kept else kept
