"""qcStatements and QcPSB (RFC 3739 §3.2.6, ETSI TS 119 412-6 clause 8)."""

import pytest
from asn1crypto.core import UTF8String
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pki import root
from vc.errors import Malformed
from vc.x509 import qc

PSB = qc.QcPsb(country="FR", authentic_source="urn:example:source", legislation="Code, art. é-1")
AUTHORITY = root()


def certificate(value: bytes | None) -> x509.Certificate:
    more = () if value is None else ((x509.UnrecognizedExtension(qc.QC_STATEMENTS, value), False),)
    return AUTHORITY.leaf(more=more).chain[0]


def test_writes_what_it_reads() -> None:
    written = certificate(qc.extension(PSB, qualified=True).value)
    assert qc.public_sector_body(written) == PSB
    assert set(qc.statements(written)) == {qc.QC_COMPLIANCE, qc.QC_SSCD, qc.QC_TYPE, qc.QC_PSB}
    assert qc.statements(written)[qc.QC_COMPLIANCE] == b""


@pytest.mark.parametrize("length", [1, 100, 130, 300, 5000])
def test_texts_of_any_length(length: int) -> None:
    long = qc.QcPsb(country="EU", authentic_source="x" * length, legislation="y")
    assert qc.public_sector_body(certificate(qc.extension(long).value)) == long


def test_absence_is_no_fault() -> None:
    assert qc.statements(certificate(None)) == {}
    assert qc.public_sector_body(certificate(None)) is None
    assert qc.public_sector_body(certificate(qc.extension(None, qualified=True).value)) is None


def test_the_number_of_the_statement_can_be_set() -> None:
    written = certificate(qc.extension(PSB, psb_oid="1.2.3.4").value)
    assert qc.public_sector_body(written) is None
    assert qc.public_sector_body(written, psb_oids=(qc.QC_PSB, "1.2.3.4")) == PSB


def test_nothing_to_say_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="says nothing"):
        qc.extension(None)


GOOD = qc.extension(PSB).value


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x00",
        b"\x30\x80",
        GOOD + b"\x00",
        GOOD[:-1],
        UTF8String("text").dump(),
        bytes([0x30, 2 * (len(GOOD) - 2)]) + GOOD[2:] * 2,  # the statement twice
        bytes([0x30, 0x0B, 0x30, 0x09]) + bytes.fromhex("0607 0400 8bec 4e01 03"),  # QcPSB without information
        GOOD.replace(b"\x13\x02FR", b"\x13\x02fr"),
        GOOD.replace(b"urn:", b"\xff\xfe\xfd\xfc"),
        bytes.fromhex("30800606040060000000"),
        bytes.fromhex("3081020000"),  # a length that is not the shortest
        bytes.fromhex("308300000100"),
        bytes.fromhex("3004300206 00".replace(" ", "")),  # an empty identifier
        bytes.fromhex("3005300306 0181".replace(" ", "")),  # an identifier that does not end
        bytes.fromhex("30023000"),  # a statement without identifier
        bytes.fromhex("3001"),
        bytes.fromhex("30103010060704008bec4e010330051302465205 00".replace(" ", "")),  # QcPSB with a null
        bytes.fromhex("30133011060704008bec4e0103300613024652 0c00".replace(" ", "")),  # QcPSB with two members
        GOOD.replace(b"\x13\x02FR", b"\x0c\x02FR"),  # another string type
        GOOD.replace(b"\x13\x02FR", b"\x13\x02F1"),
        bytes.fromhex("300130"),  # a list that ends in the middle of a header
    ],
    ids=[
        "empty", "null", "indefinite", "trailing", "short", "text", "twice", "bare", "small-letters", "not-utf8", "indefinite-2",
        "long-length", "three-octet-length", "empty-oid", "endless-oid", "no-oid",
        "no-content", "null-member", "two-members", "string-type", "digit", "half-header",
    ],
)  # fmt: skip
def test_refuses(value: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        qc.public_sector_body(certificate(value))
    assert caught.value.code == "qc_statements"


altered = st.builds(
    lambda at, octet: GOOD[:at] + bytes([octet]) + GOOD[at + 1 :], st.integers(0, len(GOOD) - 1), st.integers(0, 255)
)


@given(st.binary(max_size=80) | altered)
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_statement_or_our_error(value: bytes) -> None:
    code = "none"
    try:
        found = qc.public_sector_body(certificate(value))
        assert found is None or len(found.country) == 2
    except Malformed as error:
        code = error.code
    assert code in ("none", "qc_statements")
