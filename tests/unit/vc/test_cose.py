"""COSE_Sign1: SECURITY M-1."""

from typing import Any

import pytest
from cbor2 import CBORTag
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.pki import new_key, root
from vc.cose import sign1
from vc.encoding import cbor
from vc.errors import Malformed, VcError, VerificationFailed
from vc.keys.signer import LocalSigner
from vc.x509.certificate import der

SIGNER = LocalSigner(new_key())


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda c: c.name)
def test_round_trip_attached_and_detached(curve: ec.EllipticCurve) -> None:
    signer = LocalSigner(new_key(curve))
    attached = sign1.parse(
        cbor.loads(cbor.dumps(CBORTag(18, sign1.sign(b"p", signer, protected={16: "x"}, unprotected={4: b"k"}))))
    )
    assert sign1.verify(attached, signer.public_key) == b"p"
    assert (attached.protected[16], attached.unprotected[4]) == ("x", b"k")
    detached = sign1.parse(sign1.sign(b"p", signer, detached=True))
    assert detached.payload is None
    assert sign1.verify(detached, signer.public_key, payload=b"p") == b"p"


def _signed(protected: dict[int, Any], unprotected: dict[int, Any] | None = None) -> list[Any]:
    """A structure with exactly this protected header, truly signed."""
    encoded = cbor.dumps(protected)
    return [encoded, unprotected or {}, b"p", SIGNER.sign(cbor.dumps(["Signature1", encoded, b"", b"p"]))]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (_signed({}), "cose_alg"),
        (_signed({}, {1: -7}), "cose_alg"),
        (_signed({1: -35}), "cose_alg"),
        (_signed({1: 5}), "cose_alg"),
        (_signed({1: "ES256"}), "cose_alg"),
        (_signed({1: True}), "cose_alg"),
        (_signed({1: -7, 2: [9], 9: 1}), "cose_crit"),
        (_signed({1: -7}, {2: [9]}), "cose_crit"),
    ],
)
def test_header_rules(value: list[Any], code: str) -> None:
    with pytest.raises(VcError) as caught:
        sign1.verify(sign1.parse(value), SIGNER.public_key)
    assert caught.value.code == code


def test_the_fully_specified_algorithm_is_accepted() -> None:
    assert sign1.verify(sign1.parse(_signed({1: -9})), SIGNER.public_key) == b"p"


def test_payload_is_attached_or_detached_never_both_nor_none() -> None:
    attached, detached = sign1.parse(sign1.sign(b"p", SIGNER)), sign1.parse(sign1.sign(b"p", SIGNER, detached=True))
    for unverified, payload in ((attached, b"p"), (detached, None)):
        with pytest.raises(VcError, match="cose_payload"):
            sign1.verify(unverified, SIGNER.public_key, payload=payload)


def test_wrong_payload_key_or_protected_header() -> None:
    good = sign1.sign(b"p", SIGNER)
    with pytest.raises(VerificationFailed, match="signature"):
        sign1.verify(sign1.parse([good[0], good[1], b"q", good[3]]), SIGNER.public_key)
    with pytest.raises(VerificationFailed, match="signature"):
        sign1.verify(sign1.parse(good), new_key().public_key())
    with pytest.raises(VerificationFailed, match="signature"):
        sign1.verify(sign1.parse([cbor.dumps({1: -7, 9: 1}), *good[1:]]), SIGNER.public_key)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        [b"", {}, b""],
        [1, {}, b"", b""],
        [b"", [], b"", b""],
        [b"", {}, 1, b""],
        [b"", {}, b"", None],
        [cbor.dumps([]), {}, b"", b""],
        [b"\xff", {}, b"", b""],
        [cbor.dumps({4: b"a"}), {4: b"a"}, b"", b""],
        CBORTag(17, [b"", {}, b"", b""]),
    ],
)
def test_parse_refuses(value: object) -> None:
    with pytest.raises(Malformed):
        sign1.parse(value)


def test_parse_accepts_an_empty_protected_header() -> None:
    assert sign1.parse([b"", {}, None, b""]).protected == {}


def test_x5chain_single_and_array() -> None:
    authority = root()
    single, double = authority.leaf(), authority.authority("intermediate").leaf()
    assert sign1.x5chain(single.chain) == der(single.chain[0])
    for signer in (single, double):
        unverified = sign1.parse(sign1.sign(b"p", signer, unprotected={33: sign1.x5chain(signer.chain)}))
        assert sign1.chain_of(unverified) == signer.chain
    protected = sign1.parse(sign1.sign(b"p", single, protected={33: sign1.x5chain(single.chain)}))
    assert sign1.chain_of(protected) == single.chain


@pytest.mark.parametrize(
    ("value", "code"), [(None, "x5chain_missing"), ([], "x5chain"), ("x", "x5chain"), ([1], "x5chain"), (b"x", "certificate")]
)
def test_x5chain_refuses(value: object, code: str) -> None:
    unverified = sign1.parse(sign1.sign(b"p", SIGNER, unprotected={} if value is None else {33: value}))
    with pytest.raises(VcError) as caught:
        sign1.chain_of(unverified)
    assert caught.value.code == code
