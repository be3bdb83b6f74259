"""Type metadata: TM-1 to TM-4, and integrity texts."""

import hashlib
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sdjwt import Lab
from vc.encoding import json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.sdjwt import type_metadata
from vc.sdjwt.type_metadata import ClaimMetadata, TypeMetadata, check_claims, check_integrity, integrity, parse, render, resolve
from vc.sdjwt.verify import SdJwt, verify_issuer
from vc.sdjwt.verify import parse as parse_sd_jwt

LAB = Lab()
VCT = "urn:test:type:1"
FULL = TypeMetadata(
    vct=VCT,
    name="Test",
    description="A type for tests",
    extends="urn:test:base",
    extends_integrity="sha256-AAAA",
    display=({"locale": "en", "name": "Test", "rendering": {"simple": {"background_color": "#fff"}}},),
    claims=(
        ClaimMetadata(path=("name",), display=({"locale": "en", "label": "Name"},), mandatory=True, sd="always", svg_id="name"),
        ClaimMetadata(path=("list", None)),
    ),
)


def document(**members: Any) -> bytes:
    return json.dumps({"vct": VCT, **members})


def test_tm_3_what_is_rendered_is_read_back() -> None:
    assert parse(render(FULL), vct=VCT) == FULL
    assert parse(render(TypeMetadata(vct=VCT))) == TypeMetadata(vct=VCT)
    assert json.loads(render(TypeMetadata(vct=VCT))) == {"vct": VCT}


def test_tm_3_unknown_members_are_ignored_and_sd_defaults_to_allowed() -> None:
    found = parse(document(claims=[{"path": ["a"], "future": 1}], schema={}, future=[]))
    assert found.claims == (ClaimMetadata(path=("a",), sd="allowed", mandatory=False),)


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"vct": None}, "/vct"),
        ({"vct": ""}, "/vct"),
        ({"vct": 5}, "/vct"),
        ({"name": 5}, "/name"),
        ({"description": []}, "/description"),
        ({"extends": None}, "/extends"),
        ({"extends#integrity": 5}, "/extends#integrity"),
        ({"claims": {}}, "/claims"),
        ({"claims": [5]}, "/claims/0"),
        ({"claims": [{}]}, "/claims/0/path"),
        ({"claims": [{"path": []}]}, "/claims/0/path"),
        ({"claims": [{"path": ["a"]}, {"path": ["b"], "mandatory": "yes"}]}, "/claims/1/mandatory"),
        ({"claims": [{"path": ["a"], "sd": "sometimes"}]}, "/claims/0/sd"),
        ({"claims": [{"path": ["a"], "sd": ["always"]}]}, "/claims/0/sd"),
        ({"claims": [{"path": ["a"], "svg_id": 1}]}, "/claims/0/svg_id"),
        ({"claims": [{"path": ["a"]}, {"path": ["a"]}]}, "/claims"),
        ({"claims": [{"path": ["a"], "display": [{"lang": "en", "label": "A"}]}]}, "/claims/0/display/0"),  # OLD-23
        ({"claims": [{"path": ["a"], "display": [{"locale": "en"}]}]}, "/claims/0/display/0"),
        ({"display": "x"}, "/display"),
        ({"display": [5]}, "/display/0"),
        ({"display": [{"locale": "en", "label": "not a name"}]}, "/display/0"),
        ({"display": [{"locale": "en", "name": "A"}, {"locale": "en", "name": "B"}]}, "/display"),
    ],
)
def test_tm_3_old_23_what_does_not_fit_is_refused_with_its_place(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(document(**members))
    assert caught.value.pointer == pointer


def test_tm_3_metadata_without_vct_is_refused() -> None:
    with pytest.raises(Malformed, match="type_metadata"):
        parse(b"{}")


def test_tm_1_the_metadata_of_another_type_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="type_metadata_vct"):
        parse(document(), vct="urn:test:type:2")


# --- TM-2: integrity ---

DATA = b"some octets"


def sri(name: str, data: bytes = DATA) -> str:
    return f"{name}-{b64encode(hashlib.new(name, data).digest()).decode()}"


def test_tm_2_our_integrity_text_is_sha256() -> None:
    assert integrity(DATA) == sri("sha256")


@pytest.mark.parametrize(
    "expected",
    [
        sri("sha256"), sri("sha384"), sri("sha512"),
        f"{sri('sha256')} {sri('sha512')}", f"{sri('sha256', b'other')} {sri('sha512')}",
        f"{sri('sha256', b'other')} {sri('sha256')}", f"md5-AAAA {sri('sha256')}", f"{sri('sha256')}?opt=1",
    ],
)  # fmt: skip
def test_tm_2_the_strongest_known_hash_decides(expected: str) -> None:
    check_integrity(DATA, expected)


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (sri("sha256", b"other"), VerificationFailed),
        (f"{sri('sha256')} {sri('sha512', b'other')}", VerificationFailed),  # the weaker one does not save it
        (sri("sha256")[:20], Malformed),
        ("sha256-", VerificationFailed),
        ("", Malformed),
        ("md5-1B2M2Y8AsgTpgAmY7PhCfg==", Malformed),
        ("sha1-" + "A" * 28, Malformed),
        ("sha256", VerificationFailed),
        ("sha256-é", Malformed),
        ("sha256-_-", Malformed),
        (sri("sha256").replace("sha256", "SHA256"), Malformed),
    ],
)
def test_tm_2_a_mismatch_or_nothing_to_compare_is_refused(expected: str, error: type[VcError]) -> None:
    with pytest.raises(error, match="integrity"):
        check_integrity(DATA, expected)


def test_tm_2_one_changed_octet_is_found() -> None:
    data = render(FULL)
    expected = integrity(data)
    check_integrity(data, expected)
    with pytest.raises(VerificationFailed, match="integrity"):
        check_integrity(data.replace(b"Test", b"test", 1), expected)


# --- TM-4: extends ---


def loader(**documents: bytes) -> type_metadata.Loader:
    return lambda vct, _: documents[vct.removeprefix("urn:test:")]


def base(*claims: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"vct": "urn:test:base", "claims": list(claims), **members})


def extending(*claims: dict[str, Any], **members: Any) -> bytes:
    return document(extends="urn:test:base", claims=list(claims), **members)


def test_tm_4_an_extending_type_inherits_and_tightens() -> None:
    label = [{"locale": "en", "label": "A"}]
    above = base(
        {"path": ["a"], "display": label},
        {"path": ["b"], "sd": "never", "mandatory": True},
        display=[{"locale": "en", "name": "B"}],
    )
    found = resolve(
        extending({"path": ["a"], "mandatory": True, "sd": "always"}, {"path": ["c"]}), vct=VCT, loader=loader(base=above)
    )
    assert found.vct == VCT
    assert found.display == ({"locale": "en", "name": "B"},)
    assert {claim.path: (claim.mandatory, claim.sd, claim.display) for claim in found.claims} == {
        ("a",): (True, "always", tuple(label)),
        ("b",): (True, "never", ()),
        ("c",): (False, "allowed", ()),
    }


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ({"mandatory": True}, {"mandatory": False}),
        ({"mandatory": True}, {}),
        ({"sd": "always"}, {"sd": "allowed"}),
        ({"sd": "always"}, {"sd": "never"}),
        ({"sd": "never"}, {"sd": "always"}),
        ({"sd": "never"}, {}),
    ],
)
def test_tm_4_loosening_a_rule_is_refused(above: dict[str, Any], below: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="type_metadata_loosened"):
        resolve(extending({"path": ["a"], **below}), vct=VCT, loader=loader(base=base({"path": ["a"], **above})))


def test_tm_4_cycles_and_long_chains_are_refused() -> None:
    with pytest.raises(Refused, match="type_metadata_cycle"):
        resolve(extending(), vct=VCT, loader=loader(base=base(extends=VCT)))
    with pytest.raises(Refused, match="type_metadata_cycle"):
        resolve(document(extends=VCT), vct=VCT, loader=loader())
    endless = {f"t{index}": json.dumps({"vct": f"urn:test:t{index}", "extends": f"urn:test:t{index + 1}"}) for index in range(20)}
    with pytest.raises(Refused, match="type_metadata_cycle"):
        resolve(document(extends="urn:test:t0"), vct=VCT, loader=loader(**endless))


def test_tm_1_tm_2_the_extended_document_must_be_the_one_meant() -> None:
    good = base()
    resolve(extending(**{"extends#integrity": integrity(good)}), vct=VCT, loader=loader(base=good))
    with pytest.raises(VerificationFailed, match="integrity"):
        resolve(extending(**{"extends#integrity": integrity(b"x")}), vct=VCT, loader=loader(base=good))
    with pytest.raises(VerificationFailed, match="type_metadata_vct"):
        resolve(extending(), vct=VCT, loader=loader(base=document()))


# --- TM-4: claims against their type ---


def credential(disclosable: list[Any], **claims: Any) -> SdJwt:
    return verify_issuer(parse_sd_jwt(LAB.issued(disclosable, **claims)), LAB.issuer.public_key)


def rules(*claims: ClaimMetadata, vct: str = VCT) -> TypeMetadata:
    return TypeMetadata(vct=vct, claims=claims)


def test_tm_4_claims_as_their_type_says_pass() -> None:
    sd_jwt = credential([("a",), ("list", None)], a=1, b={"c": 1}, list=[1, 2])
    check_claims(
        rules(
            ClaimMetadata(path=("a",), sd="always", mandatory=True),
            ClaimMetadata(path=("b",), sd="never", mandatory=True),
            ClaimMetadata(path=("b", "c"), mandatory=True),
            ClaimMetadata(path=("list", None), sd="always", mandatory=True),
            ClaimMetadata(path=("absent",), sd="always"),
            ClaimMetadata(path=("absent", "inner"), mandatory=True),
        ),
        sd_jwt,
    )


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (ClaimMetadata(path=("a",), sd="never"), "type_metadata_sd"),
        (ClaimMetadata(path=("b",), sd="always"), "type_metadata_sd"),
        (ClaimMetadata(path=("list", None), sd="always"), "type_metadata_sd"),
        (ClaimMetadata(path=("absent",), mandatory=True), "type_metadata_mandatory"),
        (ClaimMetadata(path=("absent",), mandatory=True, sd="never"), "type_metadata_mandatory"),
        (ClaimMetadata(path=("b", "absent"), mandatory=True), "type_metadata_mandatory"),
        (ClaimMetadata(path=("objects", None, "x"), mandatory=True), "type_metadata_mandatory"),
        (ClaimMetadata(path=("a", "inner")), "claims_path"),
    ],
)
def test_tm_4_claims_against_their_type_are_refused(rule: ClaimMetadata, code: str) -> None:
    sd_jwt = credential([("a",)], a=1, b={"c": 1}, list=[1], objects=[{"x": 1}, {"y": 1}])
    with pytest.raises(VerificationFailed) as caught:
        check_claims(rules(rule), sd_jwt)
    assert caught.value.code == code


def test_tm_4_a_mandatory_claim_may_be_hidden_by_the_holder_unless_it_never_is() -> None:
    text = LAB.issued([("a",), ("b",)], a=1, b=2)
    sd_jwt = verify_issuer(parse_sd_jwt("~".join((*text.split("~")[:1], ""))), LAB.issuer.public_key)
    assert sd_jwt.hidden == 2
    check_claims(rules(ClaimMetadata(path=("a",), mandatory=True)), sd_jwt)
    with pytest.raises(VerificationFailed, match="type_metadata_mandatory"):
        check_claims(rules(ClaimMetadata(path=("absent",), mandatory=True, sd="never")), sd_jwt)


def test_tm_1_the_credential_and_the_metadata_speak_of_one_type() -> None:
    with pytest.raises(VerificationFailed, match="type_metadata_vct"):
        check_claims(rules(vct="urn:test:type:2"), credential([]))


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
def test_any_octets_give_a_value_or_our_error(data: bytes) -> None:
    try:
        parse(data)
    except VcError:
        return


@given(st.text(max_size=30))
def test_any_integrity_text_gives_a_verdict_or_our_error(expected: str) -> None:
    with pytest.raises(VcError):
        check_integrity(DATA, expected)
