"""RFC 9901 and SD-JWT VC examples of others, through our reader."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vc.errors import VcError
from vc.keys import jwk
from vc.sdjwt import json_form, present, vc
from vc.sdjwt.verify import parse, verify_issuer, verify_key_binding

HERE = Path(__file__).parent
ISSUER, HOLDER = (
    jwk.parse_public(
        {name: value for name, value in json.loads((HERE / "sd-jwt/keys.json").read_text())[key].items() if name != "d"}
    )
    for key in ("issuer_jwk", "holder_jwk")
)
EXAMPLES = sorted(path for path in (*HERE.glob("sd-jwt/*_*.json"), *HERE.glob("sd-jwt-vc/*.json")) if "compact" in path.read_text())
EXAMPLES = [path for path in EXAMPLES if path.stem not in ("derived_negative", "draft22_main_issuer_jwt")]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_published_example_verifies_and_gives_the_published_claims(path: Path) -> None:
    example = read(path)
    unverified = parse(example["compact"])
    sd_jwt = verify_issuer(unverified, ISSUER)
    assert sd_jwt.claims == example["processed_payload"]
    assert dict(sd_jwt.header) == example["issuer_jwt_header"]
    assert {digest: text for digest, (text, _) in unverified.disclosures.items()} == {
        entry["digest"]: entry["disclosure"] for entry in example["disclosures"]
    }
    assert [content for _, content in unverified.disclosures.values()] == [entry["contents"] for entry in example["disclosures"]]
    assert len(sd_jwt.disclosed) == len(example["disclosures"])


@pytest.mark.parametrize("path", [path for path in EXAMPLES if "kb_jwt_payload" in read(path)], ids=lambda path: path.stem)
def test_the_published_key_binding_verifies_with_the_cnf_key(path: Path) -> None:
    example = read(path)
    unverified = parse(example["compact"])
    holder = vc.holder_key(verify_issuer(unverified, ISSUER).claims["cnf"])
    expected = example["kb_jwt_payload"]
    moment = datetime.fromtimestamp(expected["iat"], UTC)
    found = verify_key_binding(unverified, holder=holder, nonce=expected["nonce"], audience=expected["aud"], now=moment)
    assert found.claims == expected
    assert found.issued_at == moment


@pytest.mark.parametrize("path", sorted(HERE.glob("sd-jwt-vc/*.json")), ids=lambda path: path.stem)
def test_the_published_credential_is_a_credential(path: Path) -> None:
    example = read(path)
    credential = vc.check(verify_issuer(parse(example["compact"]), ISSUER))
    assert credential.vct == example["processed_payload"]["vct"]
    assert credential.issuer == example["processed_payload"]["iss"]
    assert (credential.holder is None) == ("cnf" not in example["processed_payload"])


@pytest.mark.parametrize(
    ("issuance", "presentation"),
    [
        ("sd-jwt/draft22_main_issuance.json", "sd-jwt/draft22_main_presentation_kb.json"),
        ("sd-jwt/draft22_a3_pid_like_issuance.json", "sd-jwt/draft22_a3_pid_like_presentation_kb.json"),
        ("sd-jwt-vc/draft18_pid_issuance.json", "sd-jwt-vc/draft18_pid_presentation_kb.json"),
    ],
)
def test_our_choice_of_disclosures_shows_what_the_published_presentation_shows(issuance: str, presentation: str) -> None:
    shown = verify_issuer(parse(read(HERE / presentation)["compact"]), ISSUER)
    parents = {path[:-1] for path in shown.disclosed}
    chosen = present.present(read(HERE / issuance)["compact"], disclose=[path for path in shown.disclosed if path not in parents])
    assert verify_issuer(parse(chosen), ISSUER).claims == shown.claims


STAGES = {
    "issuer signature altered": "signature",
    "disclosure not referenced by any digest": "disclosure_unreferenced",
    "same disclosure twice": "digest_repeated",
    "KB-JWT removed although key binding required": "key_binding_missing",
    "disclosure dropped, sd_hash no longer matches": "key_binding_hash",
    "missing trailing tilde (bare JWT)": "sd_jwt",
}


def test_every_derived_negative_has_its_expected_code() -> None:
    cases = read(HERE / "sd-jwt/derived_negative.json")
    assert {case["name"] for case in cases["cases"]} == set(STAGES)


@pytest.mark.parametrize("case", read(HERE / "sd-jwt/derived_negative.json")["cases"], ids=lambda case: case["name"])
def test_the_mutated_example_is_refused_for_its_reason(case: dict[str, Any]) -> None:
    with pytest.raises(VcError) as refusal:
        verified_example(case["compact"])
    assert refusal.value.code == STAGES[case["name"]]


def verified_example(text: str) -> None:
    base = read(HERE / "sd-jwt/derived_negative.json")
    moment = datetime.fromtimestamp(read(HERE / "sd-jwt/draft22_main_presentation_kb.json")["kb_jwt_payload"]["iat"], UTC)
    unverified = parse(text)
    verify_issuer(unverified, ISSUER)
    verify_key_binding(unverified, holder=HOLDER, nonce=base["base_nonce"], audience=base["base_aud"], now=moment)


def test_the_example_the_mutations_were_made_from_is_accepted() -> None:
    verified_example(read(HERE / "sd-jwt/draft22_main_presentation_kb.json")["compact"])


def test_an_issuer_jwt_alone_is_not_an_sd_jwt() -> None:
    with pytest.raises(VcError) as refusal:
        parse(read(HERE / "sd-jwt/draft22_main_issuer_jwt.json")["compact"])
    assert refusal.value.code == "sd_jwt"


@pytest.mark.parametrize("index", [0, 1])
def test_sdj_14_the_flattened_json_examples_verify(index: int) -> None:
    unverified = parse(json_form.to_compact(read(HERE / "sd-jwt/draft22_json_serialization.json")["objects"][index]))
    sd_jwt = verify_issuer(unverified, ISSUER)
    assert "family_name" in sd_jwt.claims
    if index:
        assert unverified.key_binding is not None
        moment = datetime.fromtimestamp(unverified.key_binding.claims()["iat"], UTC)
        verify_key_binding(unverified, holder=HOLDER, nonce="1234567890", audience="https://verifier.example.org", now=moment)


def test_sdj_14_the_general_json_example_is_read_by_its_first_signature() -> None:
    value = read(HERE / "sd-jwt/draft22_json_serialization.json")["objects"][2]
    unverified = parse(json_form.to_compact(value))
    assert unverified.key_binding is not None
    moment = datetime.fromtimestamp(unverified.key_binding.claims()["iat"], UTC)
    bound = verify_key_binding(unverified, holder=HOLDER, nonce="1234567890", audience="https://verifier.example.org", now=moment)
    assert bound.claims["sd_hash"] == unverified.key_binding.claims()["sd_hash"]
