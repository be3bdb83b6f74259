"""DCQL: parser (VP-DCQL-1, -2, -5, -9, -10), the wallet's matching and the verifier's check (VP-DCQL-3..8, -11)."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pki import NOW, Authority, new_key, root
from vc.encoding import base64url
from vc.errors import Malformed, Refused, VerificationFailed
from vc.openid4vp import dcql
from vc.openid4vp.dcql import View

PID: dict[str, Any] = {
    "id": "pid",
    "format": "dc+sd-jwt",
    "meta": {"vct_values": ["urn:pid", "urn:pid:2"]},
    "claims": [
        {"id": "name", "path": ["family_name"]},
        {"id": "town", "path": ["address", "locality"]},
        {"id": "nations", "path": ["nationalities", None], "values": ["FR", "BE"]},
        {"id": "second", "path": ["nationalities", 1]},
    ],
}
MDL: dict[str, Any] = {
    "id": "mdl",
    "format": "mso_mdoc",
    "meta": {"doctype_value": "org.test.mdl"},
    "claims": [{"path": ["org.test", "age"], "values": [18], "intent_to_retain": False}],
}
QUERY: dict[str, Any] = {"credentials": [PID, MDL]}
REMOVED = object()


def changed(where: list[str | int], value: Any, query: dict[str, Any] = QUERY) -> dict[str, Any]:
    """A copy of `query` with the member at `where` replaced or removed."""
    made = copy.deepcopy(query)
    target: Any = made
    for step in where[:-1]:
        target = target[step]
    if value is REMOVED:
        del target[where[-1]]
    else:
        target[where[-1]] = value
    return made


def test_a_good_query_is_read_whole() -> None:
    query = dcql.parse({**QUERY, "unknown": 1, "credential_sets": [{"options": [["pid"], ["mdl"]], "required": False}]})
    pid, mdl = query.credentials
    assert (pid.id, pid.format, pid.type_ids, pid.multiple, pid.holder_binding) == (
        "pid", "dc+sd-jwt", ("urn:pid", "urn:pid:2"), False, True,
    )  # fmt: skip
    assert pid.claims is not None
    assert [claim.path for claim in pid.claims][2] == ("nationalities", None)
    assert mdl.type_ids == ("org.test.mdl",)
    assert mdl.claims is not None
    assert mdl.claims[0].intent_to_retain is False
    assert pid.claims[0].intent_to_retain is None
    assert query.sets == (dcql.CredentialSet(options=(("pid",), ("mdl",)), required=False),)


def test_unknown_formats_are_read_and_match_nothing() -> None:
    query = dcql.parse({"credentials": [{"id": "a", "format": "jwt_vc_json", "meta": {}}]})
    held = {"1": View(format="jwt_vc_json", type_ids=frozenset({"x"}), claims={})}
    assert dcql.match(query, held).misfits == {"a": {"1": "type"}}


SETS = "credential_sets"
BAD: list[tuple[str, dict[str, Any] | Any, str]] = [
    ("not an object", [], "dcql"),
    ("no credentials", {}, "dcql"),
    ("empty credentials", {"credentials": []}, "dcql"),
    ("too many credentials", {"credentials": [PID] * 101}, "dcql"),
    ("credential not an object", {"credentials": ["pid"]}, "dcql"),
    ("id missing", changed(["credentials", 0, "id"], REMOVED), "dcql_id"),
    ("id with a dot", changed(["credentials", 0, "id"], "p.id"), "dcql_id"),
    ("id with a line break", changed(["credentials", 0, "id"], "pid\n"), "dcql_id"),
    ("id empty", changed(["credentials", 0, "id"], ""), "dcql_id"),
    ("id twice", changed(["credentials", 1, "id"], "pid"), "dcql_id"),
    ("format missing", changed(["credentials", 0, "format"], REMOVED), "dcql"),
    ("format not text", changed(["credentials", 0, "format"], 1), "dcql"),
    ("meta missing", changed(["credentials", 0, "meta"], REMOVED), "dcql_meta"),
    ("vct_values missing", changed(["credentials", 0, "meta"], {}), "dcql_meta"),
    ("vct_values empty", changed(["credentials", 0, "meta", "vct_values"], []), "dcql_meta"),
    ("vct_values not text", changed(["credentials", 0, "meta", "vct_values"], [1]), "dcql_meta"),
    ("doctype_value missing", changed(["credentials", 1, "meta"], {}), "dcql_meta"),
    ("doctype_value a list", changed(["credentials", 1, "meta", "doctype_value"], ["a"]), "dcql_meta"),
    ("claims empty", changed(["credentials", 0, "claims"], []), "dcql_claims"),
    ("claims an object", changed(["credentials", 0, "claims"], {}), "dcql_claims"),
    ("claim not an object", changed(["credentials", 0, "claims", 0], "x"), "dcql"),
    ("claim twice", changed(["credentials", 0, "claims", 1, "path"], ["family_name"]), "dcql_claims"),
    ("claim id twice", changed(["credentials", 0, "claims", 1, "id"], "name"), "dcql_id"),
    ("claim id bad", changed(["credentials", 0, "claims", 1, "id"], "n a"), "dcql_id"),
    ("path missing", changed(["credentials", 0, "claims", 0, "path"], REMOVED), "claims_path"),
    ("path empty", changed(["credentials", 0, "claims", 0, "path"], []), "claims_path"),
    ("path with a negative index", changed(["credentials", 0, "claims", 0, "path"], ["a", -1]), "claims_path"),
    ("mdoc path of one component", changed(["credentials", 1, "claims", 0, "path"], ["org.test"]), "claims_path"),
    ("mdoc path with null element", changed(["credentials", 1, "claims", 0, "path"], ["org.test", None]), "claims_path"),
    ("values empty", changed(["credentials", 0, "claims", 2, "values"], []), "dcql_values"),
    ("values with null", changed(["credentials", 0, "claims", 2, "values"], [None]), "dcql_values"),
    ("values with a fraction", changed(["credentials", 0, "claims", 2, "values"], [1.5]), "dcql_values"),
    ("claim_sets without claims", changed(["credentials", 0], {**PID, "claims": None, "claim_sets": [["x"]]}), "dcql_claims"),
    ("claim_sets unknown id", changed(["credentials", 0, "claim_sets"], [["nobody"]]), "dcql_claim_sets"),
    ("claim_sets id twice", changed(["credentials", 0, "claim_sets"], [["name", "name"]]), "dcql_claim_sets"),
    ("claim_sets empty", changed(["credentials", 0, "claim_sets"], []), "dcql_claim_sets"),
    ("claim_sets empty option", changed(["credentials", 0, "claim_sets"], [[]]), "dcql_claim_sets"),
    ("multiple not boolean", changed(["credentials", 0, "multiple"], 1), "dcql"),
    ("holder binding not boolean", changed(["credentials", 0, "require_cryptographic_holder_binding"], "no"), "dcql"),
    ("intent_to_retain not boolean", changed(["credentials", 1, "claims", 0, "intent_to_retain"], None), "dcql"),
    ("authorities empty", changed(["credentials", 0, "trusted_authorities"], []), "dcql_authorities"),
    ("authority without type", changed(["credentials", 0, "trusted_authorities"], [{"values": ["AA"]}]), "dcql_authorities"),
    ("authority without values", changed(["credentials", 0, "trusted_authorities"], [{"type": "aki"}]), "dcql_authorities"),
    ("aki not base64url", changed(["credentials", 0, "trusted_authorities"], [{"type": "aki", "values": ["A="]}]), "base64url"),
    ("sets empty", {**QUERY, SETS: []}, "dcql_sets"),
    ("set not an object", {**QUERY, SETS: [["pid"]]}, "dcql"),
    ("set without options", {**QUERY, SETS: [{}]}, "dcql_sets"),
    ("set with an empty option", {**QUERY, SETS: [{"options": [[]]}]}, "dcql_sets"),
    ("set naming an unknown id", {**QUERY, SETS: [{"options": [["nobody"]]}]}, "dcql_sets"),
    ("set naming an id twice", {**QUERY, SETS: [{"options": [["pid", "pid"]]}]}, "dcql_sets"),
    ("required not boolean", {**QUERY, SETS: [{"options": [["pid"]], "required": "yes"}]}, "dcql"),
]


@pytest.mark.parametrize(("query", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_queries_are_refused_with_the_place(query: Any, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        dcql.parse(query)
    assert caught.value.code == code
    assert caught.value.pointer.startswith("/dcql_query")


def test_claim_sets_need_claims() -> None:
    without = {name: value for name, value in PID.items() if name != "claims"}
    with pytest.raises(Malformed, match="dcql_claim_sets"):
        dcql.parse({"credentials": [{**without, "claim_sets": [["name"]]}]})


def test_claim_sets_need_an_id_on_every_claim() -> None:
    query = changed(["credentials", 0, "claims", 3, "id"], REMOVED)
    query["credentials"][0]["claim_sets"] = [["name"]]
    with pytest.raises(Malformed, match="dcql_id"):
        dcql.parse(query)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES: list[list[str | int]] = [
    ["credentials"],
    ["credentials", 0],
    ["credential_sets"],
]
PLACES += [["credentials", 0, name] for name in (*PID, "claim_sets", "trusted_authorities", "multiple")]
PLACES += [["credentials", 0, "claims", 0, name] for name in ("id", "path", "values", "intent_to_retain")]


CODES = {
    "dcql", "dcql_id", "dcql_meta", "dcql_claims", "dcql_claim_sets", "dcql_values", "dcql_authorities", "dcql_sets", "claims_path",
    "base64url",
}  # fmt: skip


def code_of(query: Any) -> str:
    """The code of the refusal, or `read`."""
    try:
        dcql.parse(query)
    except Malformed as error:
        return error.code
    return "read"


@given(st.sampled_from(PLACES), JSON)
def test_any_member_gives_a_query_or_our_error(where: list[str | int], value: Any) -> None:
    assert code_of(changed(where, value)) in CODES | {"read"}


@given(JSON)
def test_any_value_gives_a_query_or_our_error(value: Any) -> None:
    assert code_of(value) in CODES


# --- the wallet ---------------------------------------------------------------------------------------------------------------

CLAIMS = {"family_name": "Doe", "address": {"locality": "Lille", "country": "FR"}, "nationalities": ["BE", "DE", "FR"]}
PERSON = View(format="dc+sd-jwt", type_ids=frozenset({"urn:pid"}), claims=CLAIMS)
LICENCE = View(format="mso_mdoc", type_ids=frozenset({"org.test.mdl"}), claims={"org.test": {"age": 18, "marks": ["a", "b"]}})


def one(**changes: Any) -> dcql.DcqlQuery:
    """A query for the PID alone, with members replaced, or removed when None."""
    return dcql.parse({"credentials": [{name: value for name, value in {**PID, **changes}.items() if value is not None}]})


def disclosed(query: dcql.DcqlQuery, view: View = PERSON) -> set[Any] | str:
    """The paths to disclose, or the reason why not."""
    found = dcql.match(query, {"held": view})
    name = query.credentials[0].id
    return set(found.candidates[name][0].disclose) if found.candidates[name] else found.misfits[name]["held"]


def test_concrete_paths_are_disclosed_only_of_fitting_elements() -> None:
    assert disclosed(one()) == {
        ("family_name",), ("address", "locality"), ("nationalities", 0), ("nationalities", 2), ("nationalities", 1),
    }  # fmt: skip


def test_without_claims_nothing_is_disclosed() -> None:
    assert disclosed(one(claims=None)) == set()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": "mso_mdoc", "meta": {"doctype_value": "urn:pid"}, "claims": None}, "format"),
        ({"meta": {"vct_values": ["urn:other"]}}, "type"),
        ({"claims": [{"path": ["missing"]}]}, "claims"),
        ({"claims": [{"path": ["family_name"]}, {"path": ["missing"]}]}, "claims"),
        ({"claims": [{"path": ["family_name", "first"]}]}, "claims"),
        ({"claims": [{"path": ["address", None]}]}, "claims"),
        ({"claims": [{"path": ["nationalities", 3]}]}, "claims"),
        ({"claims": [{"path": ["nationalities", None], "values": ["ES"]}]}, "claims"),
        ({"claims": [{"path": ["address"], "values": ["Lille"]}]}, "claims"),
        ({"trusted_authorities": [{"type": "aki", "values": ["AAAA"]}]}, "authority"),
        ({"trusted_authorities": [{"type": "openid_federation", "values": ["https://x"]}]}, "authority"),
        ({"trusted_authorities": [{"type": "etsi_tl", "values": ["https://x"]}]}, "authority"),
    ],
)
def test_misfits_say_why(changes: dict[str, Any], reason: str) -> None:
    assert disclosed(one(**changes)) == reason


@pytest.mark.parametrize(
    ("held", "asked", "fits"),
    [
        (1, 1, True), (1, True, False), (True, 1, False), (1.0, 1, False), ("1", 1, False), (True, True, True), ("a", "A", False),
        (0, False, False), (None, "a", False),
    ],
)  # fmt: skip
def test_values_match_type_and_value(held: Any, asked: Any, fits: bool) -> None:
    view = View(format="dc+sd-jwt", type_ids=frozenset({"urn:pid"}), claims={"x": held})
    assert (disclosed(one(claims=[{"path": ["x"], "values": [asked]}]), view) == {("x",)}) is fits


def test_a_credential_without_our_key_does_not_fit_when_binding_is_required() -> None:
    unbound = View(format="dc+sd-jwt", type_ids=frozenset({"urn:pid"}), claims=CLAIMS, bound=False)
    assert disclosed(one(), unbound) == "holder_binding"
    assert disclosed(one(require_cryptographic_holder_binding=False, claims=None), unbound) == set()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return root()


def test_authority_key_identifiers_of_the_whole_chain_count(authority: Authority) -> None:
    chain = authority.authority("Below").leaf().chain
    keys = dcql.authority_keys(chain)
    assert len(keys) == 2
    for key in keys:
        query = one(trusted_authorities=[{"type": "aki", "values": [base64url.encode(key)]}], claims=None)
        assert disclosed(query, View(format="dc+sd-jwt", type_ids=frozenset({"urn:pid"}), claims={}, authority_keys=keys)) == set()
    assert dcql.authority_keys(()) == frozenset()


def test_any_value_of_any_entry_of_the_authorities_will_do() -> None:
    query = one(
        trusted_authorities=[{"type": "aki", "values": ["AAAA"]}, {"type": "etsi_tl", "values": ["https://x", "https://list"]}],
        claims=None,
    )
    view = View(format="dc+sd-jwt", type_ids=frozenset({"urn:pid"}), claims={}, lists=frozenset({"https://list"}))
    assert disclosed(query, view) == set()


def test_mdoc_paths_disclose_whole_elements() -> None:
    query = dcql.parse({"credentials": [{**MDL, "claims": [{"path": ["org.test", "marks", 1]}, {"path": ["org.test", "age"]}]}]})
    assert disclosed(query, LICENCE) == {("org.test", "marks"), ("org.test", "age")}


def test_first_satisfiable_claim_set_is_preferred() -> None:
    sets = [["name", "second", "nations"], ["name"]]
    assert disclosed(one(claim_sets=sets)) == {("family_name",), ("nationalities", 0), ("nationalities", 1), ("nationalities", 2)}
    short = View(format="dc+sd-jwt", type_ids=frozenset({"urn:pid"}), claims={"family_name": "Doe"})
    assert disclosed(one(claim_sets=sets), short) == {("family_name",)}


def query_of(sets: Any = None, **changes: Any) -> dcql.DcqlQuery:
    credentials = [{"id": name, "format": "dc+sd-jwt", "meta": {"vct_values": [f"urn:{name}"]}, **changes} for name in "abc"]
    return dcql.parse({"credentials": credentials} if sets is None else {"credentials": credentials, "credential_sets": sets})


def held(names: str) -> dict[str, View]:
    return {
        f"{name}{at}": View(format="dc+sd-jwt", type_ids=frozenset({f"urn:{name}"}), claims={}) for at, name in enumerate(names)
    }


@pytest.mark.parametrize(
    ("names", "sets", "chosen"),
    [
        ("abc", None, "abc"),
        ("ab", None, None),
        ("", None, None),
        ("abc", [{"options": [["a", "b"], ["c"]]}], "ab"),
        ("ac", [{"options": [["a", "b"], ["c"]]}], "c"),
        ("a", [{"options": [["a", "b"], ["c"]]}], None),
        ("ab", [{"options": [["a"]]}, {"options": [["b"]], "required": False}], "ab"),
        ("a", [{"options": [["a"]]}, {"options": [["b"]], "required": False}], "a"),
        ("b", [{"options": [["a"]]}, {"options": [["b"]], "required": False}], None),
        ("", [{"options": [["a"]], "required": False}], ""),
    ],
)
def test_choice_of_credential_sets(names: str, sets: Any, chosen: str | None) -> None:
    matches = dcql.match(query_of(sets), held(names))
    if chosen is None:
        with pytest.raises(Refused, match="dcql_unsatisfied"):
            matches.choose()
    else:
        assert "".join(sorted(matches.choose())) == chosen


@pytest.mark.parametrize(("multiple", "count"), [(False, 1), (True, 2)])
def test_several_candidates_are_sent_only_when_asked_for(multiple: bool, count: int) -> None:
    found = dcql.match(query_of(multiple=multiple), held("aabc"))
    assert len(found.candidates["a"]) == 2
    assert len(found.choose()["a"]) == count


# --- the verifier -------------------------------------------------------------------------------------------------------------

ASKED = frozenset({("family_name",), ("address",), ("address", "locality"), ("nationalities", 0), ("nationalities", 1)})
ANSWER = View(format="dc+sd-jwt", type_ids=frozenset({"urn:pid"}), claims=CLAIMS, disclosed=ASKED)


def test_an_answer_that_covers_the_query_passes() -> None:
    assert dcql.check_answer(one(), {"pid": [ANSWER]}) == {"pid": ()}


def test_unasked_disclosures_are_reported() -> None:
    more = View(
        format="dc+sd-jwt",
        type_ids=frozenset({"urn:pid"}),
        claims=CLAIMS,
        disclosed=ASKED | {("address", "country"), ("birth_date",)},
    )
    assert dcql.check_answer(one(), {"pid": [more]}) == {"pid": (("address", "country"), ("birth_date",))}


def test_everything_disclosed_is_unasked_when_no_claim_was_asked() -> None:
    assert dcql.check_answer(one(claims=None), {"pid": [ANSWER]})["pid"] == tuple(sorted(ASKED, key=repr))


def test_the_claim_set_with_the_fewest_unasked_claims_is_the_answered_one() -> None:
    view = View(
        format="dc+sd-jwt",
        type_ids=frozenset({"urn:pid"}),
        claims={"family_name": "Doe", "nationalities": ["BE", "DE"]},
        disclosed=frozenset({("family_name",), ("nationalities", 1)}),
    )
    assert dcql.check_answer(one(claim_sets=[["name"], ["name", "second"]]), {"pid": [view]}) == {"pid": ()}


def answer(**changes: Any) -> View:
    members: dict[str, Any] = {"format": "dc+sd-jwt", "type_ids": frozenset({"urn:pid"}), "claims": CLAIMS, "disclosed": ASKED}
    return View(**{**members, **changes})


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (answer(format="mso_mdoc"), "query_format"),
        (answer(type_ids=frozenset({"urn:other"})), "query_type"),
        (answer(bound=False), "query_holder_binding"),
        (answer(claims={**CLAIMS, "nationalities": ["DE", "ES"]}), "query_claims"),
        (answer(claims={"family_name": "Doe"}), "query_claims"),
        (answer(claims={}), "query_claims"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(view: View, code: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        dcql.check_answer(one(), {"pid": [view]})
    assert caught.value.code == code


def test_the_verifier_checks_the_authority_again() -> None:
    query = one(trusted_authorities=[{"type": "aki", "values": ["AAAA"]}])
    with pytest.raises(VerificationFailed, match="query_authority"):
        dcql.check_answer(query, {"pid": [ANSWER]})
    assert dcql.check_answer(query, {"pid": [answer(authority_keys=frozenset({b"\0\0\0"}))]}) == {"pid": ()}


def test_one_bad_of_two_presentations_refuses_both() -> None:
    with pytest.raises(VerificationFailed, match="query_claims"):
        dcql.check_answer(one(multiple=True), {"pid": [ANSWER, answer(claims={})]})


OPTIONS = [{"options": [["a", "b"], ["c"]]}, {"options": [["b"]], "required": False}]


@pytest.mark.parametrize(
    ("sets", "counts", "code"),
    [
        (None, {"a": 1, "b": 1, "c": 1}, None),
        (None, {"a": 1, "b": 1}, "query_unanswered"),
        (None, {}, "query_unanswered"),
        (None, {"a": 1, "b": 1, "c": 1, "d": 1}, "query_unknown_id"),
        (None, {"a": 2, "b": 1, "c": 1}, "query_multiple"),
        (None, {"a": 0, "b": 1, "c": 1}, "query_multiple"),
        (OPTIONS, {"a": 1, "b": 1}, None),
        (OPTIONS, {"c": 1}, None),
        (OPTIONS, {"c": 1, "b": 1}, None),
        (OPTIONS, {"c": 1, "a": 1}, "query_unused_answer"),
        (OPTIONS, {"a": 1}, "query_unanswered"),
        ([{"options": [["a"]], "required": False}], {}, None),
        ([{"options": [["a"]], "required": False}], {"b": 1}, "query_unused_answer"),
    ],
)
def test_which_queries_must_be_answered(sets: Any, counts: dict[str, int], code: str | None) -> None:
    if code is None:
        dcql.check_shape(query_of(sets), counts)
        return
    with pytest.raises(VerificationFailed) as caught:
        dcql.check_shape(query_of(sets), counts)
    assert caught.value.code == code


def test_two_presentations_are_taken_when_multiple_was_asked() -> None:
    dcql.check_shape(query_of(multiple=True), {"a": 2, "b": 1, "c": 1})


def test_check_answer_applies_the_shape_rules() -> None:
    with pytest.raises(VerificationFailed, match="query_unknown_id"):
        dcql.check_answer(one(), {"pid": [ANSWER], "other": [ANSWER]})


def test_what_a_wallet_chooses_passes_the_verifier() -> None:
    query = dcql.parse(QUERY)
    chosen = dcql.match(query, {"p": PERSON, "m": LICENCE}).choose()
    views = {"p": PERSON, "m": LICENCE}
    answers = {
        name: [
            View(
                format=views[c.held].format,
                type_ids=views[c.held].type_ids,
                claims=views[c.held].claims,
                disclosed=frozenset(c.disclose),
            )
            for c in candidates
        ]
        for name, candidates in chosen.items()
    }
    assert dcql.check_answer(query, answers) == {"pid": (), "mdl": ()}


def bare(extension: x509.ExtensionType | None) -> x509.Certificate:
    """A self-signed certificate with one extension or none."""
    key = new_key()
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return (builder.add_extension(extension, False) if extension else builder).sign(key, hashes.SHA256())


def test_certificates_without_key_identifier_are_passed_over() -> None:
    by_serial = x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(x509.Name([]))], 1)
    known = x509.AuthorityKeyIdentifier(b"key", None, None)
    assert dcql.authority_keys([bare(None), bare(by_serial), bare(known)]) == {b"key"}
