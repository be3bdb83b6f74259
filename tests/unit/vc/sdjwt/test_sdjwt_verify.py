"""Reading SD-JWTs: each rule of RFC 9901 §7 by its checklist id, each attack of SECURITY 2.5 that concerns the format."""

import json as plain_json  # writes what ours refuses, such as integers beyond 64 bits
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.sdjwt import Lab, digest, of_element, of_name, raw
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError
from vc.jose import jws
from vc.sdjwt import disclosure
from vc.sdjwt.verify import MAX_DISCLOSURES, MAX_LENGTH, SdJwt, parse, verify_issuer

LAB = Lab()


def read(text: str) -> SdJwt:
    return verify_issuer(parse(text), LAB.issuer.public_key)


def refusal(text: str) -> VcError:
    with pytest.raises(VcError) as caught:
        read(text)
    return caught.value


def with_digests(*digests: Any, **more: Any) -> dict[str, Any]:
    return {**LAB.claims(), "_sd_alg": "sha-256", "_sd": list(digests), **more}


# --- what must be accepted: the controls of everything below ---


def test_sdj_7_nested_disclosures_are_put_in_place_and_structure_disappears() -> None:
    street, country = of_name("street", "Rue"), of_name("country", "FR", "s2")
    address = of_name("address", {"_sd": [digest(street), digest(country), digest("decoy")]})
    first, second = of_element("FR", "s3"), of_element({"_sd": [digest(of_name("x", 1))]}, "s4")
    payload = with_digests(
        digest(address),
        digest(of_name("hidden", 1)),
        list=[{"...": digest(of_element("gone"))}, {"...": digest(first)}, "plain", {"...": digest(second)}],
        plain={"_sd": [], "inner": [[{"...": digest("none")}]]},
    )
    sd_jwt = read(LAB.forged(payload, address, street, country, first, second))
    assert sd_jwt.claims == {
        **LAB.claims(),
        "list": ["FR", "plain", {}],
        "plain": {"inner": [[]]},
        "address": {"street": "Rue", "country": "FR"},
    }
    assert sd_jwt.disclosed == (("list", 0), ("list", 2), ("address",), ("address", "street"), ("address", "country"))
    assert sd_jwt.hidden == 5


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_sdj_3_the_named_hash_is_used_over_the_text_as_sent(algorithm: str) -> None:
    spaced = raw('["salt", "a",  1]')  # other spacing than ours: the text counts, not its meaning
    payload = {**LAB.claims(), "_sd_alg": algorithm, "_sd": [disclosure.digest(spaced, algorithm)]}
    assert read(LAB.forged(payload, spaced)).claims["a"] == 1


def test_sdj_3_without_sd_alg_sha_256_is_meant() -> None:
    text = of_name("a", 1)
    assert read(LAB.forged({**LAB.claims(), "_sd": [digest(text)]}, text)).claims["a"] == 1


def test_sdvc_8_a_credential_without_disclosures_is_read() -> None:
    assert read(LAB.forged(LAB.claims())).claims == LAB.claims()


def test_a_token_may_be_verified_twice_with_the_same_result() -> None:
    unverified = parse(LAB.issued([("a", "b")], a={"b": 1, "c": [2]}))
    first = verify_issuer(unverified, LAB.issuer.public_key)
    assert verify_issuer(unverified, LAB.issuer.public_key) == first
    assert first.claims["a"] == {"c": [2], "b": 1}


# --- SDJ-1: the format ---


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("no tilde at all", lambda text: text.removesuffix("~"), "sd_jwt"),
        ("empty disclosure", lambda text: text + "~", "sd_jwt"),
        ("empty text", lambda _: "", "sd_jwt"),
        ("two-part token", lambda text: text.replace(".", "", 1), "jws"),
        ("key binding that is no JWT", lambda text: text + "x", "jws"),
        ("leading space", lambda text: " " + text, "base64url"),
        ("line break after the token", lambda text: text.replace("~", "\n~", 1), "base64url"),
        ("full-width letters", lambda text: text.replace("e", "ｅ", 1), "base64url"),  # J-11
        ("byte order mark", lambda text: "\ufeff" + text, "base64url"),  # J-11
        ("padded signature", lambda text: text.replace("~", "==~", 1), "base64url"),  # J-11
        ("unused bits set in the signature", lambda text: text[:-2] + chr(ord(text[-2]) + 1) + "~", "base64url"),  # J-11
    ],
)
def test_sdj_1_j_11_only_the_one_canonical_text_is_a_credential(name: str, change: Callable[[str], str], code: str) -> None:
    assert refusal(change(LAB.forged(LAB.claims()))).code == code, name


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b'"text"'])
def test_sdj_1_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    assert refusal(jws.sign({"typ": "dc+sd-jwt"}, payload, LAB.issuer) + "~").code == "json_object"


def test_sdj_1_a_holder_refuses_a_key_binding_from_an_issuer() -> None:
    with pytest.raises(Refused, match="key_binding_present"):
        parse(LAB.bound(LAB.issued()), issued=True)


# --- SDJ-2: algorithm and signature; J-1, J-10 ---


def resigned(header: dict[str, Any], signature: Callable[[bytes], bytes] = lambda _: b"", **more: Any) -> str:
    signing_input = base64url.encode(json.dumps(header)) + "." + base64url.encode(json.dumps(LAB.claims(**more)))
    return f"{signing_input}.{base64url.encode(signature(signing_input.encode()))}~"


def der_signature(text: bytes) -> bytes:
    return LAB.issuer.private_key.sign(text, LAB.issuer.curve.ecdsa)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("alg none", lambda: resigned({"alg": "none", "typ": "dc+sd-jwt"}), "jws_alg"),
        ("alg None", lambda: resigned({"alg": "None", "typ": "dc+sd-jwt"}), "jws_alg"),
        ("alg HS256", lambda: resigned({"alg": "HS256"}, lambda _: b"\x01" * 32), "jws_alg"),
        ("alg missing", lambda: resigned({"typ": "dc+sd-jwt"}, lambda _: b"\x01" * 64), "jws_alg"),
        ("alg a list", lambda: resigned({"alg": ["ES256"]}, LAB.issuer.sign), "jws_alg"),
        ("alg of another curve", lambda: resigned({"alg": "ES384"}, LAB.issuer.sign), "jws_alg"),
        ("no signature", lambda: resigned({"alg": "ES256"}), "signature"),
        ("zero signature", lambda: resigned({"alg": "ES256"}, lambda _: bytes(64)), "signature"),
        ("zero r", lambda: resigned({"alg": "ES256"}, lambda text: bytes(32) + LAB.issuer.sign(text)[32:]), "signature"),
        ("DER signature", lambda: resigned({"alg": "ES256"}, der_signature), "signature"),
        ("key of a stranger", lambda: resigned({"alg": "ES256"}, LAB.stranger.sign), "signature"),
        ("key in the header", lambda: resigned({"alg": "ES256", "jwk": LAB.claims()["cnf"]["jwk"]}, LAB.holder.sign), "signature"),
        ("crit", lambda: resigned({"alg": "ES256", "crit": ["x"], "x": 1}, LAB.issuer.sign), "jws_crit"),
        ("b64 false", lambda: resigned({"alg": "ES256", "b64": False}, LAB.issuer.sign), "jws_crit"),
    ],
)  # fmt: skip
def test_sdj_2_j_1_j_10_no_claim_is_believed_without_the_issuers_signature(name: str, text: Callable[[], str], code: str) -> None:
    assert refusal(text()).code == code, name


def test_sdj_2_a_changed_payload_fails() -> None:
    token = LAB.forged(LAB.claims())
    header, payload, signature = token.removesuffix("~").split(".")
    other = base64url.encode(base64url.decode(payload).replace(b"urn:test:type:1", b"urn:test:type:2"))
    assert refusal(f"{header}.{other}.{signature}~").code == "signature"


def test_sdj_2_the_caller_may_narrow_the_algorithms() -> None:
    with pytest.raises(Refused, match="jws_alg"):
        verify_issuer(parse(LAB.issued()), LAB.issuer.public_key, algorithms=("ES384",))


@pytest.mark.parametrize("typ", ["kb+jwt", "JWT", "statuslist+jwt", "", None, 5])
def test_sdj_13_j_10_an_expected_typ_is_enforced(typ: object) -> None:
    text = LAB.forged(LAB.claims(), header={} if typ is None else {"typ": typ})
    with pytest.raises(Refused, match="jws_typ"):
        verify_issuer(parse(text), LAB.issuer.public_key, typ="dc+sd-jwt")
    verify_issuer(parse(LAB.issued()), LAB.issuer.public_key, typ="dc+sd-jwt")


# --- SDJ-3 ---


@pytest.mark.parametrize("algorithm", ["md5", "SHA-256", "sha-1", 256, None, ["sha-256"], ""])
def test_sdj_3_j_6_an_unknown_hash_is_refused(algorithm: object) -> None:
    assert refusal(LAB.forged({**LAB.claims(), "_sd_alg": algorithm})).code == "sd_alg"


@pytest.mark.parametrize("inner", [{"_sd_alg": "sha-256"}, [{"_sd_alg": "sha-256"}]])
def test_sdj_3_j_6_a_nested_sd_alg_is_refused(inner: object) -> None:
    assert refusal(LAB.forged(LAB.claims(nested=inner))).code == "sd_structure"


def test_sdj_3_the_digest_of_another_hash_does_not_fit() -> None:
    text = of_name("a", 1)
    payload = {**LAB.claims(), "_sd_alg": "sha-512", "_sd": [digest(text)]}
    assert refusal(LAB.forged(payload, text)).code == "disclosure_unreferenced"


# --- SDJ-4, J-5: disclosures that are none ---


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("object", raw('{"a":1}'), "disclosure"),
        ("text", raw('"abc"'), "disclosure"),
        ("number", raw("1"), "disclosure"),
        ("null", raw("null"), "disclosure"),
        ("empty array", raw("[]"), "disclosure"),
        ("salt alone", raw('["salt"]'), "disclosure"),
        ("array element for a property", of_element(1), "disclosure"),
        ("four elements", raw('["salt","a",1,2]'), "disclosure"),
        ("salt not text", raw('[1,"a",1]'), "disclosure"),
        ("salt null", raw('[null,"a",1]'), "disclosure"),
        ("name a number", raw('["salt",1,1]'), "disclosure"),
        ("name null", raw('["salt",null,1]'), "disclosure"),
        ("name an array", raw('["salt",["a"],1]'), "disclosure"),
        ("bad UTF-8", raw(b'["salt","a","\xff"]'), "json"),
        ("not JSON", raw("salt,a,1"), "json"),
        ("single quotes", raw("['salt','a',1]"), "json"),
        ("two values", raw('["salt","a",1]["salt","b",1]'), "json"),
        ("half of two arrays", raw('["salt","a",1],["salt","b",1]'), "json"),
        ("NaN", raw('["salt","a",NaN]'), "json"),
        ("huge number", raw('["salt","a",1e999]'), "json"),
        ("5,000 digits", raw('["salt","a",' + "9" * 5000 + "]"), "json"),
        ("null character", raw('["salt","a","\\u0000"]'), "json"),
        ("lone surrogate", raw('["salt","a","\\ud800"]'), "json"),
        ("duplicate member", raw('["salt","a",{"b":1,"b":2}]'), "json_duplicate_member"),
        ("deep value", raw('["salt","a",' + "[" * 5000 + "]" * 5000 + "]"), "json_depth"),
        ("byte order mark", raw('\ufeff["salt","a",1]'), "json"),
        ("padding", of_name("a", "12") + "=", "base64url"),
        ("line break inside", of_name("a", 1)[:8] + "\n" + of_name("a", 1)[8:], "base64url"),
        ("standard alphabet", "+/+/", "base64url"),
        ("non-ASCII", "é" * 4, "base64url"),
    ],
)  # fmt: skip
def test_sdj_4_j_5_what_is_not_a_property_disclosure_is_refused(name: str, text: str, code: str) -> None:
    payload = with_digests(digest(text) if text.isascii() else "x")
    assert refusal(LAB.forged(payload, text)).code == code, name


def test_j_5_two_broken_disclosures_do_not_mend_each_other() -> None:
    halves = raw('["salt","a",[1'), raw("2]]")  # joined by a comma they would be JSON
    assert refusal(LAB.forged(with_digests(*map(digest, halves)), *halves)).code == "json"


@pytest.mark.parametrize("text", [of_name("a", 1), raw('["salt"]'), raw("[1,2]"), raw('{"salt":1}'), raw('"ab"')])
def test_sdj_4_what_is_not_an_element_disclosure_is_refused(text: str) -> None:
    assert refusal(LAB.forged(LAB.claims(list=[{"...": digest(text)}]), text)).code == "disclosure"


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("_sd an object", {"_sd": {}}),
        ("_sd a text", {"_sd": "abc"}),
        ("_sd null", {"_sd": None}),
        ("_sd of numbers", {"_sd": [1]}),
        ("_sd of arrays", {"_sd": [["a"]]}),
        ("_sd of objects", {"_sd": [{}]}),
        ("nested _sd a number", {"nested": {"_sd": 5}}),
        ("placeholder with another member", {"list": [{"...": "abc", "x": 1}]}),
        ("placeholder with a number", {"list": [{"...": 1}]}),
        ("placeholder with null", {"list": [{"...": None}]}),
        ("placeholder outside an array", {"nested": {"...": "abc"}}),
        ("placeholder at the top", {"...": "abc"}),
    ],
)
def test_sdj_4_sdj_12_structure_that_is_not_what_it_must_be_is_refused(name: str, members: dict[str, Any]) -> None:
    assert refusal(LAB.forged({**LAB.claims(), **members})).code == "sd_structure", name


# --- SDJ-5, J-4: names ---


@pytest.mark.parametrize("name", ["_sd", "...", "_sd_alg"])
def test_sdj_5_j_4_a_reserved_name_is_never_disclosed(name: str) -> None:
    text = of_name(name, [])
    assert refusal(LAB.forged(with_digests(digest(text)), text)).code == "disclosure"


def test_sdj_5_j_4_a_claim_that_is_there_is_not_overridden() -> None:
    text = of_name("sub", "mallory")
    assert refusal(LAB.forged(with_digests(digest(text), sub="alice"), text)).code == "claim_repeated"


def test_sdj_5_j_4_two_disclosures_of_one_name_are_refused() -> None:
    texts = of_name("sub", "alice", "s1"), of_name("sub", "mallory", "s2")
    assert refusal(LAB.forged(with_digests(*map(digest, texts)), *texts)).code == "claim_repeated"


def test_sdj_5_the_same_name_at_another_level_is_free() -> None:
    inner = of_name("sub", 1)
    assert read(LAB.forged(LAB.claims(sub="a", nested={"_sd": [digest(inner)]}), inner)).claims["nested"] == {"sub": 1}


@pytest.mark.parametrize("name", sorted(disclosure.NEVER_DISCLOSABLE))
def test_sdj_8_sdvc_3_j_4_claims_that_decide_validity_are_never_disclosed(name: str) -> None:
    text = of_name(name, 1)
    payload = {key: value for key, value in with_digests(digest(text)).items() if key != name}
    assert refusal(LAB.forged(payload, text)).code == "not_disclosable"


def test_sdvc_3_nor_anything_inside_them() -> None:
    inner, element = of_name("jwk", {}), of_element("x")
    assert refusal(LAB.forged({**LAB.claims(), "cnf": {"_sd": [digest(inner)]}}, inner)).code == "not_disclosable"
    assert refusal(LAB.forged({**LAB.claims(), "aud": [{"...": digest(element)}]}, element)).code == "not_disclosable"


# --- SDJ-6, J-3: digests ---


def test_sdj_6_j_3_a_disclosure_without_digest_is_refused() -> None:
    text = of_name("a", 1)
    assert refusal(LAB.forged(LAB.claims(), text)).code == "disclosure_unreferenced"


def test_sdj_6_j_3_a_changed_disclosure_is_refused() -> None:
    text, other = of_name("a", 1), of_name("a", 2)
    assert refusal(LAB.forged(with_digests(digest(text)), other)).code == "disclosure_unreferenced"


def test_sdj_6_j_3_a_child_without_its_parent_is_refused() -> None:
    child = of_name("b", 1)
    parent = of_name("a", {"_sd": [digest(child)]})
    assert refusal(LAB.forged(with_digests(digest(parent)), child)).code == "disclosure_unreferenced"
    assert read(LAB.forged(with_digests(digest(parent)), child, parent)).claims["a"] == {"b": 1}


def test_sdj_6_the_same_disclosure_twice_is_refused() -> None:
    text = of_name("a", 1)
    assert refusal(LAB.forged(with_digests(digest(text)), text, text)).code == "digest_repeated"


@pytest.mark.parametrize(
    "payload",
    [
        lambda found: {"_sd": [found, found]},
        lambda found: {"_sd": [found], "nested": {"_sd": [found]}},
        lambda found: {"_sd": [found], "list": [{"...": found}]},
        lambda found: {"list": [{"...": found}, {"...": found}]},
    ],
)
def test_sdj_6_j_3_a_digest_twice_anywhere_is_refused_even_a_decoy(payload: Callable[[str], dict[str, Any]]) -> None:
    assert refusal(LAB.forged({**LAB.claims(), **payload(digest("decoy"))})).code == "digest_repeated"


def test_sdj_6_a_digest_repeated_inside_a_disclosure_is_refused() -> None:
    child = of_name("b", 1)
    parent = of_name("a", {"_sd": [digest(child)]})
    assert refusal(LAB.forged(with_digests(digest(parent), digest(child)), parent, child)).code in (
        "digest_repeated",
        "not_disclosable",
    )


# --- J-6: size and depth, all under a second ---


def chain(length: int) -> tuple[str, list[str]]:
    """A chain of disclosures, each hidden in the one before."""
    texts = [of_name("x", 1)]
    for _ in range(length - 1):
        texts.append(of_name("x", {"_sd": [digest(texts[-1])]}))
    return digest(texts[-1]), texts


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a million ~", lambda: "a.b.c" + "~" * 1_000_000, "too_large"),
        ("as many ~ as the length allows", lambda: LAB.forged(LAB.claims()) + "~" * 100_000, "too_large"),
        ("10,000 disclosures", lambda: LAB.forged(LAB.claims(), *["WyJhIl0"] * 10_000), "too_large"),
        ("501 disclosures", lambda: LAB.forged(LAB.claims(), *["WyJhIl0"] * (MAX_DISCLOSURES + 1)), "too_large"),
        ("one octet too long", lambda: LAB.forged(LAB.claims()).ljust(MAX_LENGTH + 1, "A"), "too_large"),
        ("200-level chain", lambda: LAB.forged(with_digests(chain(200)[0]), *chain(200)[1]), "nesting"),
        ("17 levels of objects", lambda: LAB.forged(LAB.claims(a=json.loads('{"a":' * 16 + "1" + "}" * 16))), "nesting"),
        ("17 levels of arrays", lambda: LAB.forged(LAB.claims(a=json.loads("[" * 16 + "]" * 16))), "nesting"),
        ("payload of 2,000 levels", lambda: "e30." + raw('{"a":' * 2000 + "1" + "}" * 2000) + ".AA~", "json_depth"),
    ],
)
def test_j_6_size_and_depth_are_bounded(name: str, text: Callable[[], str], code: str) -> None:
    hostile = text()
    start = time.perf_counter()
    assert refusal(hostile).code == code, name
    assert time.perf_counter() - start < 1


def test_j_6_up_to_the_limits_everything_is_read() -> None:
    texts = [of_name(f"claim{index}", index, f"s{index}") for index in range(MAX_DISCLOSURES)]
    assert len(read(LAB.forged(with_digests(*map(digest, texts)), *texts)).disclosed) == MAX_DISCLOSURES
    top, parts = chain(15)  # the payload is the first level, the innermost object the fifteenth
    assert len(read(LAB.forged(with_digests(top), *parts)).disclosed) == 15
    assert read(LAB.forged(LAB.claims(a=json.loads('{"a":' * 15 + "1" + "}" * 15)))).claims


# --- the single disclosure reader ---


def test_make_and_parse_are_inverse() -> None:
    assert disclosure.parse(disclosure.make(bytes(16), "a", [1])) == (disclosure.make(bytes(16), "a", [1]), "a", [1])
    assert disclosure.parse(disclosure.make(bytes(16), None, "v")).name is None


def test_sdj_11_a_short_salt_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="128"):
        disclosure.make(bytes(15), "a", 1)


def test_a_single_disclosure_that_is_none_is_refused() -> None:
    with pytest.raises(Malformed, match="disclosure"):
        disclosure.parse(raw("[1]"))


# --- any text ---

UNVERIFIED = parse(LAB.issued([("a",), ("b", None)], a={"c": 1}, b=[1, 2]))


@given(st.text(alphabet=st.sampled_from("ab~.eyJW1IC-_=\x00é"), max_size=80) | st.text(max_size=40))
def test_any_text_gives_a_value_or_our_error(text: str) -> None:
    try:
        parse(text)
    except VcError:
        return


member_names = st.sampled_from(["_sd", "...", "_sd_alg", "a", "b"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5) | st.sampled_from(["_sd", "..."]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(member_names, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["_sd", "...", "_sd_alg", "a", "exp"]), json_values, max_size=5),
    st.lists(json_values, max_size=3),
)
def test_any_signed_structure_gives_a_value_or_our_error(payload: dict[str, Any], contents: list[Any]) -> None:
    texts = [raw(plain_json.dumps(content)) for content in contents]
    payload = {**payload, "listed": {"_sd": [digest(text) for text in texts]}}
    signed = LAB.issuer.sign
    body = raw(plain_json.dumps({"alg": "ES256"})) + "." + raw(plain_json.dumps(payload))
    try:
        sd_jwt = read("~".join((f"{body}.{base64url.encode(signed(body.encode()))}", *texts, "")))
    except VcError:
        return
    assert "_sd" not in str(sorted(sd_jwt.claims))


@given(st.integers(0, 400), st.integers(1, 255))
def test_any_flipped_octet_of_a_credential_is_refused(position: int, change: int) -> None:
    text = LAB_CREDENTIAL
    position %= len(text)
    altered = text[:position] + chr(ord(text[position]) ^ change) + text[position + 1 :]
    with pytest.raises(VcError):
        read(altered)


LAB_CREDENTIAL = LAB.issued([("a",)], a="b")
