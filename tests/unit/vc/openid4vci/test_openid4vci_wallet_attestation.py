"""Wallet attestations and their proofs of possession: VCI-WIA-1 to -7 and -10, HAIP-VCI-10, attacks A-13 to A-15."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.support import attestation as made
from tests.support.attestation import INSTANCE, LIST, OTHER, PROVIDER, PROVIDER_ROOT, SECOND, header, public, signed
from tests.support.pki import NOW, new_key
from vc.encoding import base64url
from vc.errors import Refused, VcError
from vc.keys import jwk
from vc.keys.signer import LocalSigner, Signer
from vc.openid4vci import wallet_attestation
from vc.openid4vci.errors import Endpoint, translate
from vc.openid4vci.wallet_attestation import POP_TYP, TYP, WalletAttestation, create, create_pop
from vc.status.reference import StatusReference

AUDIENCE, CLIENT, CHALLENGE = "https://issuer.test/fr", "https://wallet.test", "a-challenge-of-ours"
CLAIMS: dict[str, Any] = {"sub": CLIENT, "iat": SECOND - 10, "exp": SECOND + 3600, "cnf": {"jwk": public(INSTANCE)}}
POP_CLAIMS: dict[str, Any] = {"aud": AUDIENCE, "jti": "j1", "iat": SECOND}


def attestation(**claims: Any) -> str:
    return signed(header(TYP), {**CLAIMS, **claims}, PROVIDER)


def pop(*, head: Any = None, signer: Signer = INSTANCE, **claims: Any) -> str:
    return signed({"typ": POP_TYP, **(head or {})}, {**POP_CLAIMS, **claims}, signer)


def only_ours(challenge: str) -> None:
    if challenge != CHALLENGE:
        raise Refused("attestation_challenge", "not a challenge of ours")


def check(text: str | None = None, shown: str | None = None, **changes: Any) -> WalletAttestation:
    arguments: dict[str, Any] = {
        "audience": AUDIENCE,
        "now": NOW,
        "client_id": None,
        "challenge_required": False,
        "check_challenge": only_ours,
        **changes,
    }
    return wallet_attestation.verify([text or attestation()], [shown or pop()], **arguments)


def refusal(text: str | None = None, shown: str | None = None, **changes: Any) -> str:
    with pytest.raises(VcError) as caught:
        check(text, shown, **changes)
    return caught.value.code


@pytest.mark.parametrize("issuer", [None, CLIENT])
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_vci_wia_2_3_what_a_wallet_shows_a_server_believes(issuer: str | None, curve: ec.EllipticCurve) -> None:
    """Both the form of draft-07 with `iss` and the later ones without; every algorithm of TS3."""
    instance, provider = LocalSigner(new_key(curve)), PROVIDER_ROOT.leaf(key=new_key(curve))
    text = create(
        provider,
        client_id=CLIENT,
        instance_key=instance.public_key,
        now=NOW,
        expires=NOW + timedelta(hours=23),
        issuer="https://provider.test" if issuer else None,
        wallet_name="Wallet",
        wallet_version="1.2",
        wallet_link="https://wallet.test/about",
        wallet_solution_certification_information={"scheme": "x"},
        client_status_expires=NOW + timedelta(days=40),
        status=StatusReference(uri="https://wallet-provider.test/list", idx=7),
    )
    shown = create_pop(instance, audience=AUDIENCE, now=NOW, jti="j1", challenge=CHALLENGE, issuer=issuer)
    found = check(text, shown, client_id=CLIENT, challenge_required=True)
    assert found == WalletAttestation(
        client_id=CLIENT,
        instance_key=found.instance_key,
        instance_thumbprint=base64url.encode(jwk.thumbprint(instance.public_key)),
        chain=provider.chain,
        issued_at=NOW,
        expires=NOW + timedelta(hours=23),
        issuer="https://provider.test" if issuer else None,
        wallet_name="Wallet",
        wallet_version="1.2",
        wallet_link="https://wallet.test/about",
        certification_information={"scheme": "x"},
        statuses=(StatusReference(uri="https://wallet-provider.test/list", idx=7),),
        status_expires=NOW + timedelta(days=40),
        pop_jti="j1",
        pop_challenge=CHALLENGE,
    )
    assert found.instance_key.public_numbers() == instance.public_key.public_numbers()
    assert found.status == found.statuses[0]


def test_vci_wia_10_the_least_an_attestation_says_is_enough() -> None:
    found = check(attestation(iat=...))
    assert (found.issued_at, found.issuer, found.wallet_name, found.statuses, found.status) == (None, None, None, (), None)
    assert check(attestation(iat=..., nbf=SECOND - 5)).issued_at == NOW - timedelta(seconds=5)


def test_vci_wia_10_every_status_is_told_that_of_the_instance_first() -> None:
    other = {"status_list": {"idx": 8, "uri": "https://wallet-provider.test/list"}}
    both = check(attestation(client_status={"status": LIST, "exp": SECOND + 9000}, status=other))
    assert [status.idx for status in both.statuses] == [7, 8]
    assert both.status_expires == NOW + timedelta(seconds=9000)
    plain = check(attestation(status=other))
    assert (plain.status, plain.status_expires) == (StatusReference(uri="https://wallet-provider.test/list", idx=8), None)
    assert len(check(attestation(client_status={"status": LIST, "exp": SECOND + 9000}, status=LIST)).statuses) == 1


@pytest.mark.parametrize(("name", "text", "code"), made.certificate_faults(TYP, CLAIMS, "attestation"))
def test_vci_wia_2_4_an_attestation_with_one_fault_outside_is_refused(name: str, text: str, code: str) -> None:
    if name == "empty":
        with pytest.raises(VcError, match=code):
            wallet_attestation.verify(
                [""], [pop()], audience=AUDIENCE, now=NOW, client_id=None, challenge_required=False, check_challenge=only_ours
            )
    else:
        assert refusal(text) == code, name


@pytest.mark.parametrize(
    ("name", "claims", "code"),
    [
        ("sub missing", {"sub": ...}, "attestation_subject"),
        ("sub empty", {"sub": ""}, "attestation_malformed"),
        ("sub a list", {"sub": [CLIENT]}, "attestation_malformed"),
        ("sub endless", {"sub": "a" * 600}, "attestation_subject"),
        ("sub not ASCII", {"sub": "wället"}, "attestation_subject"),
        ("sub two lines", {"sub": "a\nb"}, "attestation_subject"),
        ("cnf missing", {"cnf": ...}, "attestation_cnf"),
        ("cnf a list", {"cnf": []}, "attestation_cnf"),
        ("cnf without jwk", {"cnf": {"kid": "x"}}, "attestation_cnf"),
        ("cnf with a private key", {"cnf": {"jwk": {**public(INSTANCE), "d": "AA"}}}, "attestation_cnf"),
        ("cnf symmetric", {"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}}, "attestation_cnf"),
        ("cnf off the curve", {"cnf": {"jwk": {**public(INSTANCE), "y": public(OTHER)["y"]}}}, "attestation_cnf"),
        ("cnf crv a list", {"cnf": {"jwk": {**public(INSTANCE), "crv": ["P-256"]}}}, "attestation_cnf"),
        ("exp missing", {"exp": ...}, "attestation_time"),
        ("a day long", {"exp": SECOND - 10 + 86_400}, "attestation_lifetime"),
        ("a day long from nbf", {"iat": ..., "nbf": SECOND - 10, "exp": SECOND - 10 + 86_400}, "attestation_lifetime"),
        ("a day to go", {"iat": ..., "exp": SECOND + 86_400}, "attestation_lifetime"),
        ("iss a number", {"iss": 5}, "attestation_malformed"),
        ("wallet_name a list", {"wallet_name": []}, "attestation_malformed"),
        ("wallet_version a number", {"wallet_version": 1.2}, "attestation_malformed"),
        ("wallet_link empty", {"wallet_link": ""}, "attestation_malformed"),
        *made.time_faults("attestation"),
        *made.status_faults("client_status", "attestation"),
    ],
)
def test_vci_wia_2_10_an_attestation_with_one_fault_inside_is_refused(name: str, claims: dict[str, Any], code: str) -> None:
    assert refusal(attestation(**claims)) == code, name


POP_HEAD = {"typ": POP_TYP}


@pytest.mark.parametrize(
    ("name", "shown", "code"),
    [
        ("not a JWT", "abc", "attestation_pop_malformed"),
        ("not ASCII", "é.é.é", "attestation_pop_malformed"),
        ("too long", pop(padding="a" * 8192), "attestation_pop_malformed"),
        ("payload no object", signed(POP_HEAD, b"5", INSTANCE), "attestation_pop_malformed"),
        ("signed by another key", pop(signer=OTHER), "attestation_pop_signature"),
        ("another key in its header", pop(head={"jwk": public(OTHER)}, signer=OTHER), "attestation_pop_signature"),
        ("alg none", made.unsigned({**POP_HEAD, "alg": "none"}, POP_CLAIMS), "attestation_pop_alg"),
        ("alg HS256", made.unsigned({**POP_HEAD, "alg": "HS256"}, POP_CLAIMS, bytes(32)), "attestation_pop_alg"),
        ("crit", pop(head={"crit": ["x"]}), "attestation_pop_crit"),
        ("typ missing", pop(head={"typ": ...}), "attestation_pop_typ"),
        ("typ of the attestation", pop(head={"typ": TYP}), "attestation_pop_typ"),
        ("typ dpop+jwt", pop(head={"typ": "dpop+jwt"}), "attestation_pop_typ"),
        ("aud missing", pop(aud=...), "attestation_pop_audience"),
        ("aud another issuer", pop(aud="https://issuer.test/de"), "attestation_pop_audience"),
        ("aud the token endpoint", pop(aud=f"{AUDIENCE}/token"), "attestation_pop_audience"),
        ("aud longer", pop(aud=f"{AUDIENCE}/"), "attestation_pop_audience"),
        ("aud a list with us", pop(aud=[AUDIENCE]), "attestation_pop_audience"),
        ("iss of another", pop(iss="https://other.test"), "attestation_pop_issuer"),
        ("iss null", pop(iss=None), "attestation_pop_issuer"),
        ("jti missing", pop(jti=...), "attestation_pop_jti"),
        ("jti empty", pop(jti=""), "attestation_pop_jti"),
        ("jti a list", pop(jti=["x"]), "attestation_pop_jti"),
        ("jti endless", pop(jti="a" * 257), "attestation_pop_jti"),
        ("iat missing", pop(iat=...), "attestation_pop_time"),
        ("iat text", pop(iat="now"), "attestation_pop_time"),
        ("iat too old", pop(iat=SECOND - 181), "attestation_pop_time"),
        ("iat in the future", pop(iat=SECOND + 61), "attestation_pop_time"),
        ("nbf in the future", pop(nbf=SECOND + 61), "attestation_pop_time"),
        ("exp over", pop(exp=SECOND - 60), "attestation_pop_time"),
        ("exp no date", pop(exp=[]), "attestation_pop_time"),
        ("challenge a number", pop(challenge=5), "attestation_pop_malformed"),
        ("challenge empty", pop(challenge=""), "attestation_pop_malformed"),
        ("challenge not ours", pop(challenge="invented"), "attestation_challenge"),
    ],
)
def test_vci_wia_3_a_proof_of_possession_with_one_fault_is_refused(name: str, shown: str, code: str) -> None:
    assert refusal(None, shown) == code, name


@pytest.mark.parametrize("claims", [{"iat": SECOND - 180}, {"iat": SECOND + 60}, {"exp": SECOND - 59}, {"nbf": SECOND + 60}])
def test_vci_wia_3_the_edges_of_the_window_are_inside(claims: dict[str, Any]) -> None:
    assert check(None, pop(**claims))
    assert check(attestation(exp=SECOND - 59, iat=SECOND + 60 if claims.get("iat") == SECOND + 60 else SECOND - 600))
    assert check(attestation(exp=SECOND - 10 + 86_399))


def test_vci_wia_1_exactly_one_header_of_each() -> None:
    rest: dict[str, Any] = {
        "audience": AUDIENCE, "now": NOW, "client_id": None, "challenge_required": False, "check_challenge": only_ours,
    }  # fmt: skip
    a, p = attestation(), pop()
    for values, pops, code in (
        ([], [p], "attestation_missing"),
        ([a], [], "attestation_pop_missing"),
        ([], [], "attestation_missing"),
        ([a, a], [p], "attestation_repeated"),
        ([a], [p, p], "attestation_pop_repeated"),
    ):
        with pytest.raises(VcError) as caught:
            wallet_attestation.verify(values, pops, **rest)
        assert caught.value.code == code


def test_vci_wia_5_client_id_is_the_subject_or_absent() -> None:
    assert check(client_id=CLIENT).client_id == CLIENT
    assert refusal(client_id="https://other.test") == "client_id_mismatch"
    assert refusal(client_id="") == "client_id_mismatch"


def test_vci_wia_6_a_challenge_is_demanded_and_asked_about_only_for_a_genuine_proof() -> None:
    asked: list[str] = []
    assert refusal(challenge_required=True) == "attestation_challenge"
    assert check(None, pop(challenge=CHALLENGE), challenge_required=True).pop_challenge == CHALLENGE
    for shown in (pop(challenge="x", signer=OTHER), pop(challenge="x", aud="y"), pop(challenge="x", iat=0)):
        refusal(None, shown, check_challenge=asked.append)
    assert asked == []


def test_vci_wia_4_the_algorithms_are_those_of_the_metadata() -> None:
    assert refusal(algorithms=("ES384",)) == "attestation_alg"
    text = create(
        PROVIDER_ROOT.leaf(key=new_key(ec.SECP384R1())), client_id=CLIENT, instance_key=INSTANCE.public_key,
        now=NOW, expires=NOW + timedelta(hours=1),
    )  # fmt: skip
    assert refusal(text, algorithms=("ES384",)) == "attestation_pop_alg"


def test_vci_wia_10_no_attestation_is_made_for_a_day_or_without_a_certificate() -> None:
    made_for: dict[str, Any] = {"client_id": CLIENT, "instance_key": INSTANCE.public_key, "now": NOW}
    for expires in (NOW, NOW + timedelta(hours=24)):
        with pytest.raises(ValueError, match="24 hours"):
            create(PROVIDER, **made_for, expires=expires)
    with pytest.raises(ValueError, match="certificate"):
        create(OTHER, **made_for, expires=NOW + timedelta(hours=1))


@pytest.mark.parametrize("endpoint", [Endpoint.PAR, Endpoint.TOKEN])
@pytest.mark.parametrize(
    ("text", "shown", "error", "status"),
    [
        (attestation(sub=...), pop(), "invalid_client", 401),
        (attestation(), pop(aud="x"), "invalid_client", 401),
        (attestation(), pop(challenge="x"), "use_attestation_challenge", 400),
        (attestation(iat=SECOND - 600, exp=SECOND - 60), pop(), "use_fresh_attestation", 400),
        (attestation(client_status={"status": LIST, "exp": SECOND - 60}), pop(), "use_fresh_attestation", 400),
    ],
)
def test_vci_wia_7_the_codes_of_the_draft(endpoint: Endpoint, text: str, shown: str, error: str, status: int) -> None:
    with pytest.raises(VcError) as caught:
        check(text, shown)
    found = translate(endpoint, caught.value)
    assert (found.error, found.status) == (error, status)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2))
NAMES = [
    "sub",
    "iss",
    "exp",
    "iat",
    "nbf",
    "cnf",
    "status",
    "client_status",
    "wallet_name",
    "wallet_solution_certification_information",
]


@given(
    st.dictionaries(st.sampled_from(["typ", "alg", "x5c", "jwk", "crit", "kid"]), values, max_size=2),
    st.dictionaries(st.sampled_from(NAMES), values, max_size=3),
    st.dictionaries(st.sampled_from(["aud", "iat", "jti", "iss", "challenge", "exp", "nbf"]), values, max_size=3),
)
def test_any_header_and_claims_give_an_attestation_or_our_error(
    head: dict[str, Any], claims: dict[str, Any], shown: dict[str, Any]
) -> None:
    try:
        assert check(signed({**header(TYP), **head}, {**CLAIMS, **claims}, PROVIDER), pop(head=head, **shown)).client_id
    except VcError:
        return


@given(st.text(alphabet="abcEYJ.-_=é\x00", max_size=60))
def test_any_text_is_refused(text: str) -> None:
    assert refusal(text or ".").startswith("attestation_")
    assert refusal(None, text or ".").startswith("attestation_pop_")
