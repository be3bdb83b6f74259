"""Issuing and presenting: what is emitted, byte by byte where the standard says so, and what is refused before signing."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import count
from typing import Any

import cbor2
import pytest
from cbor2 import CBORTag
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.mdoc import HOLDER, SIGNER, TRANSCRIPT, cose_key
from tests.support.pki import NOW, holder, new_key, root
from vc.cose import sign1
from vc.errors import Malformed, Refused, VerificationFailed
from vc.keys.signer import LocalSigner
from vc.mdoc import device_response, issue, issuer_signed, present
from vc.mdoc.verify import ETSI_NAMESPACE, Mdoc, verify_device, verify_issuer
from vc.status.reference import StatusReference
from vc.x509.certificate import der, sha256

DOCTYPE = "eu.europa.ec.eudi.test.1"
CORE = "org.iso.23220.1"
STATUS = StatusReference(uri="https://issuer.example/status/1", idx=300)
ELEMENTS: dict[str, dict[str, Any]] = {
    DOCTYPE: {
        "text": "Ærøskøbing",
        "long": "x" * 3000,
        "number": 7,
        "large": 2**40,
        "huge": 2**62,
        "negative": -5,
        "flag": True,
        "ratio": 0.5,
        "bytes": b"\x00\xff",
        "day": date(2026, 1, 31),
        "moment": datetime(2026, 1, 31, 14, 30, 15, 999999, tzinfo=timezone(timedelta(hours=2))),
        "places": [{"city": "Wrocław", "since": date(2025, 2, 28)}, {"city": "Praha"}],
        "pair": ("a", 1),
    },
    CORE: {"document_number": "A-1", "issue_date": date(2026, 1, 1)},
}
SHOWN = {
    DOCTYPE: {
        **ELEMENTS[DOCTYPE],
        "bytes": "AP8",
        "day": "2026-01-31",
        "moment": "2026-01-31T12:30:15Z",
        "places": [{"city": "Wrocław", "since": "2025-02-28"}, {"city": "Praha"}],
        "pair": ["a", 1],
    },
    CORE: {"document_number": "A-1", "issue_date": "2026-01-01"},
}


def counting() -> Callable[[int], bytes]:
    """Predictable bytes, never twice the same 16."""
    counter = count()
    return lambda size: b"".join(hashlib.sha256(next(counter).to_bytes(4)).digest() for _ in range(size // 32 + 1))[:size]


def prepare(namespaces: Mapping[str, Mapping[str, Any]] = ELEMENTS, **changes: Any) -> issue.PreparedMdoc:
    arguments: dict[str, Any] = {
        "doctype": DOCTYPE,
        "device_key": HOLDER.public_key,
        "signed": NOW,
        "valid_from": NOW,
        "valid_until": NOW + timedelta(days=90),
        "status": STATUS,
        "random_bytes": counting(),
        **changes,
    }
    return issue.prepare(namespaces, **arguments)


def issued(signer: LocalSigner = SIGNER, **changes: Any) -> bytes:
    return issue.sign(prepare(**changes), signer)


def decoded(data: bytes) -> Any:
    keep = {number: (lambda value, _, number=number: CBORTag(number, value)) for number in (0, 1004)}
    return cbor2.loads(data, semantic_decoders=keep)


def check(data: bytes, signer: LocalSigner = SIGNER) -> Mdoc:
    return verify_issuer(issuer_signed.parse(data), signer.public_key)


def test_what_is_issued_verifies_and_says_the_same() -> None:
    mdoc = check(issued())
    assert mdoc.namespaces == SHOWN
    assert (mdoc.doctype, mdoc.status, mdoc.short_lived) == (DOCTYPE, STATUS, False)
    assert (mdoc.validity.signed, mdoc.validity.valid_from, mdoc.validity.valid_until) == (NOW, NOW, NOW + timedelta(days=90))
    assert mdoc.device_key.public_numbers() == HOLDER.public_key.public_numbers()  # MDOC-ISS-8


def test_the_structure_is_the_standards() -> None:
    """MDOC-ISS-1 to -6, -9: read with another decoder, every member and every byte of the items."""
    credential = decoded(issued())
    assert list(credential) == ["nameSpaces", "issuerAuth"]
    header, unprotected, payload, signature = credential["issuerAuth"]
    assert unprotected == {33: der(SIGNER.chain[0])}
    assert decoded(header) == {1: -7, 34: [-16, sha256(SIGNER.chain[0])]}
    assert len(signature) == 64
    mso_bytes = decoded(payload)
    assert mso_bytes.tag == 24
    assert cbor2.dumps(mso_bytes) == payload
    mso = decoded(mso_bytes.value)
    assert cbor2.dumps(mso) == mso_bytes.value  # shortest form, definite lengths
    assert mso["validityInfo"] == {
        "signed": CBORTag(0, "2026-11-24T12:00:00Z"),
        "validFrom": CBORTag(0, "2026-11-24T12:00:00Z"),
        "validUntil": CBORTag(0, "2027-02-22T12:00:00Z"),
    }
    assert mso["deviceKeyInfo"] == {"deviceKey": cose_key(HOLDER)}
    assert mso["status"] == {"status_list": {"idx": 300, "uri": "https://issuer.example/status/1"}}
    assert (mso["version"], mso["digestAlgorithm"], mso["docType"]) == ("1.0", "SHA-256", DOCTYPE)
    assert list(credential["nameSpaces"]) == list(mso["valueDigests"]) == [DOCTYPE, CORE]
    randoms = []
    for namespace, items in credential["nameSpaces"].items():
        assert [entry.tag for entry in items] == [24] * len(ELEMENTS[namespace])
        contents = [decoded(entry.value) for entry in items]
        assert [cbor2.dumps(content) for content in contents] == [entry.value for entry in items]
        assert [list(content) for content in contents] == [["digestID", "random", "elementIdentifier", "elementValue"]] * len(items)
        assert [content["digestID"] for content in contents] == list(range(len(items)))
        assert mso["valueDigests"][namespace] == {
            content["digestID"]: hashlib.sha256(cbor2.dumps(entry)).digest() for content, entry in zip(contents, items, strict=True)
        }
        assert {content["elementIdentifier"] for content in contents} == ELEMENTS[namespace].keys()
        randoms += [content["random"] for content in contents]
    assert {len(random) for random in randoms} == {16}
    assert len(set(randoms)) == len(randoms)


def test_a_date_is_full_date_and_a_moment_is_tdate() -> None:
    credential = decoded(issued())
    values = {
        item["elementIdentifier"]: item["elementValue"] for item in (decoded(e.value) for e in credential["nameSpaces"][DOCTYPE])
    }
    assert values["day"] == CBORTag(1004, "2026-01-31")
    assert values["moment"] == CBORTag(0, "2026-01-31T12:30:15Z")
    assert values["places"][0]["since"] == CBORTag(1004, "2025-02-28")


def test_the_order_of_the_items_is_that_of_the_salts() -> None:
    """So the numbers of shown items say nothing about hidden ones: other salts, another order."""

    def order(data: bytes) -> list[str]:
        return [item.element for item in issuer_signed.parse(data).namespaces[DOCTYPE]]

    salts = iter([bytes(255 - n for n in range(16 * 15)), bytes(range(16 * 15))])
    backwards, forwards = issued(random_bytes=lambda _: next(salts)), issued(random_bytes=lambda _: next(salts))
    assert order(forwards) == list(ELEMENTS[DOCTYPE])
    assert order(backwards) == list(ELEMENTS[DOCTYPE])[::-1]


def test_copies_of_a_batch_share_nothing_but_the_content() -> None:  # MDOC-ISS-10
    source = counting()
    first, second = (decoded(issued(random_bytes=source, device_key=holder().public_key)) for _ in range(2))
    one, two = (decoded(decoded(copy["issuerAuth"][2]).value) for copy in (first, second))
    for namespace in ELEMENTS:
        assert set(one["valueDigests"][namespace].values()).isdisjoint(two["valueDigests"][namespace].values())


def test_random_bytes_are_asked_for_once() -> None:
    asked: list[int] = []

    def source(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    prepare(random_bytes=source)
    assert asked == [16 * 15]


def test_the_address_of_the_certificate_is_a_protected_uri() -> None:  # EAA-M-6, RFC 9360 §2
    data = issued(protected={35: "https://issuer.example/ds.cer", -70001: b"x"})
    header = decoded(decoded(data)["issuerAuth"][0])
    assert header == {1: -7, 34: [-16, sha256(SIGNER.chain[0])], 35: CBORTag(32, "https://issuer.example/ds.cer"), -70001: b"x"}
    assert check(data).doctype == DOCTYPE


def test_a_bare_key_gets_no_certificate_headers() -> None:
    unverified = issuer_signed.parse(issued(holder()))
    assert dict(unverified.issuer_auth.protected) == {1: -7}
    assert unverified.issuer_auth.unprotected == {}
    with pytest.raises(VerificationFailed) as failure:
        _ = unverified.chain
    assert failure.value.code == "x5chain_missing"


def test_a_chain_of_two_is_a_list_without_the_root() -> None:
    signer = root().authority("Test intermediate").leaf()
    data = issued(signer)
    assert decoded(data)["issuerAuth"][1] == {33: [der(certificate) for certificate in signer.chain]}
    assert len(issuer_signed.parse(data).chain) == 2
    assert check(data, signer).doctype == DOCTYPE


@pytest.mark.parametrize(("curve", "alg", "crv"), [(ec.SECP384R1(), -35, 2), (ec.SECP521R1(), -36, 3)])
def test_other_curves_for_issuer_and_device(curve: ec.EllipticCurve, alg: int, crv: int) -> None:
    signer, device = root().leaf(key=new_key(curve)), LocalSigner(new_key(curve))
    data = issued(signer, device_key=device.public_key)
    unverified = issuer_signed.parse(data)
    assert unverified.issuer_auth.protected[1] == alg
    mdoc = check(data, signer)
    assert mdoc.device_key.public_numbers() == device.public_key.public_numbers()
    mso = decoded(decoded(decoded(data)["issuerAuth"][2]).value)
    assert mso["deviceKeyInfo"]["deviceKey"][-1] == crv
    response = present.present(data, doctype=DOCTYPE, disclose=None, holder=device, session_transcript=TRANSCRIPT)
    document = device_response.parse(response).sole_document()
    assert verify_device(document, mdoc, session_transcript=TRANSCRIPT) == {}


def test_without_a_status_there_is_no_status_member() -> None:
    data = issued(status=None, namespaces={ETSI_NAMESPACE: {"shortLived": True}})
    assert check(data).status is None
    assert check(data).short_lived is True
    assert "status" not in decoded(decoded(decoded(data)["issuerAuth"][2]).value)


def test_moments_in_any_zone_become_utc_seconds() -> None:
    zone = timezone(timedelta(hours=-5, minutes=-30))
    signed = datetime(2026, 11, 24, 6, 30, 0, 123456, tzinfo=zone)
    assert check(issued(signed=signed, valid_from=signed)).validity.signed == NOW == datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_from": NOW - timedelta(seconds=1)},
        {"valid_until": NOW},
        {"valid_until": NOW - timedelta(days=1)},
        {"valid_until": NOW + timedelta(microseconds=999_999)},
    ],
    ids=["from before signed", "until equals from", "until before from", "equal in whole seconds"],
)
def test_dates_out_of_order_are_not_prepared(changes: dict[str, Any]) -> None:  # MDOC-ISS-7
    with pytest.raises(Malformed) as failure:
        prepare(**changes)
    assert failure.value.code == "mdoc_validity"


@pytest.mark.parametrize(
    ("namespaces", "changes"),
    [({}, {}), ({CORE: {}}, {}), ({"": {"x": 1}}, {}), ({CORE: {"": 1}}, {}), ({CORE: {"x": 1}}, {"doctype": ""})],
)
def test_nothing_is_not_issued(namespaces: dict[str, Any], changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as failure:
        prepare(namespaces, **changes)
    assert failure.value.code == "mdoc_empty"


def test_more_items_than_a_verifier_reads_are_not_issued() -> None:
    assert len(check(issued(namespaces={CORE: {f"e{n}": n for n in range(1000)}})).disclosed) == 1000
    with pytest.raises(Malformed) as failure:
        prepare({CORE: {f"e{n}": n for n in range(999)}, DOCTYPE: {"x": 1, "y": 2}})
    assert failure.value.code == "too_large"


def test_a_status_and_short_lived_exclude_each_other() -> None:
    with pytest.raises(Malformed) as failure:
        prepare({ETSI_NAMESPACE: {"shortLived": True}})
    assert failure.value.code == "status_and_short_lived"
    assert check(issued(namespaces={ETSI_NAMESPACE: {"shortLived": False}})).status == STATUS


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "element_value"), (object(), "element_value"), ({1: 2}, "element_value"), ({"a": None}, "element_value"),
        ([float("nan")], "element_value"), (float("inf"), "element_value"),
        (2**63, "element_value"), (-(2**63) - 1, "element_value"),
        (datetime(2026, 1, 1), "element_value"), (CBORTag(0, "x"), "element_value"), ("\ud800", "text"), (["\ud800"], "text"),  # noqa: DTZ001
        ({"\ud800": 1}, "text"),
    ],
)  # fmt: skip
def test_values_an_element_cannot_have(value: Any, code: str) -> None:
    with pytest.raises(Malformed) as failure:
        prepare({CORE: {"good": "x", "bad": value}})
    assert (failure.value.code, failure.value.pointer) == (code, f"/{CORE}/bad")


class Kind(str):
    """Text by inheritance, as enumerations are."""

    __slots__ = ()


def test_kinds_that_inherit_from_text_and_number() -> None:
    assert check(issued(namespaces={CORE: {"kind": Kind("a"), "zero": 0, "lowest": -(2**63)}})).namespaces == {
        CORE: {"kind": "a", "zero": 0, "lowest": -(2**63)}
    }


# Presenting --------------------------------------------------------------------------------------------------------------------


def shown(disclose: Any, **changes: Any) -> device_response.UnverifiedDocument:
    response = present.present(
        issued(), **{"doctype": DOCTYPE, "disclose": disclose, "holder": HOLDER, "session_transcript": TRANSCRIPT, **changes}
    )
    return device_response.parse(response).sole_document()


@pytest.mark.parametrize(
    "disclose",
    [
        {(DOCTYPE, "text")},
        {(DOCTYPE, "text"), (DOCTYPE, "day"), (CORE, "document_number")},
        [(CORE, "issue_date"), (CORE, "issue_date")],
        set(),
        None,
    ],
    ids=["one", "two namespaces", "twice", "nothing", "everything"],
)
def test_exactly_what_was_chosen_is_shown(disclose: Any) -> None:
    document = shown(disclose)
    mdoc = verify_issuer(document.issuer_signed, SIGNER.public_key)
    everything = {(namespace, element) for namespace, elements in ELEMENTS.items() for element in elements}
    assert set(mdoc.disclosed) == (everything if disclose is None else set(disclose))
    assert all(mdoc.namespaces[namespace][element] == SHOWN[namespace][element] for namespace, element in mdoc.disclosed)
    assert verify_device(document, mdoc, session_transcript=TRANSCRIPT) == {}
    assert document.signature is not None
    assert document.signature.payload is None  # detached, external_aad empty (MDOC-VER-7)


def test_the_bytes_of_the_issuer_go_out_unchanged() -> None:
    data = issued()
    document = device_response.parse(
        present.present(data, doctype=DOCTYPE, disclose={(DOCTYPE, "text")}, holder=HOLDER, session_transcript=TRANSCRIPT)
    ).sole_document()
    assert document.issuer_signed.namespaces[DOCTYPE][0].received in data
    held = issuer_signed.parse(data).issuer_auth
    assert document.issuer_signed.issuer_auth == held


def test_the_response_is_the_standards() -> None:
    data = present.present(issued(), doctype=DOCTYPE, disclose=set(), holder=HOLDER, session_transcript=TRANSCRIPT)
    response = decoded(data)
    assert cbor2.dumps(response) == data
    assert (list(response), response["version"], response["status"]) == (["version", "documents", "status"], "1.0", 0)
    assert response["documents"][0]["deviceSigned"]["nameSpaces"] == CBORTag(24, b"\xa0")
    assert list(response["documents"][0]["deviceSigned"]["deviceAuth"]) == ["deviceSignature"]  # EAA-P-5
    assert "nameSpaces" not in response["documents"][0]["issuerSigned"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"doctype": "org.example.other"}, "mdoc_doctype"),
        ({"disclose": {(DOCTYPE, "text"), (DOCTYPE, "unknown")}}, "element_unknown"),
        ({"disclose": {("unknown", "text")}}, "element_unknown"),
    ],
)
def test_what_the_wallet_does_not_hold(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as failure:
        shown(**{"disclose": set(), **changes})
    assert failure.value.code == code


def test_the_headers_of_one_signer_are_not_those_of_another() -> None:
    """They are remembered by certificate, algorithm and address."""
    other = root().leaf()
    for signer in (SIGNER, other, SIGNER):
        header = sign1.parse(decoded(issued(signer))["issuerAuth"])
        assert header.protected[34] == [-16, sha256(signer.chain[0])]
        assert sign1.chain_of(header) == signer.chain


def test_remembered_headers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issue, "_MAX_REMEMBERED", 2)
    monkeypatch.setattr(issue, "_remembered", {})
    for signer in [root().leaf() for _ in range(3)]:
        for _ in range(2):
            assert check(issued(signer), signer).doctype == DOCTYPE
        assert len(issue._remembered) <= 2


def test_the_same_id_for_another_chain_is_not_the_same_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    other = root().leaf()
    made = issue._headers(-7, other.chain, ())
    monkeypatch.setattr(issue, "_remembered", {(-7, id(SIGNER.chain), ()): made})
    assert issuer_signed.parse(issued()).chain == SIGNER.chain
