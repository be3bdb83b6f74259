"""Every rule of MDOC-VER, VP-MDOC and SECURITY 2.6 that concerns this layer: a good document, and one broken in each place."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cbor2 import CBORTag
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.mdoc import (
    ABSENT,
    DOCTYPE,
    FIRST,
    HOLDER,
    SECOND,
    SIGNER,
    TRANSCRIPT,
    Forge,
    cose_key,
    item,
    items,
    sign1,
    tagged,
    tdate,
)
from tests.support.pki import NOW, holder, new_key, root
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.keys.signer import LocalSigner
from vc.mdoc import device_auth, device_response, handover, issuer_signed
from vc.mdoc.verify import ETSI_NAMESPACE, Mdoc, verify_device, verify_issuer
from vc.x509.certificate import der, sha256

KEY = SIGNER.public_key
STATUS = {"status_list": {"idx": 7, "uri": "https://issuer.example/status/1"}}


def check(forge: Forge, key: ec.EllipticCurvePublicKey = KEY) -> Mdoc:
    """Issuer's and holder's part, as a verifier runs them."""
    document = device_response.parse(forge.response()).sole_document()
    mdoc = verify_issuer(document.issuer_signed, key)
    verify_device(document, mdoc, session_transcript=TRANSCRIPT)
    return mdoc


def refused(forge: Forge, kind: type[VcError], code: str, key: ec.EllipticCurvePublicKey = KEY) -> VcError:
    with pytest.raises(kind) as failure:
        check(forge, key)
    assert failure.value.code == code, failure.value
    assert type(failure.value) is kind
    return failure.value


def altered(namespace: str, place: int, **changes: Any) -> Forge:
    """A document whose MSO is about the good items while one item says something else."""
    good = Forge()
    broken = items()
    members = cbor2.loads(broken[namespace][place], semantic_decoders={1004: lambda value, _: CBORTag(1004, value)})
    broken[namespace][place] = cbor2.dumps({**members, **changes})
    return Forge(items=broken, digests=good.value_digests())


def test_a_good_document_is_what_the_issuer_said() -> None:
    mdoc = check(Forge(mso={"status": STATUS}))
    assert mdoc.namespaces == {FIRST: {"first": "one", "middle": 2, "last": "2026-01-31"}, SECOND: {"only": True}}
    assert mdoc.disclosed == {(FIRST, "first"), (FIRST, "middle"), (FIRST, "last"), (SECOND, "only")}
    assert mdoc.doctype == DOCTYPE
    assert (mdoc.validity.signed, mdoc.validity.valid_from, mdoc.validity.valid_until) == (NOW, NOW, NOW + timedelta(days=90))
    assert mdoc.validity.expected_update is None
    assert mdoc.status is not None
    assert (mdoc.status.uri, mdoc.status.idx) == ("https://issuer.example/status/1", 7)
    assert mdoc.device_key.public_numbers() == HOLDER.public_key.public_numbers()
    assert mdoc.short_lived is False


@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-384", "SHA-512"])
def test_each_digest_algorithm(algorithm: str) -> None:
    assert check(Forge(algorithm=algorithm)).mso.digest_algorithm == algorithm


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_a_signature_on_another_curve_needs_the_algorithm_of_that_curve(curve: ec.EllipticCurve) -> None:
    signer = root().leaf(key=new_key(curve))
    refused(Forge(signer=signer), Refused, "cose_alg", signer.public_key)
    row = {"secp384r1": -35, "secp521r1": -36}[curve.name]
    assert check(Forge(signer=signer, protected={1: row}), signer.public_key).doctype == DOCTYPE


def test_expected_update_and_unknown_members_are_read_past() -> None:
    forge = Forge(validity={"expectedUpdate": tdate(30)}, mso={"future": [1, {"a": None}]}, key_info={"keyInfo": {-1: "x"}})
    assert check(forge).validity.expected_update == NOW + timedelta(days=30)


def test_an_empty_selection_is_a_document_too() -> None:
    value = Forge().response_value()
    del value["documents"][0]["issuerSigned"]["nameSpaces"]
    document = device_response.parse(cbor2.dumps(value)).sole_document()
    assert verify_issuer(document.issuer_signed, KEY).namespaces == {}


# MDOC-VER-2, M-1: the signature ----------------------------------------------------------------------------------------------


def test_the_issuer_signature_counts() -> None:
    refused(Forge(), VerificationFailed, "signature", new_key().public_key())
    value = Forge().issuer_signed_value()
    auth = value["issuerAuth"]
    auth[3] = auth[3][:-1] + bytes((auth[3][-1] ^ 1,))
    with pytest.raises(VerificationFailed) as failure:
        verify_issuer(issuer_signed.parse(cbor2.dumps(value)), KEY)
    assert failure.value.code == "signature"


def test_the_mso_of_another_document_is_not_this_ones() -> None:
    other = Forge(mso={"docType": "org.example.other"}).issuer_signed_value()
    value = Forge().issuer_signed_value()
    value["issuerAuth"][2] = other["issuerAuth"][2]
    with pytest.raises(VerificationFailed) as failure:
        verify_issuer(issuer_signed.parse(cbor2.dumps(value)), KEY)
    assert failure.value.code == "signature"


@pytest.mark.parametrize("alg", [None, -8, -35, -257, 5, "ES256", True])
def test_only_the_algorithm_of_the_key(alg: Any) -> None:
    refused(Forge(protected={1: alg}), Refused, "cose_alg")


def test_rfc_9864_number_is_the_same_algorithm() -> None:
    assert check(Forge(protected={1: -9})).doctype == DOCTYPE


def test_algorithms_can_be_narrowed() -> None:
    document = device_response.parse(Forge().response()).sole_document()
    with pytest.raises(Refused):
        verify_issuer(document.issuer_signed, KEY, algorithms=[-35])
    mdoc = verify_issuer(document.issuer_signed, KEY)
    with pytest.raises(Refused):
        verify_device(document, mdoc, session_transcript=TRANSCRIPT, algorithms=[-35])


def test_extra_protected_headers_are_accepted() -> None:  # EAA-M-6, PROTOCOLS 8 no. 4
    headers = {34: [-16, sha256(SIGNER.chain[0])], 35: CBORTag(32, "https://issuer.example/ds.cer"), -70000: {"x": 1}}
    assert check(Forge(protected=headers)).doctype == DOCTYPE


@pytest.mark.parametrize("x5t", [[-16, bytes(32)], [-43, b""], b"x", [], 7, {}])
def test_x5t_must_name_the_signers_certificate(x5t: Any) -> None:
    refused(Forge(protected={34: x5t}), VerificationFailed, "x5t")


@pytest.mark.parametrize(
    ("unprotected", "protected", "code"),
    [
        pytest.param({}, {}, "x5chain_missing", id="none"),
        pytest.param({33: []}, {}, "x5chain", id="empty"),
        pytest.param({33: "text"}, {}, "x5chain", id="not bytes"),
        pytest.param({33: b"nonsense"}, {}, "certificate", id="not a certificate"),
        pytest.param({33: der(SIGNER.chain[0])}, {33: der(SIGNER.chain[0])}, "cose_header_twice", id="in both headers"),
    ],
)
def test_x5chain(unprotected: Any, protected: dict[int, Any], code: str) -> None:
    with pytest.raises(VcError) as failure:
        check(Forge(unprotected=unprotected, protected=protected))
    assert failure.value.code == code


def test_x5chain_as_a_list_or_in_the_protected_header() -> None:
    certificate = der(SIGNER.chain[0])
    for forge in (Forge(unprotected={33: [certificate]}), Forge(unprotected={}, protected={33: certificate})):
        document = device_response.parse(forge.response()).sole_document()
        assert document.issuer_signed.chain == SIGNER.chain
        assert check(forge).doctype == DOCTYPE


# MDOC-VER-3, M-2, R-6: digests -----------------------------------------------------------------------------------------------

PLACES = [(FIRST, 0), (FIRST, 1), (FIRST, 2), (SECOND, 0)]


@pytest.mark.parametrize(("namespace", "place"), PLACES)
@pytest.mark.parametrize(
    "change", [{"elementValue": "other"}, {"elementIdentifier": "renamed"}, {"random": bytes(16)}, {"more": 1}]
)
def test_any_change_in_any_item_of_any_namespace(namespace: str, place: int, change: dict[str, Any]) -> None:
    refused(altered(namespace, place, **change), VerificationFailed, "mdoc_digest")


def test_an_item_under_another_digest_id() -> None:
    assert refused(altered(FIRST, 2, digestID=9), VerificationFailed, "mdoc_digest_missing").pointer == f"/{FIRST}/last"
    forge = altered(FIRST, 0, digestID=5)
    forge.digests[FIRST][5] = forge.digests[FIRST][0][::-1]
    refused(forge, VerificationFailed, "mdoc_digest")


def test_a_namespace_the_issuer_did_not_sign() -> None:
    forge = Forge(digests={FIRST: Forge().value_digests()[FIRST]})
    assert refused(forge, VerificationFailed, "mdoc_digest_missing").pointer == f"/{SECOND}"


def test_two_swapped_items() -> None:
    swapped = items()
    first, second = (cbor2.loads(swapped[FIRST][place]) for place in (0, 1))
    swapped[FIRST][0] = item(0, first["elementIdentifier"], second["elementValue"])
    swapped[FIRST][1] = item(1, second["elementIdentifier"], first["elementValue"])
    refused(Forge(items=swapped, digests=Forge().value_digests()), VerificationFailed, "mdoc_digest")


def test_an_item_whose_inner_encoding_changed() -> None:
    """The same item with a long-form length: equal when decoded, not equal in bytes (M-2, M-7)."""
    broken = items()
    broken[FIRST][0] = broken[FIRST][0].replace(b"\x63one", b"\x78\x03one")
    assert cbor2.loads(broken[FIRST][0])["elementValue"] == "one"
    refused(Forge(items=broken, digests=Forge().value_digests()), VerificationFailed, "mdoc_digest")
    assert check(Forge(items=broken)).namespaces[FIRST]["first"] == "one"  # signed like this, the received bytes count


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_item_whose_tag_was_encoded_anew(place: int) -> None:
    content = items()[FIRST][place]
    short = tagged(content)
    for head in (b"\xd8\x18\x59" + len(content).to_bytes(2, "big"), b"\xd8\x18\x5a" + len(content).to_bytes(4, "big")):
        response = Forge().response().replace(short, head + content)
        with pytest.raises(Malformed) as failure:
            device_response.parse(response)
        assert failure.value.code == "tag24"


# R-15, M-7: a right digest does not make broken content good -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(item(-1, "x", 1), "issuer_signed", id="negative id"),
        pytest.param(item(2**31, "x", 1), "issuer_signed", id="id 2^31"),
        pytest.param(item("0", "x", 1), "issuer_signed", id="id as text"),
        pytest.param(item(True, "x", 1), "issuer_signed", id="id true"),
        pytest.param(item(ABSENT, "x", 1, digestID=ABSENT), "issuer_signed", id="no id"),
        pytest.param(item(5, "x", 1, random=bytes(15)), "issuer_signed", id="15 random bytes"),
        pytest.param(item(5, "x", 1, random="x" * 16), "issuer_signed", id="random as text"),
        pytest.param(item(5, "x", 1, random=ABSENT), "issuer_signed", id="no random"),
        pytest.param(item(5, 7, 1), "issuer_signed", id="name is a number"),
        pytest.param(item(5, "", 1), "issuer_signed", id="empty name"),
        pytest.param(item(5, "a\x00b", 1), "issuer_signed", id="null character in the name"),
        pytest.param(item(5, "x", ABSENT), "issuer_signed", id="no value"),
        pytest.param(item(0, "x", 1), "issuer_signed", id="a digest id twice"),
        pytest.param(item(5, "first", 1), "issuer_signed", id="an element twice"),
        pytest.param(item(5, "x", float("nan")), "element_value", id="NaN"),
        pytest.param(item(5, "x", float("inf")), "element_value", id="infinity"),
        pytest.param(item(5, "x", None), "element_value", id="nil"),
        pytest.param(item(5, "x", cbor2.undefined), "element_value", id="undefined"),
        pytest.param(item(5, "x", cbor2.CBORSimpleValue(99)), "element_value", id="simple value"),
        pytest.param(item(5, "x", CBORTag(24, b"\x01")), "element_value", id="tag 24"),
        pytest.param(item(5, "x", CBORTag(32, "https://x")), "element_value", id="tag 32"),
        pytest.param(item(5, "x", {1: "a"}), "element_value", id="a number as member name"),
        pytest.param(item(5, "x", {"a\x00": 1}), "element_value", id="null character in a member name"),
        pytest.param(item(5, "x", {"a": [{"b": "\x00"}]}), "element_value", id="null character deep inside"),
        pytest.param(item(5, "x", -(2**64)), "element_value", id="below 64 bits"),
        pytest.param(item(5, "x", 2**63), "element_value", id="above 63 bits"),
        pytest.param(item(5, "x", CBORTag(1004, "2026-02-30")), "full_date", id="no such day"),
        pytest.param(item(5, "x", CBORTag(1004, "2026-1-3")), "full_date", id="day in short"),
        pytest.param(item(5, "x", CBORTag(0, "2026-01-01T00:00:00.5Z")), "tdate", id="fraction of a second"),
        pytest.param(item(5, "x", CBORTag(28, 1)), "cbor_tag", id="shared reference"),
        pytest.param(item(5, "x", CBORTag(35, "a+")), "cbor_tag", id="regular expression"),
        pytest.param(item(5, "x", CBORTag(4, [10**9, 1])), "cbor_tag", id="decimal fraction"),
        pytest.param(item(5, "x", CBORTag(258, [1])), "cbor_tag", id="set"),
        pytest.param(item(5, "x", 1) + b"\x00", "cbor", id="bytes after the item"),
        pytest.param(item(5, "x", 1)[:-1], "cbor", id="a byte short"),
        pytest.param(b"", "cbor", id="empty"),
        pytest.param(b"\x80", "issuer_signed", id="a list"),
        pytest.param(b"\xa5" + item(5, "x", 1)[1:] + b"\x68digestID\x06", "cbor", id="member twice"),
        pytest.param(b"\xbf" + item(5, "x", 1)[1:] + b"\xff", "cbor", id="indefinite map"),
        pytest.param(item(5, "x", 1)[:-1] + b"\x81" * 60 + b"\x00", "cbor", id="60 deep"),
    ],
)
def test_broken_item_with_a_right_digest(content: bytes, code: str) -> None:
    broken = items()
    broken[FIRST].insert(1, content)
    digests = Forge().value_digests()
    digests[FIRST][5] = hashlib.sha256(tagged(content)).digest()
    with pytest.raises(Malformed) as failure:
        check(Forge(items=broken, digests=digests))
    assert failure.value.code == code


def test_items_of_two_contents_that_only_together_are_cbor() -> None:
    """Each tag-24 content must be one item by itself."""
    both = item(5, "x", 1) + item(6, "y", 2)
    broken = items()
    broken[FIRST] += [both[:40], both[40:]]
    with pytest.raises(Malformed) as failure:
        check(Forge(items=broken, digests=Forge().value_digests()))
    assert failure.value.code == "cbor"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"), (True, True), (-5, -5), (2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)), (1.5, 1.5),
        (b"\xff\xfe", "__4"), ([1, ["a"]], [1, ["a"]]), ({"a": {"b": CBORTag(1004, "2026-01-01")}}, {"a": {"b": "2026-01-01"}}),
        (CBORTag(0, "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z"), ("", ""), ([], []), ({}, {}),
    ],
)  # fmt: skip
def test_element_values_as_json_would_hold_them(value: Any, shown: Any) -> None:
    mdoc = check(Forge(items={FIRST: [item(0, "x", value)]}))
    assert mdoc.namespaces == {FIRST: {"x": shown}}
    assert type(mdoc.namespaces[FIRST]["x"]) is type(shown)


def test_a_thousand_items_and_no_more() -> None:
    many = {FIRST: [item(n, f"e{n}", n) for n in range(500)], SECOND: [item(n, f"e{n}", n) for n in range(500)]}
    assert len(check(Forge(items=many)).disclosed) == 1000
    many["third"] = [item(0, "x", 1)]
    refused(Forge(items=many), Malformed, "too_large")


# MDOC-VER-4, M-3, R-19: one document type ------------------------------------------------------------------------------------


def test_another_type_outside_than_inside() -> None:
    refused(Forge(doctype="org.example.other"), VerificationFailed, "mdoc_doctype")


def test_the_issuer_part_alone_looks_at_the_type() -> None:
    """Without a challenge the device part is not verified, and this is the only look there is."""
    document = device_response.parse(Forge(doctype="org.example.other").response()).sole_document()
    with pytest.raises(VerificationFailed) as failure:
        verify_issuer(document.issuer_signed, KEY)
    assert failure.value.code == "mdoc_doctype"


def test_the_device_part_looks_at_the_type_too() -> None:
    document = device_response.parse(Forge().response()).sole_document()
    mdoc = verify_issuer(document.issuer_signed, KEY)
    other = device_response.parse(Forge(doctype="org.example.other").response()).sole_document()
    with pytest.raises(VerificationFailed) as failure:
        verify_device(other, mdoc, session_transcript=TRANSCRIPT)
    assert failure.value.code == "mdoc_doctype"


# MDOC-VER-5, M-5: dates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("validity", "code"),
    [
        pytest.param({"validFrom": tdate(-1)}, "mdoc_validity", id="from before signed"),
        pytest.param({"validUntil": tdate()}, "mdoc_validity", id="until equals from"),
        pytest.param({"validFrom": tdate(100)}, "mdoc_validity", id="until before from"),
        pytest.param({"signed": tdate(-31)}, "mdoc_signed", id="signed before the certificate began"),
        pytest.param({"signed": tdate(301), "validFrom": tdate(301), "validUntil": tdate(302)}, "mdoc_signed", id="after it ended"),
    ],
)
def test_dates_in_order_and_within_the_certificate(validity: dict[str, Any], code: str) -> None:
    refused(Forge(validity=validity), VerificationFailed, code)


def test_signed_on_the_first_and_last_second_of_the_certificate() -> None:
    for days in (-30, 300):
        forge = Forge(validity={"signed": tdate(days), "validFrom": tdate(days), "validUntil": tdate(400)})
        assert check(forge).validity.signed == NOW + timedelta(days=days)


def test_the_certificate_can_be_given() -> None:
    unverified = issuer_signed.parse(Forge(unprotected={}).issuer_signed())
    assert verify_issuer(unverified, KEY, certificate=SIGNER.chain[0]).doctype == DOCTYPE
    early = root().leaf(key=SIGNER.private_key, not_after=NOW - timedelta(days=1))
    with pytest.raises(VerificationFailed) as failure:
        verify_issuer(unverified, KEY, certificate=early.chain[0])
    assert failure.value.code == "mdoc_signed"


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T12:00:00Z", 1764000000, CBORTag(0, 7), CBORTag(1004, "2026-11-24"), CBORTag(0, "2026-11-24"),
        CBORTag(0, "2026-11-24T12:00:00.5Z"), CBORTag(0, "2026-11-24T12:00:00"), CBORTag(0, "2026-11-24T12:00:00+00:00"),
        CBORTag(0, "2026-11-24T13:00:00+01:00"), CBORTag(0, "2026-11-24t12:00:00z"), CBORTag(0, "2026-13-24T12:00:00Z"),
        CBORTag(0, "2026-11-24T12:00:60Z"), CBORTag(0, "2026-11-24T12:00:00Z\n"), CBORTag(0, "٢٠٢٦-11-24T12:00:00Z"), None, ABSENT,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["signed", "validFrom", "validUntil"])
def test_a_tdate_has_one_form(name: str, value: Any) -> None:
    refused(Forge(validity={name: value}), Malformed, "tdate")


def test_the_expected_update_is_a_tdate() -> None:
    refused(Forge(validity={"expectedUpdate": "2026-11-24T12:00:00Z"}), Malformed, "tdate")


# The fields of the MSO (R-15) ------------------------------------------------------------------------------------------------

DIGEST = bytes(32)


@pytest.mark.parametrize(
    ("mso", "code"),
    [
        ({"version": "1.1"}, "mso"), ({"version": 1.0}, "mso"), ({"version": ABSENT}, "mso"),
        ({"digestAlgorithm": "SHA-1"}, "mso"), ({"digestAlgorithm": ABSENT}, "mso"), ({"digestAlgorithm": -16}, "mso"),
        ({"digestAlgorithm": ["SHA-256"]}, "mso"),
        ({"valueDigests": {}}, "mso"), ({"valueDigests": ABSENT}, "mso"), ({"valueDigests": []}, "mso"),
        ({"valueDigests": {FIRST: {}}}, "mso"), ({"valueDigests": {FIRST: [0]}}, "mso"),
        ({"valueDigests": {7: {0: DIGEST}}}, "mso"),
        ({"valueDigests": {FIRST: {-1: DIGEST}}}, "mso"), ({"valueDigests": {FIRST: {2**31: DIGEST}}}, "mso"),
        ({"valueDigests": {FIRST: {"0": DIGEST}}}, "mso"), ({"valueDigests": {FIRST: {True: DIGEST}}}, "mso"),
        ({"valueDigests": {FIRST: {0: DIGEST, 1: DIGEST[:-1]}}}, "mso"), ({"valueDigests": {FIRST: {0: "x" * 32}}}, "mso"),
        ({"docType": ABSENT}, "mso"), ({"docType": ""}, "mso"), ({"docType": 7}, "mso"), ({"docType": "a\x00"}, "mso"),
        ({"validityInfo": ABSENT}, "mso"), ({"validityInfo": []}, "mso"),
        ({"deviceKeyInfo": ABSENT}, "mso"), ({"deviceKeyInfo": []}, "mso"), ({"deviceKeyInfo": {}}, "key"),
        ({"status": None}, "status"), ({"status": {"status_list": {"idx": -1, "uri": "https://x.example/1"}}}, "status"),
    ],
)  # fmt: skip
def test_mso_fields(mso: dict[str, Any], code: str) -> None:
    refused(Forge(mso=mso), Malformed, code)


@pytest.mark.parametrize(
    ("key_info", "kind", "code"),
    [
        ({"deviceKey": ABSENT}, Malformed, "key"), ({"deviceKey": {**cose_key(HOLDER), -4: b"d"}}, Refused, "key_private"),
        ({"deviceKey": {1: 4, -1: b"k"}}, Refused, "key_type"), ({"deviceKey": {**cose_key(HOLDER), -1: 8}}, Refused, "key_type"),
        ({"deviceKey": {**cose_key(HOLDER), -3: bytes(32)}}, Malformed, "key_point"),
        ({"deviceKey": {**cose_key(HOLDER), -3: True}}, Malformed, "key_point"),
        ({"keyInfo": 7}, Malformed, "mso"), ({"keyAuthorizations": 7}, Malformed, "mso"),
        ({"keyAuthorizations": {"nameSpaces": "x"}}, Malformed, "mso"),
        ({"keyAuthorizations": {"nameSpaces": [7]}}, Malformed, "mso"),
        ({"keyAuthorizations": {"dataElements": []}}, Malformed, "mso"),
        ({"keyAuthorizations": {"dataElements": {7: ["x"]}}}, Malformed, "mso"),
        ({"keyAuthorizations": {"dataElements": {"x": [None]}}}, Malformed, "mso"),
    ],
)  # fmt: skip
def test_device_key_info_fields(key_info: dict[str, Any], kind: type[VcError], code: str) -> None:
    forge = Forge(key_info=key_info)
    if key_info.get("deviceKey") is ABSENT:
        forge = Forge(mso={"deviceKeyInfo": {"keyInfo": {}}})
    refused(forge, kind, code)


def test_a_status_nobody_here_can_read_is_not_the_absence_of_one() -> None:
    refused(Forge(mso={"status": {"identifier_list": {"id": b"x", "uri": "https://x.example"}}}), Refused, "status_mechanism")


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"\xa0", cbor2.dumps(CBORTag(24, "text")), cbor2.dumps(CBORTag(18, b"\xa0")), b"\xd8\x18\x58\x01\xa0",
        b"\xd8\x18\x5f\x41\xa0\xff",
        tagged(b"\xa0") + b"\x00", tagged(b"\xa0")[:-1], b"\xd8\x18\x5b" + b"\xff" * 8, b"\xd8\x18\x5e\x00",
    ],
)  # fmt: skip
def test_the_payload_is_one_shortest_tag_24(payload: bytes) -> None:
    refused(Forge(payload=payload), Malformed, "tag24")


@pytest.mark.parametrize(("content", "code"), [(b"", "cbor"), (b"\x80", "mso"), (b"\xa0\x00", "cbor"), (b"\x00\x00", "cbor")])
def test_the_payload_holds_one_map(content: bytes, code: str) -> None:
    refused(Forge(payload=tagged(content)), Malformed, code)


# The structures around (MDOC-VER-10, -11, M-6) -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(lambda v: v.pop("issuerAuth"), "issuer_signed", id="no issuerAuth"),
        pytest.param(lambda v: v.update(issuerAuth=CBORTag(18, v["issuerAuth"])), "issuer_signed", id="tagged issuerAuth"),
        pytest.param(lambda v: v["issuerAuth"].append(1), "cose_sign1", id="five parts"),
        pytest.param(lambda v: v["issuerAuth"].__setitem__(2, None), "issuer_signed", id="detached payload"),
        pytest.param(lambda v: v.update(nameSpaces={}), "issuer_signed", id="no namespace"),
        pytest.param(lambda v: v.update(nameSpaces=[]), "issuer_signed", id="namespaces as a list"),
        pytest.param(lambda v: v.update(nameSpaces={FIRST: []}), "issuer_signed", id="no item"),
        pytest.param(lambda v: v.update(nameSpaces={FIRST: {}}), "issuer_signed", id="items as a map"),
        pytest.param(lambda v: v.update(nameSpaces={7: v["nameSpaces"][FIRST]}), "issuer_signed", id="namespace is a number"),
        pytest.param(lambda v: v.update(nameSpaces={"": v["nameSpaces"][FIRST]}), "issuer_signed", id="empty namespace"),
        pytest.param(lambda v: v.update(nameSpaces={"a\x00": v["nameSpaces"][FIRST]}), "issuer_signed", id="null character"),
        pytest.param(lambda v: v["nameSpaces"][FIRST].append(b"x"), "tag24", id="item without tag"),
        pytest.param(lambda v: v["nameSpaces"][FIRST].append(CBORTag(24, "x")), "tag24", id="text in tag 24"),
        pytest.param(lambda v: v["nameSpaces"][FIRST].append(CBORTag(18, b"x")), "tag24", id="another tag"),
    ],
)
def test_issuer_signed_structure(change: Callable[[dict[str, Any]], Any], code: str) -> None:
    value = Forge().issuer_signed_value()
    change(value)
    with pytest.raises(Malformed) as failure:
        issuer_signed.parse(cbor2.dumps(value))
    assert failure.value.code == code


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x80", b"\xf6", b"\x81" * 100_000, b"\x5b" + b"\xff" * 8, b"\xff"])
def test_other_bytes_are_malformed(data: bytes) -> None:
    for parse in (issuer_signed.parse, device_response.parse, handover.read):
        with pytest.raises(Malformed):
            parse(data)


@pytest.mark.parametrize(
    ("envelope", "kind", "code"),
    [
        ({"version": "1.1"}, VerificationFailed, "mdoc_version"), ({"version": ABSENT}, VerificationFailed, "mdoc_version"),
        ({"status": 10}, VerificationFailed, "mdoc_status"), ({"status": 11}, VerificationFailed, "mdoc_status"),
        ({"status": 12}, VerificationFailed, "mdoc_status"), ({"status": ABSENT}, Malformed, "device_response"),
        ({"status": "0"}, Malformed, "device_response"), ({"status": False}, Malformed, "device_response"),
        ({"documents": ABSENT}, VerificationFailed, "mdoc_documents"), ({"documents": []}, VerificationFailed, "mdoc_documents"),
        ({"documents": {}}, Malformed, "device_response"), ({"documents": [7]}, Malformed, "device_response"),
        ({"documentErrors": 7}, Malformed, "device_response"), ({"documentErrors": [7]}, Malformed, "device_response"),
        ({"documentErrors": [{"x": "0"}]}, Malformed, "device_response"),
        ({"documentErrors": [{7: 0}]}, Malformed, "device_response"),
        ({"documentErrors": [{"org.example.other": 0}]}, VerificationFailed, "mdoc_document_errors"),
    ],
)  # fmt: skip
def test_response_fields(envelope: dict[str, Any], kind: type[VcError], code: str) -> None:
    refused(Forge(envelope=envelope), kind, code)


@pytest.mark.parametrize(
    "document",
    [
        {"docType": ABSENT}, {"docType": ""}, {"docType": 7}, {"docType": "a\x00"}, {"deviceSigned": ABSENT}, {"deviceSigned": []},
        {"errors": 7}, {"errors": {FIRST: 7}}, {"errors": {FIRST: {"x": "0"}}}, {"errors": {7: {"x": 0}}},
    ],
)  # fmt: skip
def test_document_fields(document: dict[str, Any]) -> None:
    refused(Forge(document=document), Malformed, "device_response")


def test_a_response_without_a_document_is_not_even_read() -> None:
    with pytest.raises(VerificationFailed) as failure:
        device_response.parse(Forge(envelope={"documents": []}).response())
    assert failure.value.code == "mdoc_documents"


def test_element_errors_are_kept() -> None:
    document = device_response.parse(Forge(document={"errors": {FIRST: {"portrait": 0}}}).response()).sole_document()
    assert document.errors == {FIRST: {"portrait": 0}}


def test_a_document_without_issuer_signed() -> None:
    refused(Forge(document={"issuerSigned": ABSENT}), Malformed, "issuer_signed")


def test_two_documents_are_both_read_and_then_refused() -> None:  # M-9, VP-MDOC-6
    good, bad = Forge().response_value()["documents"][0], Forge(signer=replace_key(SIGNER)).response_value()["documents"][0]
    response = device_response.parse(cbor2.dumps({"version": "1.0", "documents": [good, bad], "status": 0}))
    assert len(response.documents) == 2
    assert verify_issuer(response.documents[0].issuer_signed, KEY).doctype == DOCTYPE
    with pytest.raises(VerificationFailed):
        verify_issuer(response.documents[1].issuer_signed, KEY)
    with pytest.raises(VerificationFailed) as failure:
        response.sole_document()
    assert failure.value.code == "mdoc_documents"


def replace_key(signer: LocalSigner) -> LocalSigner:
    """The certificate of `signer` before somebody else's key."""
    return replace(signer, private_key=new_key())


# MDOC-VER-7 to -9, M-4: the holder -------------------------------------------------------------------------------------------


def test_another_key_signs() -> None:
    refused(Forge(device_signer=holder()), VerificationFailed, "signature")


@pytest.mark.parametrize(
    "transcript",
    [
        handover.redirect("x509_hash:test", "other nonce", None, "https://verifier.example/response"),
        handover.redirect("x509_hash:other", "nonce", None, "https://verifier.example/response"),
        handover.redirect("x509_hash:test", "nonce", None, "https://verifier.example/other"),
        handover.redirect("x509_hash:test", "nonce", bytes(32), "https://verifier.example/response"),
        handover.dc_api("https://verifier.example", "nonce", None),
    ],
    ids=["nonce", "client", "response uri", "thumbprint", "digital credentials API"],
)
def test_a_signature_for_another_session(transcript: bytes) -> None:
    refused(Forge(transcript=transcript), VerificationFailed, "signature")


def device_signature(**changes: Any) -> list[Any]:
    forge = Forge()
    authentication = tagged(
        b"\x84" + cbor2.dumps("DeviceAuthentication") + TRANSCRIPT + cbor2.dumps(DOCTYPE) + tagged(forge.device_namespaces)
    )
    return sign1(changes.get("payload"), HOLDER, protected=changes.get("protected", {}), unprotected={}, content=authentication)


def test_an_attached_payload_is_refused() -> None:
    content = tagged(b"\x84" + cbor2.dumps("DeviceAuthentication") + TRANSCRIPT + cbor2.dumps(DOCTYPE) + tagged(b"\xa0"))
    for payload in (content, b"", b"other"):
        refused(Forge(device_auth={"deviceSignature": device_signature(payload=payload)}), Refused, "cose_payload")


def test_the_algorithm_of_the_device_signature() -> None:
    for alg in (-35, None):
        refused(Forge(device_auth={"deviceSignature": device_signature(protected={1: alg})}), Refused, "cose_alg")


def device_mac(key: bytes, *, alg: Any = 5, **headers: Any) -> list[Any]:
    protected = cbor2.dumps({1: alg, **headers.get("protected", {})})
    content = tagged(b"\x84" + cbor2.dumps("DeviceAuthentication") + TRANSCRIPT + cbor2.dumps(DOCTYPE) + tagged(b"\xa0"))
    return [
        protected,
        headers.get("unprotected", {}),
        None,
        hmac.digest(key, cbor2.dumps(["MAC0", protected, b"", content]), "sha256"),
    ]


def test_device_mac_only_with_the_reader_key() -> None:
    reader = new_key()
    key = device_auth.mac_key(HOLDER.public_key, reader, TRANSCRIPT)
    forge = Forge(device_auth={"deviceMac": device_mac(key)})
    refused(forge, Refused, "device_mac")  # EAA-P-5
    document = device_response.parse(forge.response()).sole_document()
    mdoc = verify_issuer(document.issuer_signed, KEY)
    assert verify_device(document, mdoc, session_transcript=TRANSCRIPT, e_reader=reader) == {}
    for broken, kind, code in (
        (device_mac(bytes(32)), VerificationFailed, "device_mac"),
        (device_mac(key, alg=4), Refused, "mac_alg"),
        (device_mac(key, alg=-7), Refused, "mac_alg"),
        (device_mac(key, protected={2: [1]}), Refused, "cose_crit"),
    ):
        document = device_response.parse(Forge(device_auth={"deviceMac": broken}).response()).sole_document()
        with pytest.raises(kind) as failure:
            verify_device(document, mdoc, session_transcript=TRANSCRIPT, e_reader=reader)
        assert failure.value.code == code
    with pytest.raises(Refused) as refusal:
        verify_device(document, mdoc, session_transcript=TRANSCRIPT, e_reader=new_key(ec.SECP384R1()))
    assert refusal.value.code == "mac_curve"


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        ({}, "device_response"), (7, "device_response"), ({"deviceSignature": 7}, "device_response"),
        ({"deviceSignature": CBORTag(18, [])}, "device_response"), ({"deviceSignature": []}, "cose_sign1"),
        ({"deviceMac": 7}, "device_response"), ({"deviceMac": [b"", {}, b"", b""]}, "device_response"),
        ({"deviceMac": [b"", {}, None]}, "device_response"), ({"deviceMac": [b"\x80", {}, None, b""]}, "cose_sign1"),
        ({"deviceMac": [b"\xa1\x01\x05", {1: 5}, None, b""]}, "device_response"),
        ({"deviceMac": [b"", {}, None, b""], "deviceSignature": [b"", {}, None, b""]}, "device_response"),
    ],
)  # fmt: skip
def test_device_auth_structure(auth: Any, code: str) -> None:
    refused(Forge(device_auth=auth), Malformed, code)


def test_a_mac_without_protected_header_has_no_algorithm() -> None:
    document = device_response.parse(Forge(device_auth={"deviceMac": [b"", {}, None, b""]}).response()).sole_document()
    with pytest.raises(Refused) as failure:
        verify_device(document, verify_issuer(document.issuer_signed, KEY), session_transcript=TRANSCRIPT, e_reader=new_key())
    assert failure.value.code == "mac_alg"


def device(elements: Any) -> bytes:
    return cbor2.dumps(elements)


AUTHORIZED = {"keyAuthorizations": {"nameSpaces": [FIRST], "dataElements": {SECOND: ["mine"]}}}


def test_device_signed_elements_the_issuer_authorised() -> None:
    forge = Forge(key_info=AUTHORIZED, device_namespaces=device({FIRST: {"any": CBORTag(1004, "2026-01-01")}, SECOND: {"mine": 1}}))
    document = device_response.parse(forge.response()).sole_document()
    mdoc = verify_issuer(document.issuer_signed, KEY)
    stated = verify_device(document, mdoc, session_transcript=TRANSCRIPT)
    assert stated == {FIRST: {"any": "2026-01-01"}, SECOND: {"mine": 1}}
    assert "any" not in mdoc.namespaces[FIRST]


@pytest.mark.parametrize(
    ("key_info", "elements"),
    [({}, {FIRST: {"x": 1}}), (AUTHORIZED, {SECOND: {"mine": 1, "other": 2}}), (AUTHORIZED, {"third": {"mine": 1}})],
)
def test_device_signed_elements_nobody_authorised(key_info: dict[str, Any], elements: Any) -> None:
    refused(Forge(key_info=key_info, device_namespaces=device(elements)), VerificationFailed, "device_elements")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "cbor"), (b"\x80", "device_response"), (device({7: {"x": 1}}), "device_response"),
        (device({FIRST: {}}), "device_response"), (device({FIRST: []}), "device_response"),
        (device({FIRST: {7: 1}}), "device_response"), (device({FIRST: {"": 1}}), "device_response"),
        (device({FIRST: {"x": None}}), "element_value"),
    ],
)  # fmt: skip
def test_device_namespaces_fields(content: bytes, code: str) -> None:
    refused(Forge(key_info=AUTHORIZED, device_namespaces=content), Malformed, code)


def test_device_namespaces_are_tag_24() -> None:
    value = Forge().response_value()
    value["documents"][0]["deviceSigned"]["nameSpaces"] = {}
    with pytest.raises(Malformed) as failure:
        device_response.parse(cbor2.dumps(value))
    assert failure.value.code == "tag24"


# EAA-M-5 ---------------------------------------------------------------------------------------------------------------------


def test_short_lived_is_a_boolean_and_excludes_a_status() -> None:
    def forge(value: Any, **changes: Any) -> Forge:
        return Forge(items={ETSI_NAMESPACE: [item(0, "shortLived", value)]}, **changes)

    assert check(forge(True)).short_lived is True
    assert check(forge(False)).short_lived is False
    assert check(forge(False, mso={"status": STATUS})).short_lived is False
    refused(forge(True, mso={"status": STATUS}), VerificationFailed, "status_and_short_lived")
    not_booleans: list[Any] = [1, "true", []]
    for value in not_booleans:
        refused(forge(value), Malformed, "element_value")


# Transcripts (VP-MDOC-1 to -3) -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["origin:https://verifier.example", "https://verifier.example/"])
def test_an_origin_is_bare(origin: str) -> None:
    with pytest.raises(Malformed) as failure:
        handover.dc_api(origin, "n", None)
    assert failure.value.code == "origin"


@pytest.mark.parametrize("thumbprint", [b"", bytes(31), bytes(33)])
def test_a_thumbprint_has_32_octets(thumbprint: bytes) -> None:
    with pytest.raises(Malformed) as failure:
        handover.redirect("c", "n", thumbprint, "https://verifier.example/r")
    assert failure.value.code == "thumbprint"


@pytest.mark.parametrize("data", [b"\x80", b"\x82\xf6\xf6", b"\xa0", cbor2.dumps(CBORTag(24, "x")), tagged(b"\x80")])
def test_a_transcript_is_an_array_of_three(data: bytes) -> None:
    with pytest.raises(Malformed) as failure:
        handover.read(data)
    assert failure.value.code == "session_transcript"


def test_a_transcript_is_read_bare_or_tagged() -> None:
    assert handover.read(TRANSCRIPT) == handover.read(tagged(TRANSCRIPT)) == TRANSCRIPT
