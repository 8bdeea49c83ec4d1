"""Sealing documents: PAdES B-B by the installation's own key, B-T with a time-stamp authority (ETSI EN 319 142-1).

A sealed file begins with the very bytes that were signed by people; the pages that say who signed, a record of the
same for programs, and the seal follow as one update. The seal certifies that nothing may change any more (DocMDP 1).
What is found in one is said by `seal_check`.

pyHanko's blocking calls run an event loop of their own: call this from a thread, never from inside of a loop.
"""

import asyncio
import hashlib
import io
from dataclasses import dataclass
from typing import Protocol

import requests
from asn1crypto import cms, tsp
from pyhanko.keys import load_certs_from_pemder, load_private_key_from_pemder
from pyhanko.pdf_utils import embed, generic
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PageObject
from pyhanko.sign import fields, signers, timestamps
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from portal.config import Settings
from portal.integrations.pdf_updates import DocumentUpdate
from portal.integrations.seal_keys import SealKey, find_key

FIELD = "Seal"
RECORD_NAME = "evidence.json"
# Room for the certificate's chain and for a time stamp that may come later.
RESERVED_BYTES = 20 * 1024
# Where the stamp stands on the last page, in points from its lower left corner.
STAMP_BOX = (57, 62, 538, 118)
_TSA_SECONDS = 10


class SealUnavailable(Exception):
    """The key cannot be read now; later it may."""


@dataclass(frozen=True)
class Annex:
    """What goes behind a signed document: pages and stamp as PDF, the record as JSON, and why it is sealed."""

    pages: bytes
    stamp: bytes
    record: bytes
    reason: str


@dataclass(frozen=True)
class SealedFile:
    """A sealed document and its level, B-B or B-T."""

    content: bytes
    level: str


class Seal(Protocol):
    """Seals documents; `raise_level` adds the time stamp that was not to be had before, or gives None again."""

    @property
    def stamps_time(self) -> bool:
        """Whether an authority for time stamps is configured."""
        ...

    def seal(self, document: bytes, annex: Annex) -> SealedFile:
        """The document with its annex, sealed. Raises SealUnavailable."""
        ...

    def raise_level(self, sealed: bytes) -> bytes | None:
        """A B-B file as B-T; None while the authority is away."""
        ...


def build_seal(settings: Settings) -> Seal:
    """The installation's seal; its key is read when it is needed."""
    return PadesSeal(settings)


class PadesSeal:
    """Seals with a key that lies in files."""

    def __init__(self, settings: Settings, timestamper: timestamps.TimeStamper | None = None) -> None:
        self._settings = settings
        self._key: signers.SimpleSigner | None = None
        self._stamper = timestamper or (TimeStampAuthority(settings.tsa_url) if settings.tsa_url else None)

    @property
    def stamps_time(self) -> bool:
        """Whether an authority for time stamps is configured."""
        return self._stamper is not None

    def seal(self, document: bytes, annex: Annex) -> SealedFile:
        """Append the annex and sign the whole; B-T where the authority answers, else B-B."""
        writer = DocumentUpdate(document)
        pages = _append_pages(writer, annex.pages)
        _attach(writer, annex.record)
        signer = signers.PdfSigner(
            signers.PdfSignatureMetadata(
                field_name=FIELD,
                md_algorithm="sha256",
                reason=annex.reason,
                subfilter=fields.SigSeedSubFilter.PADES,
                certify=True,
                docmdp_permissions=fields.MDPPerm.NO_CHANGES,
            ),
            signer=self._signer(),
            stamp_style=StaticStampStyle(border_width=0, background=_PageContent(annex.stamp)),
            new_field_spec=fields.SigFieldSpec(FIELD, on_page=pages - 1, box=STAMP_BOX),
        )
        sealed = signer.sign_pdf(writer, bytes_reserved=RESERVED_BYTES).getvalue()
        stamped = self.raise_level(sealed)
        return SealedFile(sealed, "B-B") if stamped is None else SealedFile(stamped, "B-T")

    def raise_level(self, sealed: bytes) -> bytes | None:
        """Put a time stamp over the seal's value beside it; the bytes that the seal covers stay as they are."""
        if self._stamper is None:
            return None
        found = PdfFileReader(io.BytesIO(sealed)).embedded_signatures[0]
        info = found.signed_data["signer_infos"][0]
        digest = hashlib.sha256(info["signature"].native).digest()
        try:
            token = asyncio.run(self._stamper.async_timestamp(digest, "sha256"))
        except OSError:
            return None
        info["unsigned_attrs"] = [{"type": "signature_time_stamp_token", "values": [token]}]
        signed = cms.ContentInfo({"content_type": "signed_data", "content": found.signed_data}).dump()
        _, before, after, _ = (int(at) for at in found.byte_range)
        room = after - before - 2
        raised: bytes = sealed[: before + 1] + signed.hex().encode().ljust(room, b"0") + sealed[before + 1 + room :]
        return raised

    def _signer(self) -> signers.SimpleSigner:
        if self._key is None:
            self._key = _load(find_key(self._settings))
        return self._key


class TimeStampAuthority(timestamps.TimeStamper):
    """An authority at the operator's address (RFC 3161 over HTTP)."""

    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Ask once; raises OSError where there is no answer."""
        answer = await asyncio.to_thread(
            requests.post,
            self._url,
            data=req.dump(),
            headers={"Content-Type": "application/timestamp-query"},
            timeout=_TSA_SECONDS,
            allow_redirects=False,
        )
        if answer.status_code != requests.codes.ok:
            raise OSError(f"the time-stamp authority answered {answer.status_code}")
        try:
            return tsp.TimeStampResp.load(answer.content)
        except ValueError as error:
            raise OSError("the time-stamp authority answered something else") from error


def _load(key: SealKey) -> signers.SimpleSigner:
    try:
        own, *chain = load_certs_from_pemder([str(key.certificate)])
        secret = load_private_key_from_pemder(str(key.key), passphrase=None)
    except (OSError, ValueError, TypeError) as error:
        raise SealUnavailable(f"the seal's key or certificate cannot be read: {type(error).__name__}") from error
    registry = SimpleCertificateStore()
    registry.register_multiple(chain)
    return signers.SimpleSigner(signing_cert=own, signing_key=secret, cert_registry=registry)


def _append_pages(writer: IncrementalPdfFileWriter, pages: bytes) -> int:
    """Set the pages of another document behind the last one; returns how many there are then."""
    other = PdfFileReader(io.BytesIO(pages))
    for index in range(int(other.root["/Pages"]["/Count"])):
        drawn = writer.import_page_as_xobject(other, index)
        box = drawn.get_object()["/BBox"]
        shown = generic.DictionaryObject({generic.pdf_name("/Annex"): drawn})
        writer.insert_page(
            PageObject(
                contents=writer.add_object(generic.StreamObject(stream_data=b"/Annex Do")),
                media_box=tuple(float(at) for at in box),
                resources=generic.DictionaryObject({generic.pdf_name("/XObject"): shown}),
            )
        )
    return int(writer.root["/Pages"]["/Count"])


def _attach(writer: IncrementalPdfFileWriter, record: bytes) -> None:
    made = embed.EmbeddedFileObject.from_file_data(writer, record, mime_type="application/json")
    relation = generic.pdf_name("/Data")
    spec = embed.FileSpec(RECORD_NAME, file_name=RECORD_NAME, embedded_data=made, af_relationship=relation)
    embed.embed_file(writer, spec)


class _PageContent(PdfContent):
    """The first page of a document that is held in memory, as a stamp."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self._page = page

    def render(self) -> bytes:
        drawn = self._ensure_writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._page)))
        self.resources.xobject["/Stamp"] = drawn
        left, lower, right, upper = (float(at) for at in drawn.get_object()["/BBox"])
        self.box = BoxConstraints(width=right - left, height=upper - lower)
        return b"/Stamp Do"
