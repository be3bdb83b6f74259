"""Issuing: what is hidden, how, and what an issuer is not allowed to do (RFC 9901 §5, SDJ-11, SDJ-12)."""

import secrets
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import root
from tests.support.sdjwt import HEADER, Lab, counting_bytes
from vc.encoding import base64url, json
from vc.encoding.claims_path import Path
from vc.errors import Malformed, Refused
from vc.jose import jws
from vc.sdjwt import disclosure, issue
from vc.sdjwt.issue import PreparedSdJwt, plan, prepare
from vc.sdjwt.verify import parse, verify_issuer
from vc.x509 import certificate

LAB = Lab()


def prepared(claims: dict[str, Any], disclosable: Sequence[Path] | issue.Plan, decoys: int = 0) -> PreparedSdJwt:
    return prepare(claims, disclosable=disclosable, header=HEADER, random_bytes=counting_bytes(), decoys=decoys)


CLAIMS: dict[str, Any] = {
    "name": "Test Person",
    "plain": 1,
    "address": {"street": "Rue", "country": "FR", "geo": {"x": 1, "y": 2}},
    "places": ["FR", "DE", {"code": "IT", "name": "Italia"}],
}


@pytest.mark.parametrize(
    ("paths", "disclosed"),
    [
        ([], []),
        ([("name",)], [("name",)]),
        ([("absent",), ("address", "absent")], []),
        ([("address",)], [("address",)]),
        ([("address", "street")], [("address", "street")]),
        ([("address",), ("address", "street")], [("address",), ("address", "street")]),
        ([("address", "geo", "x"), ("address", "geo")], [("address", "geo"), ("address", "geo", "x")]),
        ([("places", None)], [("places", 0), ("places", 1), ("places", 2)]),
        ([("places", 1)], [("places", 1)]),
        ([("places", None, "code")], [("places", 2, "code")]),
        (
            [("places",), ("places", None), ("places", 2, "name")],
            [("places",), ("places", 0), ("places", 1), ("places", 2), ("places", 2, "name")],
        ),
    ],
)  # fmt: skip
def test_what_the_paths_name_is_hidden_and_comes_back_whole(paths: list[Path], disclosed: list[Path]) -> None:
    claims = dict(CLAIMS)
    if ("places", None, "code") in paths:
        claims["places"] = CLAIMS["places"][2:]
        disclosed = [("places", 0, "code")]
    ready = prepared(claims, paths)
    sd_jwt = verify_issuer(parse(issue.sign(ready, LAB.issuer)), LAB.issuer.public_key)
    assert sd_jwt.claims == claims
    assert sorted(sd_jwt.disclosed, key=str) == sorted(disclosed, key=str)
    assert sd_jwt.hidden == 0
    assert len(ready.disclosures) == len(disclosed)
    for path in disclosed:
        if len(path) == 1:
            assert path[0] not in ready.payload


def test_sdvc_8_nothing_hidden_means_no_structure() -> None:
    ready = prepared(CLAIMS, [("absent",)])
    assert ready.payload == CLAIMS
    assert ready.disclosures == ()
    assert issue.sign(ready, LAB.issuer).endswith("~")


def test_the_claims_given_are_left_as_they_were() -> None:
    before = str(CLAIMS)
    prepared(CLAIMS, [("address", "street"), ("places", None)])
    assert str(CLAIMS) == before


def test_sdj_3_the_hash_is_named() -> None:
    assert prepared(CLAIMS, [("name",)]).payload["_sd_alg"] == "sha-256"


def test_sdj_11_every_salt_is_fresh_and_has_at_least_128_bits() -> None:
    claims = {f"claim{index}": index for index in range(60)} | {"list": list(range(60)), "nested": {"a": 1, "b": 2}}
    paths: list[Path] = [(name,) for name in claims] + [("list", None), ("nested", "a"), ("nested", "b")]
    ready = prepare(claims, disclosable=paths, header=HEADER, random_bytes=secrets.token_bytes)
    salts = [base64url.decode(json.loads(base64url.decode(text))[0]) for text in ready.disclosures]
    assert len(salts) == len(set(salts)) == 62 + 60 + 2
    assert min(map(len, salts)) * 8 >= 128


def test_sdj_11_digests_are_sorted_so_that_their_order_says_nothing() -> None:
    ready = prepared({f"claim{index}": index for index in range(20)}, [(f"claim{index}",) for index in range(20)])
    assert ready.payload["_sd"] == sorted(ready.payload["_sd"])
    assert {disclosure.digest(text) for text in ready.disclosures} == set(ready.payload["_sd"])
    assert [disclosure.digest(text) for text in ready.disclosures] != ready.payload["_sd"]


def test_disclosures_written_at_once_are_those_made_one_by_one() -> None:
    ready = prepared(CLAIMS, [("name",), ("places", 0)])
    for text in ready.disclosures:
        found = disclosure.parse(text)
        salt = json.loads(base64url.decode(text))[0]
        assert disclosure.make(base64url.decode(salt), found.name, found.value) == text


def test_sdj_11_decoys_are_added_to_each_level_and_disclose_nothing() -> None:
    ready = prepared(CLAIMS, [("name",), ("address", "street")], decoys=3)
    assert len(ready.payload["_sd"]) == len(ready.payload["address"]["_sd"]) == 4
    assert ready.payload["_sd"] == sorted(ready.payload["_sd"])
    sd_jwt = verify_issuer(parse(issue.sign(ready, LAB.issuer)), LAB.issuer.public_key)
    assert sd_jwt.claims == CLAIMS
    assert sd_jwt.hidden == 6


@pytest.mark.parametrize(
    "claims",
    [
        {"_sd": []},
        {"_sd_alg": "sha-256"},
        {"...": "x"},
        {"a": {"_sd": ["x"]}},
        {"a": [{"...": "x"}]},
        {"a": [[{"b": {"_sd": 1}}]]},
        {"a": {"_sd_alg": 1}},
    ],
)
@pytest.mark.parametrize("paths", [[], [("a",)]])
def test_sdj_12_reserved_names_in_the_users_data_are_refused(claims: dict[str, Any], paths: list[Path]) -> None:
    with pytest.raises(Refused, match="reserved_name"):
        prepared(claims, paths)


def test_sdj_12_reserved_words_as_values_are_only_words() -> None:
    claims = {"a": "_sd", "b": "...", "c": '"_sd":', "d": ["_sd_alg", '"...":'], "x_sd": 1, "_sd2": 1}
    ready = prepared(claims, [("a",), ("c",)])
    assert verify_issuer(parse(issue.sign(ready, LAB.issuer)), LAB.issuer.public_key).claims == claims


@pytest.mark.parametrize("name", sorted(disclosure.NEVER_DISCLOSABLE))
def test_sdvc_3_sdj_8_claims_that_decide_validity_cannot_be_hidden(name: str) -> None:
    for path in [(name,), (name, "jwk"), (name, None)]:
        with pytest.raises(Refused, match="not_disclosable"):
            plan([path])


def test_an_empty_path_hides_nothing_and_is_refused() -> None:
    with pytest.raises(Refused, match="not_disclosable"):
        plan([()])


@pytest.mark.parametrize("path", [("name", "first"), ("name", None), ("plain", 0)])
def test_a_path_through_a_scalar_is_refused(path: Path) -> None:
    with pytest.raises(Refused, match="claims_path"):
        prepared(CLAIMS, [path])


@pytest.mark.parametrize("claims", [{"a": object()}, {"a": b"x"}, {1: "a"}, {"a": 2**64}])
def test_what_json_cannot_carry_is_refused(claims: dict[Any, Any]) -> None:
    with pytest.raises(Malformed, match="json_unencodable"):
        prepared(claims, [])


@pytest.mark.parametrize("header", [{}, {"typ": ""}])
def test_sdj_13_an_sd_jwt_without_typ_is_not_issued(header: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="typ"):
        prepare({}, disclosable=[], header=header, random_bytes=counting_bytes())


def test_sdj_11_the_issued_token_carries_the_chain_and_thumbprint_in_the_protected_header() -> None:
    signer = root().leaf()
    ready = prepare(
        CLAIMS, disclosable=[("name",)], header={"typ": "dc+sd-jwt", "x5u": "https://a.test/c"}, random_bytes=counting_bytes()
    )
    for _ in range(2):
        unverified = parse(issue.sign(ready, signer))
        assert unverified.jws.header == {
            "alg": "ES256",
            "typ": "dc+sd-jwt",
            "x5u": "https://a.test/c",
            "x5c": jws.x5c(signer.chain),
            "x5t#S256": base64url.encode(certificate.sha256(signer.chain[0])),
        }
        assert verify_issuer(unverified, signer.public_key).claims == CLAIMS


def test_a_plan_made_once_gives_the_same_as_its_paths() -> None:
    paths: list[Path] = [("name",), ("address", "geo", "x"), ("places", None)]
    assert prepared(CLAIMS, plan(paths)) == prepared(CLAIMS, paths)


names = st.sampled_from(["a", "b", "c", "x_sd", 'é"\\'])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6).filter(lambda text: "\x00" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(
    st.dictionaries(names, values, max_size=4),
    st.lists(st.lists(names | st.integers(0, 3) | st.none(), min_size=1, max_size=4).map(tuple), max_size=6),
)
def test_any_claims_and_paths_come_back_or_are_refused(claims: dict[str, Any], paths: list[Path]) -> None:
    try:
        ready = prepare(claims, disclosable=paths, header=HEADER, random_bytes=counting_bytes(), decoys=1)
    except Refused as refusal:
        if refusal.code != "claims_path":
            raise
        return
    assert verify_issuer(parse(issue.sign(ready, LAB.issuer)), LAB.issuer.public_key).claims == claims
