"""Presenting and key binding: SDJ-9, SDJ-10, attack J-7 (RFC 9901 §4.3, §7.2, §7.3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.sdjwt import AUDIENCE, NONCE, NOW, Lab, digest, of_name
from vc.encoding import base64url, json
from vc.encoding.claims_path import Path
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys.signer import Signer
from vc.sdjwt import disclosure, present
from vc.sdjwt.verify import KEY_BINDING_MAX_AGE, KeyBinding, parse, verify_issuer, verify_key_binding

LAB = Lab()
CREDENTIAL = LAB.issued(
    [("name",), ("address",), ("address", "street"), ("address", "country"), ("list", None)],
    name="Test Person",
    address={"street": "Rue", "country": "FR"},
    list=["x", "y"],
)


def check(text: str, **changes: Any) -> KeyBinding:
    arguments = {"holder": LAB.holder.public_key, "nonce": NONCE, "audience": AUDIENCE, "now": NOW, **changes}
    return verify_key_binding(parse(text), **arguments)


def refusal(text: str, **changes: Any) -> VcError:
    with pytest.raises(VerificationFailed) as caught:
        check(text, **changes)
    return caught.value


@pytest.mark.parametrize(
    ("disclose", "shown"),
    [
        (None, {"name", "address", "address.street", "address.country", "list.0", "list.1"}),
        ([], set()),
        ([("name",)], {"name"}),
        ([("address", "street")], {"address", "address.street"}),
        ([("address",)], {"address", "address.street", "address.country"}),
        ([("list", None)], {"list.0", "list.1"}),
        ([("list", 0), ("vct",), ("absent",)], {"list.0"}),
    ],
)
def test_a_presentation_shows_what_was_chosen_with_its_parents_and_nothing_else(
    disclose: list[Path] | None, shown: set[str]
) -> None:
    sd_jwt = verify_issuer(parse(present.present(CREDENTIAL, disclose=disclose)), LAB.issuer.public_key)
    assert {".".join(map(str, path)) for path in sd_jwt.disclosed} == shown


def test_sdj_1_a_presentation_cannot_be_made_from_one() -> None:
    with pytest.raises(Refused, match="key_binding_present"):
        present.present(LAB.bound(CREDENTIAL))
    with pytest.raises(Refused, match="key_binding_present"):
        LAB.bound(LAB.bound(CREDENTIAL))


def test_a_credential_with_unreferenced_disclosures_is_not_presented() -> None:
    with pytest.raises(VerificationFailed, match="disclosure_unreferenced"):
        present.present(CREDENTIAL + of_name("a", 1) + "~")


def test_sdj_10_a_key_binding_holds_for_its_challenge() -> None:
    text = LAB.bound(present.present(CREDENTIAL, disclose=[("name",)]), more={"transaction_data_hashes": ["x"]})
    found = check(text)
    assert found.issued_at == NOW
    assert found.claims == {
        "iat": int(NOW.timestamp()),
        "aud": AUDIENCE,
        "nonce": NONCE,
        "sd_hash": digest(text.rpartition("~")[0] + "~"),
        "transaction_data_hashes": ["x"],
    }


@pytest.mark.parametrize("algorithm", ["sha-384", "sha-512"])
def test_sdj_10_sd_hash_uses_the_hash_of_the_credential(algorithm: str) -> None:
    text = of_name("a", 1)
    credential = LAB.forged({**LAB.claims(), "_sd_alg": algorithm, "_sd": [disclosure.digest(text, algorithm)]}, text)
    assert check(LAB.bound(credential)).issued_at == NOW


def by_hand(presentation: str, *, signer: Signer = LAB.holder, header: Any = None, **changes: Any) -> str:
    """A key binding with one thing different; a value of `...` removes the claim."""
    claims = {"iat": int(NOW.timestamp()), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(presentation), **changes}
    claims = {name: value for name, value in claims.items() if value is not ...}
    return presentation + jws.sign({"typ": "kb+jwt"} if header is None else header, json.dumps(claims), signer)


def test_the_binding_by_hand_is_right_when_nothing_is_changed() -> None:
    assert check(by_hand(CREDENTIAL)).issued_at == NOW


SECOND = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("absent", CREDENTIAL, "key_binding_missing"),  # SDJ-9
        ("another key", by_hand(CREDENTIAL, signer=LAB.stranger), "key_binding_signature"),
        ("the issuer's key", by_hand(CREDENTIAL, signer=LAB.issuer), "key_binding_signature"),
        ("typ JWT", by_hand(CREDENTIAL, header={"typ": "JWT"}), "key_binding_typ"),
        ("typ missing", by_hand(CREDENTIAL, header={}), "key_binding_typ"),
        ("typ of a proof", by_hand(CREDENTIAL, header={"typ": "openid4vci-proof+jwt"}), "key_binding_typ"),
        ("alg none", by_hand(CREDENTIAL, header={"typ": "kb+jwt", "alg": "none"}), "key_binding_alg"),
        ("alg HS256", by_hand(CREDENTIAL, header={"typ": "kb+jwt", "alg": "HS256"}), "key_binding_alg"),
        ("crit", by_hand(CREDENTIAL, header={"typ": "kb+jwt", "crit": ["x"]}), "key_binding_crit"),
        ("aud missing", by_hand(CREDENTIAL, aud=...), "key_binding_audience"),
        ("aud of another", by_hand(CREDENTIAL, aud="x509_hash:other"), "key_binding_audience"),
        ("aud a prefix", by_hand(CREDENTIAL, aud=AUDIENCE[:-1]), "key_binding_audience"),
        (
            "aud a list with a second verifier",
            by_hand(CREDENTIAL, aud=[AUDIENCE, "x509_hash:other"]),
            "key_binding_audience",
        ),  # R-8
        ("aud a list of us alone", by_hand(CREDENTIAL, aud=[AUDIENCE]), "key_binding_audience"),
        ("nonce missing", by_hand(CREDENTIAL, nonce=...), "key_binding_nonce"),
        ("nonce of another", by_hand(CREDENTIAL, nonce="other"), "key_binding_nonce"),
        ("nonce a list", by_hand(CREDENTIAL, nonce=[NONCE]), "key_binding_nonce"),
        ("sd_hash missing", by_hand(CREDENTIAL, sd_hash=...), "key_binding_hash"),
        ("sd_hash of other disclosures", by_hand(CREDENTIAL, sd_hash=digest("x")), "key_binding_hash"),
        ("sd_hash without the last ~", by_hand(CREDENTIAL, sd_hash=digest(CREDENTIAL[:-1])), "key_binding_hash"),
        ("iat missing", by_hand(CREDENTIAL, iat=...), "key_binding_time"),
        ("iat text", by_hand(CREDENTIAL, iat=str(SECOND)), "key_binding_time"),
        ("iat true", by_hand(CREDENTIAL, iat=True), "key_binding_time"),
        ("iat null", by_hand(CREDENTIAL, iat=None), "key_binding_time"),
        ("iat 1e300", by_hand(CREDENTIAL, iat=1e300), "key_binding_time"),
        ("iat too old", by_hand(CREDENTIAL, iat=SECOND - 361), "key_binding_time"),
        ("iat in the future", by_hand(CREDENTIAL, iat=SECOND + 61), "key_binding_time"),
        ("exp past", by_hand(CREDENTIAL, exp=SECOND - 61), "key_binding_time"),
        ("exp text", by_hand(CREDENTIAL, exp="x"), "key_binding_time"),
    ],
)
def test_sdj_10_j_7_a_key_binding_that_is_not_ours_is_refused_with_its_reason(name: str, text: str, code: str) -> None:
    assert refusal(text).code == code, name


@pytest.mark.parametrize("changes", [{"iat": SECOND - 360}, {"iat": SECOND + 60}, {"iat": SECOND + 0.5}, {"exp": SECOND - 60}])
def test_sdj_10_the_edges_of_the_window_are_inside(changes: dict[str, Any]) -> None:
    check(by_hand(CREDENTIAL, **changes))


def test_sdj_10_j_7_disclosures_changed_after_signing_break_the_hash() -> None:
    bound = LAB.bound(present.present(CREDENTIAL, disclose=[("name",), ("list", 0)]))
    token, first, second, key_binding = bound.split("~")
    extra = next(text for text in CREDENTIAL.split("~")[1:-1] if text not in (first, second))
    for altered in ((token, first, key_binding), (token, second, first, key_binding), (token, first, second, extra, key_binding)):
        assert refusal("~".join(altered)).code == "key_binding_hash"


def test_j_7_an_altered_signature_is_refused() -> None:
    body, _, signature = LAB.bound(CREDENTIAL).rpartition(".")
    other = base64url.encode(bytes([base64url.decode(signature)[0] ^ 1]) + base64url.decode(signature)[1:])
    assert refusal(f"{body}.{other}").code == "key_binding_signature"


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b'"iat"'])
def test_j_7_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    assert refusal(CREDENTIAL + jws.sign({"typ": "kb+jwt"}, payload, LAB.holder)).code == "key_binding_malformed"


@pytest.mark.parametrize("payload", [b"", b"x", b'{"iat":1,"iat":2}', b'{"iat":1e999}'])
def test_j_7_a_payload_that_is_no_json_is_not_even_parsed(payload: bytes) -> None:
    with pytest.raises(Malformed, match="json"):
        parse(CREDENTIAL + jws.sign({"typ": "kb+jwt"}, payload, LAB.holder))


def test_sdvc_5_j_12_a_credential_bound_to_no_key_has_no_holder() -> None:
    assert refusal(LAB.bound(CREDENTIAL), holder=None).code == "holder_key_missing"


def test_sdj_10_the_caller_may_narrow_algorithm_and_age() -> None:
    text = LAB.bound(CREDENTIAL, now=NOW - timedelta(seconds=100))
    check(text)
    assert refusal(text, algorithms=("ES384",)).code == "key_binding_alg"
    assert refusal(text, max_age=timedelta(seconds=30)).code == "key_binding_time"
    assert timedelta(seconds=300) == KEY_BINDING_MAX_AGE


@pytest.mark.parametrize("missing", ["nonce", "audience"])
def test_r_8_no_expectation_is_no_verification(missing: str) -> None:
    arguments: dict[str, Any] = {"holder": LAB.holder.public_key, "nonce": NONCE, "audience": AUDIENCE, "now": NOW}
    with pytest.raises(ValueError, match="nonce and an audience"):
        verify_key_binding(parse(LAB.bound(CREDENTIAL)), **{**arguments, missing: ""})
    with pytest.raises(ValueError, match="nonce and an audience"):
        LAB.bound(CREDENTIAL, **{missing: ""})
    del arguments[missing]
    with pytest.raises(TypeError, match=missing):
        verify_key_binding(parse(LAB.bound(CREDENTIAL)), **arguments)


def test_the_moment_is_written_in_whole_seconds() -> None:
    text = LAB.bound(CREDENTIAL, now=datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC))
    assert check(text).issued_at == NOW
