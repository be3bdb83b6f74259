"""Any bytes give a value or our own error: alone, and as changes of a good message (SECURITY M-6, STYLE habit 9)."""

from collections.abc import Callable
from hashlib import sha256
from time import perf_counter
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.mdoc import SIGNER, TRANSCRIPT, Forge
from tests.support.mdoc import tagged as tagged_bytes
from vc.errors import VcError
from vc.mdoc import device_response, handover, issuer_signed, tagged
from vc.mdoc.verify import verify_device, verify_issuer

GOOD = Forge(key_info={"keyAuthorizations": {"nameSpaces": ["x"]}}, device_namespaces=cbor2.dumps({"x": {"y": 1}})).response()
ISSUED = Forge().issuer_signed()
cbor_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text(max_size=8) | st.binary(max_size=40) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=12) | st.integers(-5, 40), inner, max_size=4)
        | st.builds(cbor2.CBORTag, st.sampled_from([0, 17, 18, 24, 32, 61, 1004, 35]), inner)
    ),
    max_leaves=12,
)
NAMES = sorted(
    {"version", "documents", "status", "docType", "issuerSigned", "deviceSigned", "nameSpaces", "issuerAuth", "deviceAuth"}
)


def run(data: bytes) -> None:
    try:
        for document in device_response.parse(data).documents:
            mdoc = verify_issuer(document.issuer_signed, SIGNER.public_key)
            verify_device(document, mdoc, session_transcript=TRANSCRIPT)
    except VcError:
        return


def run_issued(data: bytes) -> None:
    try:
        verify_issuer(issuer_signed.parse(data), SIGNER.public_key)
    except VcError:
        return


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for read in (device_response.parse, issuer_signed.parse, handover.read, tagged.parse):
        try:
            assert read(data) is not None
        except VcError:
            continue


@settings(max_examples=300)
@given(at=st.integers(0, len(GOOD) - 1), new=st.binary(min_size=0, max_size=4), cut=st.integers(0, 4))
def test_a_good_response_with_a_few_bytes_changed(at: int, new: bytes, cut: int) -> None:
    run(GOOD[:at] + new + GOOD[at + cut :])


@settings(max_examples=200)
@given(at=st.integers(0, len(ISSUED) - 1), bit=st.integers(0, 7))
def test_a_good_credential_with_a_bit_changed_never_verifies_as_something_else(at: int, bit: int) -> None:
    data = ISSUED[:at] + bytes((ISSUED[at] ^ 1 << bit,)) + ISSUED[at + 1 :]
    try:
        mdoc = verify_issuer(issuer_signed.parse(data), SIGNER.public_key)
    except VcError:
        return
    whole = verify_issuer(issuer_signed.parse(ISSUED), SIGNER.public_key)
    assert all(mdoc.namespaces[namespace] == whole.namespaces[namespace] for namespace in mdoc.namespaces)
    assert (mdoc.doctype, mdoc.validity, mdoc.status) == (whole.doctype, whole.validity, whole.status)


@settings(max_examples=200)
@given(name=st.sampled_from(NAMES), value=cbor_values)
def test_a_good_response_with_a_member_replaced(name: str, value: Any) -> None:
    def replace(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: value if key == name else replace(content) for key, content in node.items()}
        return [replace(content) for content in node] if isinstance(node, list) else node

    run(cbor2.dumps(replace(cbor2.loads(GOOD))))


@settings(max_examples=200)
@given(
    member=st.sampled_from(["version", "digestAlgorithm", "valueDigests", "deviceKeyInfo", "docType", "validityInfo", "status"]),
    value=cbor_values,
)
def test_a_signed_mso_with_a_member_replaced(member: str, value: Any) -> None:
    run_issued(Forge(mso={member: value}).issuer_signed())


@settings(max_examples=200)
@given(cbor_values)
def test_a_signed_element_of_any_value(value: Any) -> None:
    content = cbor2.dumps({"digestID": 0, "random": bytes(16), "elementIdentifier": "x", "elementValue": value})
    run_issued(Forge(items={"n": [content]}, digests={"n": {0: sha256(tagged_bytes(content)).digest()}}).issuer_signed())


HUGE = 256 * 1024


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: b"\x81" * HUGE, id="deep"),
        pytest.param(lambda: b"\x9f" * HUGE, id="indefinite arrays"),
        pytest.param(lambda: b"\x9b" + (2**63).to_bytes(8, "big"), id="array of 2^63"),
        pytest.param(lambda: b"\xbb" + (2**63).to_bytes(8, "big"), id="map of 2^63"),
        pytest.param(lambda: b"\x5b" + (2**63).to_bytes(8, "big"), id="string of 2^63"),
        pytest.param(lambda: b"\x9a\x00\x03\xff\xf0" + b"\xa0" * (HUGE - 16), id="260,000 empty maps"),
        pytest.param(lambda: b"\xc2\x5a\x00\x01\x00\x00" + b"\xff" * 65536, id="64 KiB integer"),
        pytest.param(lambda: b"\xc4\x82\x1a\x3b\x9a\xca\x00\x01", id="1E1000000000"),
        pytest.param(lambda: cbor2.dumps({"version": "1.0", "status": 0, "documents": [{}] * 60_000}), id="60,000 documents"),
        pytest.param(lambda: b"\x00" * (HUGE + 1), id="over the limit"),
        pytest.param(
            lambda: Forge(items={"n": [b"\xa0"] * 20_000}, digests={"n": {0: bytes(32)}}).issuer_signed(), id="20,000 items"
        ),
    ],
)
def test_large_and_hostile_input_is_refused_at_once(data: Callable[[], bytes]) -> None:
    hostile = data()
    started = perf_counter()
    for read in (device_response.parse, issuer_signed.parse):
        with pytest.raises(VcError):
            read(hostile)
    assert perf_counter() - started < 2
