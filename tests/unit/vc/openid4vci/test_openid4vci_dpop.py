"""DPoP: VCI-DPOP-1, -2, attacks A-11, A-12."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import NOW
from vc.clock import TOLERANCE
from vc.encoding import base64url, json
from vc.errors import Refused, VcError
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner, Signer
from vc.openid4vci import dpop
from vc.openid4vci.dpop import MAX_AGE, MAX_LENGTH, DpopProof, access_token_hash

URL, TOKEN = "https://issuer.test/fr/token", "access-token"
KEY = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
OTHER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
SECOND = int(NOW.timestamp())
PUBLIC = jwk.from_public(KEY.public_key)
THUMBPRINT = base64url.encode(jwk.thumbprint(KEY.public_key))


def check(*values: str, **changes: Any) -> DpopProof:
    return dpop.verify(values, **{"method": "POST", "url": URL, "now": NOW, **changes})


def refusal(*values: str, **changes: Any) -> VcError:
    with pytest.raises(VcError) as caught:
        check(*values, **changes)
    return caught.value


def proof(*, header: Any = None, signer: Signer = KEY, **claims: Any) -> str:
    head = {"typ": "dpop+jwt", "jwk": PUBLIC, **(header or {})}
    body = {"jti": "id-1", "htm": "POST", "htu": URL, "iat": SECOND, **claims}
    head, body = ({name: value for name, value in part.items() if value is not ...} for part in (head, body))
    return jws.sign(head, json.dumps(body), signer)


def raw(alg: object, signature: bytes) -> str:
    header = {"typ": "dpop+jwt", "jwk": PUBLIC, **({} if alg is ... else {"alg": alg})}
    body = {"jti": "id-1", "htm": "POST", "htu": URL, "iat": SECOND}
    return f"{base64url.encode(json.dumps(header))}.{base64url.encode(json.dumps(body))}.{base64url.encode(signature)}"


def test_vci_dpop_1_what_a_client_makes_a_server_accepts() -> None:
    found = check(dpop.create(KEY, method="POST", url=URL + "?a=1#b", now=NOW, jti="id-1"))
    assert (found.thumbprint, found.jti) == (THUMBPRINT, "id-1")
    assert jwk.thumbprint(found.key) == jwk.thumbprint(KEY.public_key)


def test_vci_dpop_1_at_the_resource_with_token_key_and_nonce() -> None:
    made = dpop.create(KEY, method="POST", url=URL, now=NOW, jti="id-1", nonce="n", access_token=TOKEN)
    assert check(made, access_token=TOKEN, thumbprint=THUMBPRINT, nonce="n").jti == "id-1"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("not a JWT", "abc", "dpop_malformed"),
        ("empty", "", "dpop_malformed"),
        ("too long", proof(padding="a" * MAX_LENGTH), "dpop_malformed"),
        ("two in one header", proof() + ", " + proof(), "dpop_malformed"),
        ("payload no object", jws.sign({"typ": "dpop+jwt", "jwk": PUBLIC}, b"1", KEY), "dpop_malformed"),
        ("no key", proof(header={"jwk": ...}), "dpop_malformed"),
        ("kid only", proof(header={"jwk": ..., "kid": "1"}), "dpop_malformed"),
        ("private key", proof(header={"jwk": {**PUBLIC, "d": "AA"}}), "dpop_malformed"),
        ("symmetric key", proof(header={"jwk": {"kty": "oct", "k": "AA"}}), "dpop_malformed"),
        ("off-curve key", proof(header={"jwk": {**PUBLIC, "x": PUBLIC["y"]}}), "dpop_malformed"),
        ("alg none", raw("none", b""), "dpop_alg"),
        ("alg HS256", raw("HS256", b"x" * 32), "dpop_alg"),
        ("alg missing", raw(..., b"x" * 64), "dpop_alg"),
        ("zero signature", raw("ES256", bytes(64)), "dpop_signature"),
        ("another key signs", proof(signer=OTHER), "dpop_signature"),
        ("typ missing", proof(header={"typ": ...}), "dpop_typ"),
        ("typ of a proof", proof(header={"typ": "openid4vci-proof+jwt"}), "dpop_typ"),
        ("crit", proof(header={"crit": ["x"]}), "dpop_crit"),
        ("jti missing", proof(jti=...), "dpop_jti"),
        ("jti empty", proof(jti=""), "dpop_jti"),
        ("jti number", proof(jti=1), "dpop_jti"),
        ("jti endless", proof(jti="a" * 257), "dpop_jti"),
        ("htm missing", proof(htm=...), "dpop_method"),
        ("htm GET", proof(htm="GET"), "dpop_method"),
        ("htm in small letters", proof(htm="post"), "dpop_method"),
        ("htu missing", proof(htu=...), "dpop_url"),
        ("htu number", proof(htu=1), "dpop_url"),
        ("htu another path", proof(htu="https://issuer.test/fr/credential"), "dpop_url"),
        ("htu another host", proof(htu="https://evil.test/fr/token"), "dpop_url"),
        ("htu another scheme", proof(htu="http://issuer.test/fr/token"), "dpop_url"),
        ("htu another port", proof(htu="https://issuer.test:444/fr/token"), "dpop_url"),
        ("htu another institution", proof(htu="https://issuer.test/de/token"), "dpop_url"),
        ("htu with user", proof(htu="https://a@issuer.test/fr/token"), "dpop_url"),
        ("htu relative", proof(htu="/fr/token"), "dpop_url"),
        ("htu broken", proof(htu="https://[::1/fr/token"), "dpop_url"),
        ("htu with a foreign letter", proof(htu="https://íssuer.test/fr/token"), "dpop_url"),
        ("iat missing", proof(iat=...), "dpop_time"),
        ("iat text", proof(iat="x"), "dpop_time"),
        ("iat old", proof(iat=SECOND - 181), "dpop_time"),
        ("iat in the future", proof(iat=SECOND + 61), "dpop_time"),
    ],
)  # fmt: skip
def test_vci_dpop_1_a_11_a_proof_with_one_fault_is_refused(name: str, text: str, code: str) -> None:
    assert refusal(text).code == code, name


@pytest.mark.parametrize("values", [[], [proof(), proof(jti="id-2")], [proof(), proof()]])
def test_vci_dpop_2_a_11_exactly_one_header(values: list[str]) -> None:
    assert refusal(*values).code == "dpop_header"


@pytest.mark.parametrize("iat", [SECOND - 180, SECOND + 60])
def test_vci_dpop_1_the_edges_of_the_window_are_inside(iat: int) -> None:
    assert check(proof(iat=iat))
    assert timedelta(seconds=120) == MAX_AGE


@pytest.mark.parametrize(
    "htu",
    [
        URL + "?a=1", URL + "#f", "HTTPS://ISSUER.test:443/fr/token", "https://issuer.test/fr/./token", "https://issuer.test/x/../fr/token",
        "https://issuer.test/%66r/%74oken", "https://issuer.test/../fr/token",
    ],
)  # fmt: skip
def test_vci_dpop_2_htu_is_compared_without_query_and_after_normalising(htu: str) -> None:
    assert check(proof(htu=htu))


@pytest.mark.parametrize(
    ("published", "shown", "same"),
    [
        ("https://issuer.test", "https://issuer.test/", True),
        ("https://issuer.test/a%2fb", "https://issuer.test/a%2Fb", True),
        ("https://issuer.test/a%2Fb", "https://issuer.test/a/b", False),
        ("https://issuer.test/a/", "https://issuer.test/a", False),
        ("https://issuer.test/a/", "https://issuer.test/a/.", True),
        ("https://issuer.test/a/", "https://issuer.test/a/b/..", True),
        ("http://localhost:80/a", "http://localhost/a", True),
        ("http://localhost:8080/a", "http://localhost/a", False),
        ("https://issuer.test/A", "https://issuer.test/a", False),
    ],
)
def test_vci_dpop_2_urls_that_are_the_same_and_urls_that_are_not(published: str, shown: str, same: bool) -> None:
    if same:
        assert check(proof(htu=shown), url=published)
    else:
        assert refusal(proof(htu=shown), url=published).code == "dpop_url"


@pytest.mark.parametrize("nonce", [..., "other", "", None, 5])
def test_vci_dpop_3_a_demanded_nonce_that_is_missing_has_its_own_code(nonce: object) -> None:
    with pytest.raises(Refused, match="dpop_nonce"):
        check(proof(nonce=nonce), nonce="n")
    assert check(proof(nonce="whatever"))


@pytest.mark.parametrize("ath", [..., "", None, 5, access_token_hash("another token"), TOKEN])
def test_vci_dpop_1_a_12_the_proof_is_for_the_token_shown(ath: object) -> None:
    assert refusal(proof(ath=ath), access_token=TOKEN).code == "dpop_token_hash"


def test_ath_is_the_published_example_hash() -> None:
    # RFC 9449 §7: the access token and its ath
    assert access_token_hash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU") == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def test_a_12_the_token_is_bound_to_another_key() -> None:
    made = dpop.create(OTHER, method="POST", url=URL, now=NOW, jti="id-1", access_token=TOKEN)
    assert refusal(made, access_token=TOKEN, thumbprint=THUMBPRINT).code == "dpop_key"


def test_the_algorithms_and_the_age_can_be_narrowed() -> None:
    assert refusal(proof(), algorithms=("ES384",)).code == "dpop_alg"
    assert refusal(proof(iat=SECOND - 100), max_age=timedelta(seconds=10)).code == "dpop_time"


@given(st.text(alphabet="abcEYJ.-_=é\x00", max_size=60) | st.text(max_size=30))
def test_any_header_text_gives_a_proof_or_our_error(text: str) -> None:
    with pytest.raises(VcError):
        check(text)


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([URL, "https://[", "https://a:b/"])


@given(st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce"]), scalars, max_size=4))
def test_any_claims_give_a_proof_or_our_error(claims: dict[str, Any]) -> None:
    try:
        assert check(proof(**claims)).jti
    except VcError:
        return


# --- nonces of the server ---

SECRET, BEFORE = b"s" * 32, b"t" * 32


def test_vci_dpop_3_a_nonce_of_ours_is_taken_while_it_is_fresh() -> None:
    made = dpop.nonce_make(SECRET, NOW)
    for age in (timedelta(0), timedelta(seconds=300), -TOLERANCE):
        dpop.nonce_check([SECRET], made, NOW + age)
    dpop.nonce_check([BEFORE, SECRET], made, NOW)  # while the secret is changed
    dpop.nonce_check([SECRET], made, NOW + timedelta(seconds=900), max_age=timedelta(seconds=900))
    assert made == dpop.nonce_make(SECRET, NOW)
    assert made != dpop.nonce_make(SECRET, NOW + timedelta(seconds=1))


def _altered(nonce: str, at: int) -> str:
    octets = bytearray(base64url.decode(nonce))
    octets[at] ^= 1
    return base64url.encode(bytes(octets))


NONCE = dpop.nonce_make(SECRET, NOW)


@pytest.mark.parametrize(
    ("name", "nonce", "secrets", "now"),
    [
        ("none", None, [SECRET], NOW),
        ("empty", "", [SECRET], NOW),
        ("not base64url", "===", [SECRET], NOW),
        ("invented", base64url.encode(b"x" * 40), [SECRET], NOW),
        ("the time alone", base64url.encode(base64url.decode(NONCE)[:8]), [SECRET], NOW),
        ("cut off", base64url.encode(base64url.decode(NONCE)[:-1]), [SECRET], NOW),
        ("longer", base64url.encode(base64url.decode(NONCE) + b"x"), [SECRET], NOW),
        ("another time", _altered(NONCE, 7), [SECRET], NOW),
        ("another code", _altered(NONCE, 39), [SECRET], NOW),
        ("another secret", NONCE, [BEFORE], NOW),
        ("no secret", NONCE, [], NOW),
        ("old", NONCE, [SECRET], NOW + timedelta(seconds=301)),
        ("of the future", NONCE, [SECRET], NOW - TOLERANCE - timedelta(seconds=1)),
    ],
)
def test_vci_dpop_3_another_nonce_is_refused(name: str, nonce: str | None, secrets: list[bytes], now: datetime) -> None:
    with pytest.raises(Refused) as caught:
        dpop.nonce_check(secrets, nonce, now)
    assert caught.value.code == "dpop_nonce", name


def test_a_short_secret_makes_no_nonce() -> None:
    with pytest.raises(ValueError, match="32 octets"):
        dpop.nonce_make(b"s" * 31, NOW)


def test_vci_dpop_3_the_nonce_in_a_proof_is_judged() -> None:
    def demanded(nonce: str | None) -> None:
        dpop.nonce_check([SECRET], nonce, NOW)

    assert check(proof(nonce=NONCE), check_nonce=demanded).jti == "id-1"
    for made in (proof(), proof(nonce=5), proof(nonce=""), proof(nonce=NONCE[:-4])):
        assert refusal(made, check_nonce=demanded).code == "dpop_nonce"
    # who is wrong about more than the nonce is not told to try again with one
    assert refusal(proof(htm="GET"), check_nonce=demanded).code == "dpop_method"
    assert refusal(proof(iat=SECOND - 4000), check_nonce=demanded).code == "dpop_time"


@given(st.text(max_size=80))
def test_any_text_is_no_nonce(text: str) -> None:
    with pytest.raises(Refused, match="dpop_nonce"):
        dpop.nonce_check([SECRET], text, NOW)
