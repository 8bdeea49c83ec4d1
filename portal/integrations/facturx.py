"""What makes a PDF with an invoice inside a Factur-X: its metadata say so.

Programs look there, not at the attachment (Factur-X 1.0.7 and ZUGFeRD 2.3, technical annex 6.2); PDF/A wants the
properties' own schema declared beside them (ISO 19005-3, 6.6.2.3).
"""

from portal.integrations.einvoice import FILE_NAME
from portal.integrations.pdf_updates import DocumentUpdate

_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
# The last one names the profile that `einvoice.PROFILE` stands for.
_PROPERTIES = {
    "DocumentType": ("INVOICE", "The type of the hybrid document"),
    "DocumentFileName": (FILE_NAME, "The name of the embedded XML document"),
    "Version": ("1.0", "The actual version of the standard applying to the embedded XML document"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML document"),
}
_SCHEMAS = b"<pdfaExtension:schemas><rdf:Bag>"
_END = b"</rdf:RDF>"


def declare_factur_x(document: bytes) -> bytes:
    """The PDF/A-3 with the properties of Factur-X added to its metadata, which stay as they are.

    Raises ValueError where the document's metadata are not what the typesetter writes.
    """
    update = DocumentUpdate(document)
    xmp = update.read_metadata()
    if xmp.count(_SCHEMAS) != 1 or xmp.count(_END) != 1:
        raise ValueError("the metadata have no place for another schema")
    update.replace_metadata(
        xmp.replace(_SCHEMAS, _SCHEMAS + _schema().encode()).replace(_END, _values().encode() + _END)
    )
    return update.written()


def _schema() -> str:
    properties = "".join(
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
        for name, (_, description) in _PROPERTIES.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )


def _values() -> str:
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _PROPERTIES.items())
    return f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{values}</rdf:Description>'
