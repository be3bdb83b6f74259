"""qcStatements (RFC 3739 §3.2.6) and the statement of a public sector body, QcPSB (ETSI TS 119 412-6 clause 8).

TS 119 412-6 V1.1.1 names the OID of QcPSB without numbering it; `QC_PSB` is the arc that readers in the field use, and
callers may hand in another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from asn1crypto.core import Any as AnyValue
from asn1crypto.core import ObjectIdentifier, PrintableString, SequenceOf, UTF8String
from asn1crypto.core import Sequence as Asn1Sequence
from cryptography import x509

from vc.errors import Malformed

QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
QC_COMPLIANCE = "0.4.0.1862.1.1"
QC_SSCD = "0.4.0.1862.1.4"
QC_TYPE = "0.4.0.1862.1.6"
QC_TYPE_ESEAL = "0.4.0.1862.1.6.2"
QC_PSB = "0.4.0.194126.1.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class QcPsb:
    """`country`: country of the legislation, two letters or `EU`. `authentic_source`, `legislation`: as stated."""

    country: str
    authentic_source: str
    legislation: str


class _PublicSectorBody(Asn1Sequence):  # type: ignore[misc]  # asn1crypto has no type information
    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("country_of_legislation", PrintableString),
        ("auth_source_identification", UTF8String),
        ("legislation_identification", UTF8String),
    ]


class _Statement(Asn1Sequence):  # type: ignore[misc]  # as above
    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("statement_id", ObjectIdentifier),
        ("statement_info", AnyValue, {"optional": True}),
    ]


class _Statements(SequenceOf):  # type: ignore[misc]  # as above
    _child_spec = _Statement


class _Identifiers(SequenceOf):  # type: ignore[misc]  # as above
    _child_spec = ObjectIdentifier


def extension(psb: QcPsb | None, *, qualified: bool = False, psb_oid: str = QC_PSB) -> x509.UnrecognizedExtension:
    """The qcStatements extension (to be marked not critical) with QcPSB, and for `qualified` seals also QcCompliance, QcSSCD
    and QcType eseal. At least one statement must result, otherwise ValueError (a programming error)."""
    statements: list[dict[str, Any]] = []
    if qualified:
        statements += [
            {"statement_id": QC_COMPLIANCE},
            {"statement_id": QC_SSCD},
            {"statement_id": QC_TYPE, "statement_info": AnyValue(_Identifiers([QC_TYPE_ESEAL]))},
        ]
    if psb is not None:
        body = _PublicSectorBody(
            {
                "country_of_legislation": psb.country,
                "auth_source_identification": psb.authentic_source,
                "legislation_identification": psb.legislation,
            }
        )
        statements.append({"statement_id": psb_oid, "statement_info": AnyValue(body)})
    if not statements:
        raise ValueError("an extension without statements says nothing")
    return x509.UnrecognizedExtension(QC_STATEMENTS, bytes(_Statements(statements).dump()))


def statements(certificate: x509.Certificate) -> dict[str, bytes]:
    """Statement OIDs of the certificate with the DER of their information (empty when there is none).

    A certificate without the extension gives an empty mapping; raises `Malformed("qc_statements")` when it cannot be read
    or a statement occurs twice.
    """
    try:
        found = certificate.extensions.get_extension_for_oid(QC_STATEMENTS).value
    except x509.ExtensionNotFound:
        return {}
    raw = found.value if isinstance(found, x509.UnrecognizedExtension) else found.public_bytes()
    parsed: dict[str, bytes] = {}
    for statement in _sequence(raw):
        members = _members(statement, _SEQUENCE)
        if not 1 <= len(members) <= 2:
            raise Malformed("qc_statements", "a qcStatement is an identifier with at most one value")
        oid = _dotted(_content(members[0], _OID))
        if oid in parsed:
            raise Malformed("qc_statements", "a qcStatement occurs twice")
        parsed[oid] = members[1] if len(members) == 2 else b""
    return parsed


def public_sector_body(certificate: x509.Certificate, *, psb_oids: Sequence[str] = (QC_PSB,)) -> QcPsb | None:
    """The QcPSB statement of the certificate, None when it has none. Raises `Malformed("qc_statements")`."""
    found = statements(certificate)
    information = next((found[oid] for oid in psb_oids if oid in found), None)
    if information is None:
        return None
    members = _sequence(information)
    if len(members) != 3:
        raise Malformed("qc_statements", "the QcPSB statement has not three members")
    try:
        country = _content(members[0], _PRINTABLE).decode("ascii")
        psb = QcPsb(
            country=country,
            authentic_source=_content(members[1], _UTF8).decode("utf-8"),
            legislation=_content(members[2], _UTF8).decode("utf-8"),
        )
    except UnicodeDecodeError as exc:
        raise Malformed("qc_statements", "a text of the QcPSB statement cannot be read") from exc
    if len(country) != 2 or not (country.isalpha() and country.isupper()):
        raise Malformed("qc_statements", "the QcPSB statement names no country of two letters")
    return psb


_SEQUENCE, _OID, _PRINTABLE, _UTF8 = 0x30, 0x06, 0x13, 0x0C


def _sequence(der: bytes) -> list[bytes]:
    return _members(der, _SEQUENCE)


def _members(der: bytes, tag: int) -> list[bytes]:
    """The elements inside a constructed element, each with its header."""
    content, members = _content(der, tag), []
    while content:
        size = _size(content)
        members.append(content[:size])
        content = content[size:]
    return members


def _content(der: bytes, tag: int) -> bytes:
    """The content octets of the one element that `der` is, which must bear `tag`."""
    if not der or der[0] != tag or _size(der) != len(der):
        raise Malformed("qc_statements", "the qcStatements extension cannot be read")
    return der[2:] if der[1] < 0x80 else der[2 + (der[1] & 0x7F) :]


def _size(der: bytes) -> int:
    """Octets of the first element with its header, by the distinguished encoding: definite length in its shortest form."""
    if len(der) < 2:
        raise Malformed("qc_statements", "the qcStatements extension ends too early")
    length, header = der[1], 2
    if length >= 0x80:
        header += length & 0x7F
        length = int.from_bytes(der[2:header], "big")
        if header not in (3, 4) or length < (0x80, 0x100)[header - 3]:
            raise Malformed("qc_statements", "a length in qcStatements is not in its shortest form")
    if len(der) < header + length:
        raise Malformed("qc_statements", "the qcStatements extension ends too early")
    return header + length


def _dotted(content: bytes) -> str:
    """An object identifier (X.690 §8.19) as dotted text."""
    arcs, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(value)
            value = 0
    if not arcs or content[-1] >= 0x80 or len(content) > 64:
        raise Malformed("qc_statements", "an identifier in qcStatements cannot be read")
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))
