"""What is found in a sealed file: every change after the seal, however small, and however correct it looks.

The difference checker of PDF libraries accepts updates that it holds to be harmless; here none is. Only files that
were stored by us are looked into, never what strangers send.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509
from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.context import ValidationContext

from portal.config import Settings
from portal.integrations.seal_keys import find_key

Certificates = Sequence[x509.Certificate]


@dataclass(frozen=True)
class Findings:
    """Whether the file can be read, how many signatures are in it, and what the first one is worth.

    `intact`: what the seal covers is as it was sealed; `whole_file`: nothing was added behind it; `own`: the key is
    this installation's. `record` is what was attached before it was sealed.
    """

    readable: bool
    signatures: int = 0
    intact: bool = False
    whole_file: bool = False
    own: bool = False
    signer: str = ""
    level: str = ""
    sealed_at: datetime | None = None
    record: bytes = b""

    @property
    def sound(self) -> bool:
        """Whether all of it is in order."""
        return self.readable and self.signatures == 1 and self.intact and self.whole_file and self.own


def own_certificates(settings: Settings) -> Certificates:
    """The certificates whose seals count as ours: all in the certificate's file, so earlier ones can stay there."""
    return tuple(load_certs_from_pemder([str(find_key(settings).certificate)]))


def validate(content: bytes, certificates: Certificates) -> Findings:
    """What is found; a file that cannot be read is told as such, nothing about it is raised."""
    try:
        reader = PdfFileReader(io.BytesIO(content))
        found = reader.embedded_signatures
        if not found:
            return Findings(readable=True, record=_record(reader))
        return _look(reader, found, certificates)
    except Exception:
        # Whatever a broken file makes the library raise, the file is broken.
        return Findings(readable=False)


def _look(reader: PdfFileReader, found: Sequence[EmbeddedPdfSignature], certificates: Certificates) -> Findings:
    seal = found[0]
    trusted = ValidationContext(trust_roots=list(certificates), allow_fetching=False)
    status = validate_pdf_signature(seal, signer_validation_context=trusted, skip_diff=True)
    stamp = status.timestamp_validity
    stamped = stamp is not None and stamp.intact and stamp.valid
    return Findings(
        readable=True,
        signatures=len(found),
        intact=status.intact and status.valid,
        whole_file=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        own=seal.signer_cert.sha256 in {certificate.sha256 for certificate in certificates},
        signer=str(seal.signer_cert.subject.human_friendly),
        level="B-T" if stamped else "B-B",
        sealed_at=stamp.timestamp if stamped and stamp is not None else seal.self_reported_timestamp,
        record=_record(reader),
    )


def _record(reader: PdfFileReader) -> bytes:
    """The file that was attached by the seal; empty where there is none."""
    try:
        names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
        return bytes(names[1]["/EF"]["/F"].data)
    except KeyError:
        return b""
