"""Changes to finished documents, appended to them (ISO 32000-1, 7.5.6), as what is signed has to be."""

from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.generic import StreamObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter


class DocumentUpdate(IncrementalPdfFileWriter):
    """A writer that leaves the metadata alone.

    pyHanko's own writes new ones with a date of change, and so drops what says that a document is PDF/A or PDF/UA.
    """

    def __init__(self, document: bytes) -> None:
        # The typesetter ends without a line's end, after which no object may begin (ISO 19005-3, 6.1.9).
        super().__init__(BytesIO(document if document.endswith(b"\n") else document + b"\n"))

    def _update_meta(self) -> None:
        """The typesetter's stay."""

    def read_metadata(self) -> bytes:
        """The document's XMP."""
        data: bytes = self.get_object(self._metadata()).data
        return data

    def replace_metadata(self, xmp: bytes) -> None:
        """Other XMP in its place; not compressed, as archives want it."""
        names = {pdf_name("/Type"): pdf_name("/Metadata"), pdf_name("/Subtype"): pdf_name("/XML")}
        reference = self._metadata()
        self.objects[(reference.generation, reference.idnum)] = StreamObject(names, stream_data=xmp)

    def written(self) -> bytes:
        """The document with its changes."""
        made = BytesIO()
        self.write(made)  # type: ignore[no-untyped-call]
        return made.getvalue()

    def _metadata(self) -> Any:
        return self.root.get_value_as_reference("/Metadata")
