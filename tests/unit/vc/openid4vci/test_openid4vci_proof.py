"""Proofs of possession: VCI-CRED-4 to -6, attacks I-5 to I-13."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import NOW, root
from vc.encoding import base64url, json
from vc.errors import Refused, VcError
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner, Signer
from vc.openid4vci.proof import MAX_LENGTH, HolderKey, create_jwt, verify_all, verify_jwt

AUDIENCE, NONCE = "https://issuer.test/fr", "c-nonce-of-ours"
HOLDER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
OTHER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
SECOND = int(NOW.timestamp())
PUBLIC = jwk.from_public(HOLDER.public_key)


def only_ours(nonce: str) -> None:
    if nonce != NONCE:
        raise Refused("nonce_unknown", "not a nonce of ours")


def check(text: str, **changes: Any) -> HolderKey:
    return verify_jwt(text, **{"audience": AUDIENCE, "check_nonce": only_ours, "now": NOW, **changes})


def refusal(text: str, **changes: Any) -> VcError:
    with pytest.raises(VcError) as caught:
        check(text, **changes)
    return caught.value


def proof(*, header: Any = None, signer: Signer = HOLDER, **claims: Any) -> str:
    """A proof with one thing different; a value of `...` removes it."""
    head = {"typ": "openid4vci-proof+jwt", "jwk": PUBLIC, **(header or {})}
    body = {"aud": AUDIENCE, "iat": SECOND, "nonce": NONCE, **claims}
    head, body = ({name: value for name, value in part.items() if value is not ...} for part in (head, body))
    return jws.sign(head, json.dumps(body), signer)


def raw(header: dict[str, Any], signature: bytes) -> str:
    body = base64url.encode(json.dumps({"aud": AUDIENCE, "iat": SECOND, "nonce": NONCE}))
    return f"{base64url.encode(json.dumps(header))}.{body}.{base64url.encode(signature)}"


HEADER = {"typ": "openid4vci-proof+jwt", "jwk": PUBLIC}


@pytest.mark.parametrize("client_id", [None, "https://wallet.test"])
def test_vci_cred_4_what_a_wallet_makes_an_issuer_accepts(client_id: str | None) -> None:
    found = check(create_jwt(HOLDER, audience=AUDIENCE, nonce=NONCE, issued_at=NOW, client_id=client_id), client_id=client_id)
    assert jwk.thumbprint(found.public_key) == jwk.thumbprint(HOLDER.public_key)
    assert found.nonce == NONCE


def test_vci_cred_4_every_curve_of_the_table_is_accepted() -> None:
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        key = LocalSigner(ec.generate_private_key(curve))
        assert check(create_jwt(key, audience=AUDIENCE, nonce=NONCE, issued_at=NOW)).public_key.key_size == curve.key_size


def test_vci_cred_4_a_key_in_a_certificate_is_accepted() -> None:
    signer = root().leaf()
    text = proof(header={"jwk": ..., "x5c": jws.x5c(signer.chain)}, signer=signer)
    assert jwk.thumbprint(check(text).public_key) == jwk.thumbprint(signer.public_key)


def test_vci_cred_4_private_members_of_the_spec_are_allowed_beside() -> None:
    assert check(proof(header={"trust_chain": ["x"], "cty": "x"}, other=1))


def test_w_4_no_proof_is_made_without_a_nonce() -> None:
    with pytest.raises(ValueError, match="nonce"):
        create_jwt(HOLDER, audience=AUDIENCE, nonce="", issued_at=NOW)


OFF_CURVE = {**PUBLIC, "y": jwk.from_public(OTHER.public_key)["y"]}


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("not a JWT", "abc", "proof_malformed"),
        ("two parts", "a.b", "proof_malformed"),
        ("empty", "", "proof_malformed"),
        ("too long", proof(padding="a" * MAX_LENGTH), "proof_malformed"),
        ("payload no object", jws.sign(HEADER, b"[]", HOLDER), "proof_malformed"),
        ("duplicate claim", jws.sign(HEADER, b'{"aud":"a","aud":"b"}', HOLDER), "proof_malformed"),
        # I-5
        ("alg none", raw({**HEADER, "alg": "none"}, b""), "proof_alg"),
        ("alg None", raw({**HEADER, "alg": "None"}, b""), "proof_alg"),
        ("alg HS256", raw({**HEADER, "alg": "HS256"}, b"x" * 32), "proof_alg"),
        ("alg list", raw({**HEADER, "alg": ["ES256"]}, b"x" * 64), "proof_alg"),
        ("alg missing", raw(HEADER, b"x" * 64), "proof_alg"),
        ("alg of another curve", raw({**HEADER, "alg": "ES384"}, b"x" * 96), "proof_alg"),
        ("empty signature", raw({**HEADER, "alg": "ES256"}, b""), "proof_signature"),
        ("zero signature", raw({**HEADER, "alg": "ES256"}, bytes(64)), "proof_signature"),
        # I-6
        ("signed by another key", proof(signer=OTHER), "proof_signature"),
        ("no key", proof(header={"jwk": ...}), "proof_key"),
        ("private key", proof(header={"jwk": {**PUBLIC, "d": "AA"}}), "proof_key"),
        ("symmetric key", proof(header={"jwk": {"kty": "oct", "k": "AAAA"}}), "proof_key"),
        ("off-curve key", proof(header={"jwk": OFF_CURVE}), "proof_key"),
        ("RSA key", proof(header={"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}), "proof_key"),
        ("key not an object", proof(header={"jwk": "x"}), "proof_key"),
        ("key and kid", proof(header={"kid": "did:example:1#1"}), "proof_key"),
        ("key and x5c", proof(header={"x5c": ["AA"]}), "proof_key"),
        ("kid alone", proof(header={"jwk": ..., "kid": "did:example:1#1"}), "proof_key"),
        ("x5c no certificate", proof(header={"jwk": ..., "x5c": ["AA=="]}), "proof_key"),
        ("x5c empty", proof(header={"jwk": ..., "x5c": []}), "proof_key"),
        ("only a key attestation", proof(header={"jwk": ..., "key_attestation": "a.b.c"}), "proof_attestation"),
        # I-11: each names a place to fetch from
        ("kid a URL", proof(header={"jwk": ..., "kid": "https://evil.test/key"}), "proof_key"),
        ("jku", proof(header={"jku": "https://evil.test/keys"}), "proof_key"),
        ("x5u", proof(header={"jwk": ..., "x5u": "https://evil.test/cert"}), "proof_key"),
        # I-7
        ("typ missing", proof(header={"typ": ...}), "proof_typ"),
        ("typ JWT", proof(header={"typ": "JWT"}), "proof_typ"),
        ("typ dpop+jwt", proof(header={"typ": "dpop+jwt"}), "proof_typ"),
        ("typ kb+jwt", proof(header={"typ": "kb+jwt"}), "proof_typ"),
        # I-12
        ("crit", proof(header={"crit": ["x"], "x": 1}), "proof_crit"),
        ("b64", proof(header={"b64": False}), "proof_crit"),
        # I-8
        ("aud missing", proof(aud=...), "proof_audience"),
        ("aud foreign", proof(aud="https://other.test"), "proof_audience"),
        ("aud a prefix", proof(aud="https://issuer.test/f"), "proof_audience"),
        ("aud longer", proof(aud="https://issuer.test/fr/"), "proof_audience"),
        ("aud another institution", proof(aud="https://issuer.test/de"), "proof_audience"),
        ("aud a list without us", proof(aud=["https://other.test"]), "proof_audience"),
        ("aud a list with us", proof(aud=[AUDIENCE, "https://other.test"]), "proof_audience"),
        ("aud null", proof(aud=None), "proof_audience"),
        # VCI-CRED-5
        ("iss although anonymous", proof(iss="https://wallet.test"), "proof_issuer"),
        ("iss null", proof(iss=None), "proof_issuer"),
        # I-10
        ("iat missing", proof(iat=...), "proof_time"),
        ("iat text", proof(iat=str(SECOND)), "proof_time"),
        ("iat true", proof(iat=True), "proof_time"),
        ("iat 1e300", proof(iat=1e300), "proof_time"),
        ("iat negative", proof(iat=-1), "proof_time"),
        ("iat a day old", proof(iat=SECOND - 86_400), "proof_time"),
        ("iat just too old", proof(iat=SECOND - 361), "proof_time"),
        ("iat in the future", proof(iat=SECOND + 61), "proof_time"),
        # I-9
        ("nonce missing", proof(nonce=...), "nonce_missing"),
        ("nonce empty", proof(nonce=""), "nonce_missing"),
        ("nonce not text", proof(nonce=5), "nonce_missing"),
        ("nonce a list", proof(nonce=[NONCE]), "nonce_missing"),
        ("nonce invented", proof(nonce="invented"), "nonce_unknown"),
    ],
)  # fmt: skip
def test_vci_cred_4_5_6_a_proof_with_one_fault_is_refused(name: str, text: str, code: str) -> None:
    assert refusal(text).code == code, name


@pytest.mark.parametrize("iat", [SECOND - 360, SECOND + 60, SECOND + 0.5])
def test_vci_cred_6_the_edges_of_the_window_are_inside(iat: float) -> None:
    assert check(proof(iat=iat))


def test_vci_cred_5_iss_is_the_client_or_absent() -> None:
    assert check(proof(iss="client"), client_id="client")
    assert check(proof(), client_id="client")
    assert refusal(proof(iss="other"), client_id="client").code == "proof_issuer"
    assert refusal(proof(iss=["client"]), client_id="client").code == "proof_issuer"


def test_vci_cred_4_the_algorithms_are_those_of_the_metadata() -> None:
    assert refusal(proof(), algorithms=("ES384",)).code == "proof_alg"
    assert refusal(proof(iat=SECOND - 100), max_age=timedelta(seconds=10)).code == "proof_time"


def test_i_9_the_nonce_is_looked_at_only_for_a_genuine_proof() -> None:
    asked: list[str] = []
    check(proof(), check_nonce=asked.append)
    assert asked == [NONCE]
    for text in (proof(signer=OTHER), proof(aud="x"), proof(iat=0), proof(header={"typ": "JWT"})):
        refusal(text, check_nonce=asked.append)
    assert asked == [NONCE]


def test_vci_cred_10_i_13_a_batch_is_all_or_nothing_with_different_keys() -> None:
    arguments: dict[str, Any] = {"audience": AUDIENCE, "check_nonce": only_ours, "now": NOW, "batch_size": 2}
    mine, another = (create_jwt(key, audience=AUDIENCE, nonce=NONCE, issued_at=NOW) for key in (HOLDER, OTHER))
    assert [jwk.thumbprint(found.public_key) for found in verify_all("jwt", [mine, another], **arguments)] == [
        jwk.thumbprint(HOLDER.public_key),
        jwk.thumbprint(OTHER.public_key),
    ]
    with pytest.raises(VcError, match="proof_key_repeated"):
        verify_all("jwt", [mine, proof()], **arguments)
    with pytest.raises(VcError, match="proof_signature"):
        verify_all("jwt", [mine, proof(signer=OTHER)], **arguments)


@given(st.text(alphabet="abcEYJ.-_=é\x00", max_size=60) | st.text(max_size=30))
def test_any_text_gives_a_key_or_our_error(text: str) -> None:
    with pytest.raises(VcError):
        check(text)


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2))


@given(
    st.dictionaries(st.sampled_from(["typ", "jwk", "kid", "x5c", "crit", "b64"]), values, max_size=3),
    st.dictionaries(st.sampled_from(["aud", "iat", "nonce", "iss"]), values, max_size=4),
)
def test_any_header_and_claims_give_a_key_or_our_error(header: dict[str, Any], claims: dict[str, Any]) -> None:
    try:
        assert check(proof(header=header, **claims)).nonce == NONCE
    except VcError:
        return
