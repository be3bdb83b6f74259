"""XML from strangers, read without any of the dangers of XML: no document type, no entity, no network, bounded."""

from lxml import etree

from vc.errors import Malformed

MAX_XML = 16 << 20
"""The longest national list in the field has about half of it."""
_BOM = b"\xef\xbb\xbf"


def read(data: bytes) -> etree._Element:
    """The root element of `data`.

    Only UTF-8 is read, whatever the document says of itself: so that a document type, the door to entities and to other files,
    is seen in the octets before any parser acts on it. Raises `Malformed` with `too_large`, `xml_dtd`, `xml_instruction` or
    `xml`.
    """
    if len(data) > MAX_XML:
        raise Malformed("too_large", "the list is too long")
    if b"<!DOCTYPE" in data:
        raise Malformed("xml_dtd", "the list declares a document type, which no trusted list needs")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, dtd_validation=False, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(data.removeprefix(_BOM), parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise Malformed("xml", "not readable XML in UTF-8") from exc
    if next(root.iter(etree.PI), None) is not None:
        raise Malformed("xml_instruction", "the list holds a processing instruction, which would cut its texts")
    return root
