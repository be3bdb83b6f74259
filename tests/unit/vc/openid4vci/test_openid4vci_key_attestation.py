"""Key attestations, alone and in proofs: VCI-CRED-3, -7 to -11, EAA-I-7, -8, TS3 v1.5 §2.2.2."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import attestation as made
from tests.support.attestation import LIST, OTHER, PROVIDER, SECOND, header, public, signed
from tests.support.pki import NOW, holder, root
from vc.encoding import base64url
from vc.errors import Refused, VcError, VerificationFailed
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import key_attestation, proof
from vc.openid4vci.errors import Endpoint, translate
from vc.openid4vci.key_attestation import LEVELS, TYP, KeyAttestation, check_level, create
from vc.openid4vci.proof import HolderKey
from vc.status.reference import StatusReference

AUDIENCE, NONCE = "https://issuer.test/fr", "c-nonce-of-ours"
FIRST, SECOND_KEY, THIRD = holder(), holder(), holder()
KEYS = [public(key) for key in (FIRST, SECOND_KEY, THIRD)]
CLAIMS: dict[str, Any] = {"iat": SECOND - 10, "exp": SECOND + 3600, "attested_keys": KEYS, "nonce": NONCE}


def only_ours(nonce: str) -> None:
    if nonce != NONCE:
        raise Refused("nonce_unknown", "not a nonce of ours")


def attestation(**claims: Any) -> str:
    return signed(header(TYP), {**CLAIMS, **claims}, PROVIDER)


def check(
    text: str, *, in_jwt_proof: bool = False, check_nonce: Callable[[str], None] = only_ours, **changes: Any
) -> KeyAttestation:
    return key_attestation.verify(text, in_jwt_proof=in_jwt_proof, check_nonce=check_nonce, now=NOW, **changes)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(VcError) as caught:
        call()
    return caught.value.code


def thumbprints(keys: Any) -> list[bytes]:
    return [jwk.thumbprint(getattr(key, "public_key", key)) for key in keys]


# --- the attestation ---


def test_vci_cred_7_what_a_provider_attests_an_issuer_reads() -> None:
    text = create(
        PROVIDER,
        keys=[FIRST.public_key, OTHER.public_key],
        now=NOW,
        expires=NOW + timedelta(days=1),
        nonce=NONCE,
        key_storage=["iso_18045_high"],
        user_authentication=["iso_18045_moderate"],
        status=StatusReference(uri="https://wallet-provider.test/list", idx=7),
        key_storage_status_expires=NOW + timedelta(days=40),
        certification="https://wallet-provider.test/certificate",
    )
    for in_jwt_proof in (True, False):
        found = check(text, in_jwt_proof=in_jwt_proof)
        assert thumbprints(found.keys) == thumbprints([FIRST, OTHER])
        assert found.status == StatusReference(uri="https://wallet-provider.test/list", idx=7)
        assert (found.key_storage, found.user_authentication) == (("iso_18045_high",), ("iso_18045_moderate",))
        assert (found.issued_at, found.expires, found.nonce) == (NOW, NOW + timedelta(days=1), NONCE)
        assert (found.status_expires, found.chain) == (NOW + timedelta(days=40), PROVIDER.chain)
        assert found.certification == "https://wallet-provider.test/certificate"


def test_vci_cred_7_the_least_of_each_kind() -> None:
    least = create(PROVIDER, keys=[FIRST.public_key], now=NOW, expires=None, nonce=NONCE)
    assert (check(least).status, check(least).expires) == (None, None)
    inside = create(PROVIDER, keys=[FIRST.public_key], now=NOW, expires=NOW + timedelta(days=1))
    assert check(inside, in_jwt_proof=True).nonce is None
    assert code_of(lambda: check(least, in_jwt_proof=True)) == "proof_attestation_time"
    assert code_of(lambda: check(inside)) == "nonce_missing"
    with pytest.raises(ValueError, match="for keys"):
        create(PROVIDER, keys=[], now=NOW, expires=None)
    with pytest.raises(ValueError, match="certificate"):
        create(OTHER, keys=[FIRST.public_key], now=NOW, expires=None)


@pytest.mark.parametrize(("name", "text", "code"), made.certificate_faults(TYP, CLAIMS, "proof_attestation"))
def test_vci_cred_7_an_attestation_with_one_fault_outside_is_refused(name: str, text: str, code: str) -> None:
    assert code_of(lambda: check(text)) == code, name


@pytest.mark.parametrize(
    ("name", "claims", "code"),
    [
        ("iat missing", {"iat": ...}, "proof_attestation_time"),
        ("no keys", {"attested_keys": ...}, "proof_attestation_keys"),
        ("keys empty", {"attested_keys": []}, "proof_attestation_keys"),
        ("keys an object", {"attested_keys": KEYS[0]}, "proof_attestation_keys"),
        ("key a text", {"attested_keys": ["x"]}, "proof_attestation_keys"),
        ("key private", {"attested_keys": [{**KEYS[0], "d": "AA"}]}, "proof_attestation_keys"),
        ("key symmetric", {"attested_keys": [KEYS[0], {"kty": "oct", "k": "AAAA"}]}, "proof_attestation_keys"),
        ("key off the curve", {"attested_keys": [{**KEYS[0], "y": KEYS[1]["y"]}]}, "proof_attestation_keys"),
        ("key crv a list", {"attested_keys": [{**KEYS[0], "crv": []}]}, "proof_attestation_keys"),
        ("kid a list", {"attested_keys": [{**KEYS[0], "kid": []}]}, "proof_attestation_keys"),
        ("key twice", {"attested_keys": [KEYS[0], KEYS[1], {**KEYS[0], "kid": "other"}]}, "proof_attestation_keys"),
        ("key_storage a text", {"key_storage": "iso_18045_high"}, "proof_attestation_level"),
        ("key_storage empty", {"key_storage": []}, "proof_attestation_level"),
        ("key_storage of objects", {"key_storage": [{}]}, "proof_attestation_level"),
        ("user_authentication null", {"user_authentication": None}, "proof_attestation_level"),
        ("nonce missing", {"nonce": ...}, "nonce_missing"),
        ("nonce empty", {"nonce": ""}, "nonce_missing"),
        ("nonce a list", {"nonce": [NONCE]}, "nonce_missing"),
        ("nonce invented", {"nonce": "invented"}, "nonce_unknown"),
        *made.time_faults("proof_attestation"),
        *made.status_faults("key_storage_status", "proof_attestation"),
    ],
)
def test_vci_cred_7_an_attestation_with_one_fault_inside_is_refused(name: str, claims: dict[str, Any], code: str) -> None:
    refused = code_of(lambda: check(attestation(**claims)))
    assert refused == code, name
    error = translate(Endpoint.CREDENTIAL, VerificationFailed(refused))
    assert error.error == ("invalid_nonce" if code.startswith("nonce_") else "invalid_proof")


@pytest.mark.parametrize("claims", [{"iat": SECOND + 60}, {"exp": SECOND - 59}, {"iat": SECOND - 86_400 * 300}])
def test_vci_cred_7_the_edges_of_the_times_are_inside(claims: dict[str, Any]) -> None:
    assert check(attestation(**claims))


def test_vci_cred_7_a_nonce_is_asked_about_only_for_a_genuine_attestation() -> None:
    asked: list[str] = []
    faults: list[dict[str, Any]] = [{"iat": ...}, {"exp": 0}, {"attested_keys": []}, {"status": 5}, {"key_storage": []}]
    for text in [signed(header(TYP), CLAIMS, OTHER), *(attestation(**fault) for fault in faults)]:
        code_of(lambda text=text: check(text, check_nonce=asked.append))  # type: ignore[misc]
    assert asked == []
    check(attestation(), in_jwt_proof=True, check_nonce=asked.append)
    assert asked == [NONCE]


def test_vci_cred_7_the_algorithms_are_those_of_the_metadata() -> None:
    assert code_of(lambda: check(attestation(), algorithms=("ES384",))) == "proof_attestation_alg"


@pytest.mark.parametrize(
    ("shown", "accepted", "reached"),
    [
        *((LEVELS[i], LEVELS[j], i >= j) for i in range(4) for j in range(4)),
        ("urn:own", "urn:own", True),
        ("urn:own", "iso_18045_basic", False),
        ("iso_18045_high", "urn:own", False),
        ("ISO_18045_HIGH", "iso_18045_basic", False),
    ],
)
def test_vci_cred_8_a_level_is_reached_or_it_is_not(shown: str, accepted: str, reached: bool) -> None:
    storage, authentication = check(attestation(key_storage=[shown])), check(attestation(user_authentication=[shown]))
    for found, required in (
        (storage, {"key_storage": [accepted], "user_authentication": []}),
        (authentication, {"key_storage": [], "user_authentication": [accepted]}),
    ):
        if reached:
            check_level(found, **required)
        else:
            assert code_of(lambda found=found, required=required: check_level(found, **required)) == "proof_attestation_level"  # type: ignore[misc]


def test_vci_cred_8_one_of_several_levels_is_enough_and_none_is_not() -> None:
    found = check(attestation(key_storage=["urn:own", "iso_18045_moderate"]))
    check_level(found, key_storage=["urn:other", "iso_18045_basic"], user_authentication=[])
    check_level(check(attestation()), key_storage=[], user_authentication=[])
    assert code_of(lambda: check_level(found, key_storage=[], user_authentication=["iso_18045_basic"])) == "proof_attestation_level"


# --- proofs ---


def trusted(_: KeyAttestation) -> None:
    """A caller who believes the provider."""


def keys_of(*proofs: str, proof_type: str = "jwt", **changes: Any) -> tuple[HolderKey, ...]:
    arguments: dict[str, Any] = {
        "audience": AUDIENCE, "check_nonce": only_ours, "now": NOW, "batch_size": 5, "judge": trusted, **changes,
    }  # fmt: skip
    return proof.verify_all(proof_type, proofs, **arguments)


def jwt(attested: Any = None, *, key: LocalSigner = FIRST, **changes: Any) -> str:
    """A jwt proof with a header of its own making."""
    head = {"typ": proof.TYP, "key_attestation": attestation() if attested is None else attested, **changes}
    return signed(head, {"aud": AUDIENCE, "iat": SECOND, "nonce": NONCE}, key)


CHAIN = root().leaf(key=FIRST.private_key).chain
NAMED = attestation(attested_keys=[{**KEYS[0], "kid": "a"}, {**KEYS[1], "kid": "0"}, KEYS[2]])


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("TS3: nothing beside", jwt(), FIRST),
        ("jwk of the first", jwt(jwk=KEYS[0]), FIRST),
        ("jwk of another", jwt(jwk=KEYS[1], key=SECOND_KEY), SECOND_KEY),
        ("x5c", jwt(x5c=jws.x5c(CHAIN)), FIRST),
        ("kid of the attestation", jwt(NAMED, kid="a"), FIRST),
        ("kid that looks like a place", jwt(NAMED, kid="0", key=SECOND_KEY), SECOND_KEY),
        ("kid a place", jwt(kid="1", key=SECOND_KEY), SECOND_KEY),
        ("kid a place without a name", jwt(NAMED, kid="2", key=THIRD), THIRD),
        ("kid a thumbprint", jwt(kid=base64url.encode(jwk.thumbprint(THIRD.public_key)), key=THIRD), THIRD),
        (
            "made by our wallet",
            proof.create_jwt(FIRST, audience=AUDIENCE, nonce=NONCE, issued_at=NOW, key_attestation=attestation()),
            FIRST,
        ),
        (
            "made by our wallet, TS3",
            proof.create_jwt(FIRST, audience=AUDIENCE, nonce=NONCE, issued_at=NOW, key_attestation=attestation(), with_jwk=False),
            FIRST,
        ),
    ],
)
def test_vci_cred_9_10_a_jwt_proof_brings_every_attested_key(name: str, text: str, first: LocalSigner) -> None:
    found = keys_of(text, attestation_required=True)
    assert thumbprints(found)[0] == jwk.thumbprint(first.public_key), name
    assert sorted(thumbprints(found)) == sorted(thumbprints([FIRST, SECOND_KEY, THIRD]))
    assert {key.nonce for key in found} == {NONCE}
    assert thumbprints(keys_of(text, batch_size=1)) == thumbprints([first])


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("another key than the first", jwt(key=SECOND_KEY), "proof_signature"),
        ("jwk not attested", jwt(jwk=public(OTHER), key=OTHER), "proof_attestation_key"),
        ("jwk attested, signed by another", jwt(jwk=KEYS[1]), "proof_signature"),
        ("kid unknown", jwt(kid="9"), "proof_attestation_key"),
        ("kid negative", jwt(kid="-1"), "proof_attestation_key"),
        ("kid null", jwt(kid=None), "proof_attestation_key"),
        ("kid a list", jwt(kid=["0"]), "proof_attestation_key"),
        ("kid a number", jwt(kid=0), "proof_attestation_key"),
        ("kid of a name taken by place", jwt(NAMED, kid="1", key=SECOND_KEY), "proof_attestation_key"),
        ("jwk and kid", jwt(jwk=KEYS[0], kid="0"), "proof_key"),
        ("jku", jwt(jku="https://evil.test/keys"), "proof_key"),
        ("attestation an object", jwt({"null": None}), "proof_attestation_malformed"),
        ("attestation a list", jwt([attestation()]), "proof_attestation_malformed"),
        ("attestation junk", jwt("a.b.c"), "proof_attestation_malformed"),
        ("attestation forged", jwt(signed(header(TYP), CLAIMS, OTHER)), "proof_attestation_signature"),
        ("attestation expired", jwt(attestation(iat=0, exp=SECOND - 60)), "proof_attestation_expired"),
        ("attestation without exp", jwt(attestation(exp=...)), "proof_attestation_time"),
        ("attestation for another nonce", jwt(attestation(nonce="invented")), "nonce_unknown"),
        ("attestation as proof of type jwt", attestation(), "proof_attestation_missing"),
        ("attestation missing", jwt(..., jwk=KEYS[0]), "proof_attestation_missing"),
    ],
)
def test_vci_cred_9_a_jwt_proof_with_one_fault_is_refused(name: str, text: str, code: str) -> None:
    assert code_of(lambda: keys_of(text, attestation_required=True)) == code, name


def test_vci_cred_9_the_attestation_is_for_the_nonce_of_the_proof() -> None:
    """Both are ours and unspent; but only the one of the proof would be spent."""
    text = jwt(attestation(nonce="another-of-ours"))
    assert code_of(lambda: keys_of(text, check_nonce=lambda _: None)) == "nonce_attestation"
    assert keys_of(jwt(attestation(nonce=...)))


def test_vci_cred_9_an_attestation_is_optional_only_where_it_is_not_required() -> None:
    plain = jwt(..., jwk=KEYS[0])
    assert thumbprints(keys_of(plain)) == thumbprints([FIRST])
    assert code_of(lambda: keys_of(plain, attestation_required=True)) == "proof_attestation_missing"
    mixed = keys_of(jwt(), jwt(..., jwk=KEYS[1], key=SECOND_KEY))
    assert thumbprints(mixed) == thumbprints([FIRST, SECOND_KEY, THIRD])


def test_vci_cred_10_11_several_proofs_under_one_attestation() -> None:
    text = attestation()
    proofs = [jwt(text, jwk=public(key), key=key) for key in (THIRD, FIRST)]
    judged: list[KeyAttestation] = []
    assert thumbprints(keys_of(*proofs, judge=judged.append)) == thumbprints([THIRD, FIRST, SECOND_KEY])
    assert len(judged) == 1
    assert thumbprints(keys_of(*proofs, batch_size=2)) == thumbprints([THIRD, FIRST])
    assert code_of(lambda: keys_of(proofs[0], proofs[0])) == "proof_key_repeated"
    keys_of(jwt(attestation(iat=SECOND - 20)), jwt(text, jwk=KEYS[1], key=SECOND_KEY), judge=judged.append)
    assert len(judged) == 3


def test_eaa_i_8_nobody_trusted_means_no_attestation_is_taken_and_a_verdict_stops_everything() -> None:
    def untrusted(_: KeyAttestation) -> None:
        raise Refused("proof_attestation_untrusted", "not on the list")

    for proof_type, text in (("jwt", jwt()), ("jwt", jwt(jwk=KEYS[0])), ("attestation", attestation())):
        assert code_of(lambda t=proof_type, x=text: keys_of(x, proof_type=t, judge=None)) == "proof_attestation"  # type: ignore[misc]
        refused = code_of(lambda t=proof_type, x=text: keys_of(x, proof_type=t, judge=untrusted))  # type: ignore[misc]
        assert refused == "proof_attestation_untrusted"
    alone = jwt(jwk=KEYS[0])
    assert code_of(lambda: proof.verify_jwt(alone, audience=AUDIENCE, check_nonce=only_ours, now=NOW)) == "proof_attestation"


def test_eaa_i_8_the_verdict_comes_before_any_use_of_the_keys() -> None:
    judged: list[KeyAttestation] = []
    code_of(lambda: keys_of(jwt(key=OTHER), judge=judged.append))
    assert len(judged) == 1


def test_vci_cred_3_10_a_proof_of_type_attestation_brings_its_keys() -> None:
    found = keys_of(attestation(), proof_type="attestation", attestation_required=True)
    assert thumbprints(found) == thumbprints([FIRST, SECOND_KEY, THIRD])
    assert {key.nonce for key in found} == {NONCE}
    assert thumbprints(keys_of(attestation(exp=...), proof_type="attestation", batch_size=2)) == thumbprints([FIRST, SECOND_KEY])


@pytest.mark.parametrize(
    ("name", "proof_type", "proofs", "code"),
    [
        ("two attestations", "attestation", [attestation(), attestation()], "proof_count"),
        ("no attestation", "attestation", [], "proof_count"),
        ("no jwt", "jwt", [], "proof_count"),
        ("over the batch size", "jwt", [jwt(..., jwk=KEYS[0])] * 6, "proof_count"),
        ("another type", "di_vp", ["x"], "proof_type"),
        ("jwt as attestation", "attestation", [jwt()], "proof_attestation_certificate"),
        ("without nonce", "attestation", [attestation(nonce=...)], "nonce_missing"),
        ("nonce invented", "attestation", [attestation(nonce="invented")], "nonce_unknown"),
    ],
)
def test_vci_cred_3_proofs_with_one_fault_are_refused(name: str, proof_type: str, proofs: list[str], code: str) -> None:
    assert code_of(lambda: keys_of(*proofs, proof_type=proof_type)) == code, name


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2))
CLAIM_NAMES = ["iat", "exp", "nbf", "attested_keys", "nonce", "key_storage", "user_authentication", "status", "key_storage_status"]


@given(
    st.dictionaries(st.sampled_from(["typ", "jwk", "kid", "x5c", "crit", "alg"]), values, max_size=2),
    st.dictionaries(st.sampled_from(CLAIM_NAMES), values, max_size=3),
)
def test_any_header_and_claims_give_keys_or_our_error(head: dict[str, Any], claims: dict[str, Any]) -> None:
    text = signed({**header(TYP), **head}, {**CLAIMS, **claims}, PROVIDER)
    for proof_type, proof_text in (("attestation", text), ("jwt", jwt(text)), ("jwt", jwt(**head))):
        try:
            assert keys_of(proof_text, proof_type=proof_type)
        except VcError:
            continue


def test_every_status_of_an_attestation_is_told() -> None:
    other = {"status_list": {"idx": 8, "uri": "https://wallet-provider.test/list"}}
    found = check(attestation(key_storage_status={"status": LIST, "exp": SECOND + 9000}, status=other))
    assert [status.idx for status in found.statuses] == [7, 8]
