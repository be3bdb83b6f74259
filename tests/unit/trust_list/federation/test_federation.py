"""A federation as a trust source: what a good chain and mark say, and what each broken rule says instead."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.support.federation import ANCHOR, ISSUER, MIDDLE, NAME, PREFIX, PretendFederation
from tests.support.pki import NOW, new_key, root
from trust_list.decide import Outcome
from trust_list.federation import source as federation_source
from trust_list.federation.source import ENTITY_PREFIX, FederationSource
from trust_list.federation.statements import identifier, keys_of
from trust_list.pages.drawing import drawing
from trust_list.query import TrustQuery
from trust_list.source import Judgement
from vc.clock import to_numeric_date
from vc.errors import Malformed, VcError
from vc.keys import jwk
from vc.keys.signer import LocalSigner

Bend = Callable[[PretendFederation], Any]
TOO_LATE, TOO_EARLY = to_numeric_date(NOW - timedelta(minutes=2)), to_numeric_date(NOW + timedelta(minutes=2))
STRANGER = LocalSigner(new_key())


@pytest.fixture
def world() -> PretendFederation:
    return PretendFederation()


def asked(world: PretendFederation, **changes: Any) -> TrustQuery:
    leaf = root().leaf(key=world.issuer.signer.private_key, subject={"C": "SE", "O": NAME, "CN": "Seal"})
    given: dict[str, Any] = {
        "list_id": "pub-eaa",
        "role": "issuance",
        "format": "dc+sd-jwt",
        "type_id": "urn:eudi:pda1:1",
        "attestation_type": "pda1",
        "chain": leaf.chain,
        "issuing_country": "SE",
        "institution_ids": ("SE:0001",),
        "issuer": ISSUER,
        "t_now": NOW,
    }
    return TrustQuery(**{**given, **changes})


def judged(world: PretendFederation, **changes: Any) -> Judgement:
    return FederationSource(world.settings(), world.outbound()).judge(asked(world, **changes))


def test_a_member_with_the_mark_of_type_and_country_is_trusted(world: PretendFederation) -> None:
    said = judged(world)
    assert said.outcome is Outcome.TRUSTED
    assert said.entity_id == f"{ENTITY_PREFIX}{ISSUER}"
    assert {name: axis.code for name, axis in said.axes.items()} == {
        "path": "federation_chain",
        "listed": "federation_member",
        "identity": "identity",
        "scope": "mark_valid",
        "content": "content",
        "qualified": "no_source",
    }
    assert said.facts["federation"]["path"] == [ISSUER, MIDDLE, ANCHOR]
    assert [(edge["from"], edge["to"], edge["question"], edge["result"]) for edge in said.facts["edges"]] == [
        ("certificate", "member", "identity", "passed"),
        ("member", "superior-1", "vouched", "passed"),
        ("superior-1", "anchor", "vouched", "passed"),
        ("document", "member", "scope", "passed"),
        ("document", "member", "content", "passed"),
    ]
    drawn = drawing(said.facts)
    assert [step.box.title for step in drawn.steps][1:] == [NAME, MIDDLE[:1].upper() + MIDDLE[1:], ANCHOR[:1].upper() + ANCHOR[1:]]
    assert [link.question for step in drawn.steps for link in step.links][1:] == ["Does its superior vouch for it?"] * 2


def test_keys_of_the_issuers_metadata_count_and_the_superior_may_replace_them(world: PretendFederation) -> None:
    other = root().leaf(subject={"C": "SE", "O": NAME, "CN": "Seal"})
    assert judged(world, chain=other.chain).axes["identity"].code == "key_of_other_body"
    named = {"keys": [jwk.from_public(other.public_key, kid="seal")]}
    world.issuer.metadata["openid_credential_issuer"] = {"jwks": named}
    assert judged(world, chain=other.chain).outcome is Outcome.TRUSTED
    world.issuer.above["metadata"] = {"openid_credential_issuer": {"jwks": world.issuer.jwks}}
    assert judged(world, chain=other.chain).outcome is Outcome.UNKNOWN_ISSUER


def _set(entity: str, where: str, name: str, value: Any) -> Bend:
    def bend(world: PretendFederation) -> None:
        getattr(getattr(world, entity), where)[name] = value

    return bend


def _attribute(entity: str, name: str, value: Any) -> Bend:
    return lambda world: setattr(getattr(world, entity), name, value)


def _constrain(**constraints: Any) -> Bend:
    return _set("middle", "above", "constraints", constraints)


def _loop(world: PretendFederation) -> None:
    world.middle.hints = [ISSUER]
    world.issuer.metadata["federation_entity"]["federation_fetch_endpoint"] = "https://issuer.test/fetch"


def _deep(world: PretendFederation) -> None:
    names = [f"https://middle{number}.test" for number in range(5)]
    for name, above in zip(names, [*names[1:], ANCHOR], strict=True):
        world.add(name, above)
    world.issuer.hints = [names[0]]


def _many(world: PretendFederation) -> None:
    """Each of three levels names eight superiors; only a budget ends the search."""
    for level in range(3):
        for number in range(8):
            world.add(f"https://l{level}n{number}.test", *(f"https://l{level + 1}n{above}.test" for above in range(8)))
    world.issuer.hints = [f"https://l0n{number}.test" for number in range(8)]


def _foreign(world: PretendFederation) -> None:
    world.add("https://foreign.test")
    world.issuer.hints = ["https://foreign.test"]


def _reply(entity: str, response: Callable[[httpx2.Request], httpx2.Response]) -> Bend:
    return _attribute(entity, "reply", response)


def _slow(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ReadTimeout("slow", request=request)


def _big(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, content=b"a" * 70_000, headers={"content-type": "application/entity-statement+jwt"})


BROKEN: dict[str, tuple[Bend, str]] = {
    "issuer signs with a key its superior does not name": (_attribute("issuer", "signs_with", STRANGER), "federation_signature"),
    "intermediate signs with another key": (_attribute("middle", "signs_with", STRANGER), "federation_signature"),
    "anchor signs with a key that is not pinned": (_attribute("anchor", "signs_with", STRANGER), "federation_signature"),
    "superior names other keys": (
        _set("issuer", "above", "jwks", {"keys": [jwk.from_public(STRANGER.public_key, kid=ISSUER)]}),
        "federation_signature",
    ),
    "kid unknown to the superior": (
        _set("issuer", "above", "jwks", {"keys": [jwk.from_public(STRANGER.public_key, kid="x")]}),
        "federation_signature",
    ),
    "type of token": (lambda world: setattr(world, "typ", "JWT"), "federation_signature"),
    "media type": (lambda world: setattr(world, "media_type", "application/jwt"), "federation_media_type"),
    "configuration expired": (_set("issuer", "about", "exp", TOO_LATE), "federation_expired"),
    "statement expired": (_set("issuer", "above", "exp", TOO_LATE), "federation_expired"),
    "intermediate expired": (_set("middle", "above", "exp", TOO_LATE), "federation_expired"),
    "anchor expired": (_set("anchor", "about", "exp", TOO_LATE), "federation_expired"),
    "statement from the future": (_set("issuer", "above", "iat", TOO_EARLY), "federation_not_yet_valid"),
    "no end": (_set("issuer", "above", "exp", None), "federation_statement"),
    "no issue time": (_set("issuer", "above", "iat", None), "federation_statement"),
    "configuration of another": (_set("issuer", "about", "sub", MIDDLE), "federation_subject"),
    "statement about another": (_set("issuer", "above", "sub", MIDDLE), "federation_subject"),
    "statement by another": (_set("issuer", "above", "iss", ANCHOR), "federation_subject"),
    "loop": (_loop, "federation_loop"),
    "superior of itself": (_attribute("issuer", "hints", [ISSUER]), "federation_loop"),
    "too deep": (_deep, "federation_too_deep"),
    "foreign anchor": (_foreign, "federation_foreign_anchor"),
    "no superior": (_attribute("issuer", "hints", []), "federation_foreign_anchor"),
    "too many hints": (_attribute("issuer", "hints", [f"https://h{n}.test" for n in range(9)]), "federation_statement"),
    "hints no list": (_set("issuer", "about", "authority_hints", "x"), "federation_statement"),
    "metadata no object": (_set("issuer", "about", "metadata", {"federation_entity": 1}), "federation_statement"),
    "superior does not know the issuer": (_attribute("issuer", "hints", [ANCHOR + "/nobody"]), "federation_unknown"),
    "superior without a fetch address": (_attribute("middle", "metadata", {}), "federation_no_fetch"),
    "policy": (_set("issuer", "above", "metadata_policy", {}), "federation_policy"),
    "policy above": (_set("middle", "above", "metadata_policy", {}), "federation_policy"),
    "critical policy operators": (_set("middle", "above", "metadata_policy_crit", ["x"]), "federation_policy"),
    "critical claim": (_set("issuer", "above", "crit", ["x"]), "federation_crit"),
    "path length": (_constrain(max_path_length=0), "federation_path_length"),
    "path length no number": (_constrain(max_path_length="1"), "federation_constraints"),
    "path length negative": (_constrain(max_path_length=-1), "federation_constraints"),
    "constraints no object": (_set("middle", "above", "constraints", 1), "federation_constraints"),
    "names no object": (_constrain(naming_constraints=1), "federation_constraints"),
    "names no domain": (_constrain(naming_constraints={"excluded": ["https://issuer.test"]}), "federation_constraints"),
    "name not permitted": (_constrain(naming_constraints={"permitted": ["middle.test"]}), "federation_naming"),
    "name permitted below only": (
        _constrain(naming_constraints={"permitted": ["middle.test", ".issuer.test"]}),
        "federation_naming",
    ),
    "name excluded": (_constrain(naming_constraints={"excluded": ["issuer.test"]}), "federation_naming"),
    "names excluded below": (_constrain(naming_constraints={"excluded": [".test"]}), "federation_naming"),
    "kind of entity": (_constrain(allowed_entity_types=["openid_provider"]), "federation_entity_type"),
    "kinds no list": (_constrain(allowed_entity_types="openid_credential_issuer"), "federation_constraints"),
    "oversized": (_reply("issuer", _big), "federation_unreachable"),
    "slow": (_reply("issuer", _slow), "federation_unreachable"),
    "error of the server": (_reply("middle", lambda _: httpx2.Response(503)), "federation_unreachable"),
    "redirect": (
        _reply("issuer", lambda _: httpx2.Response(302, headers={"location": ANCHOR})),
        "federation_unknown",
    ),
    "no JWT": (
        _reply(
            "issuer", lambda _: httpx2.Response(200, content=b"\xff", headers={"content-type": "application/entity-statement+jwt"})
        ),
        "federation_statement",
    ),
}


@pytest.mark.parametrize(("bend", "code"), BROKEN.values(), ids=BROKEN)
def test_a_broken_chain_is_unknown_and_says_why(world: PretendFederation, bend: Bend, code: str) -> None:
    bend(world)
    said = judged(world)
    assert (said.outcome, said.entity_id) == (Outcome.UNKNOWN_ISSUER, None)
    assert said.axes["listed"].code == code
    assert said.facts["federation"]["code"] == code


def test_the_search_has_a_budget(world: PretendFederation) -> None:
    _many(world)
    assert judged(world).outcome is Outcome.UNKNOWN_ISSUER
    assert len(world.internet.seen) == 16


@pytest.mark.parametrize(
    "constraints",
    [
        {"max_path_length": 1},
        {"naming_constraints": {"permitted": [".test"], "excluded": ["other.test"]}},
        {"allowed_entity_types": ["openid_credential_issuer"]},
        {"unknown": 1},
    ],
)
def test_constraints_that_are_kept_change_nothing(world: PretendFederation, constraints: dict[str, Any]) -> None:
    world.middle.above["constraints"] = constraints
    assert judged(world).outcome is Outcome.TRUSTED


@pytest.mark.parametrize("reply", [_slow, _big, lambda _: httpx2.Response(500)], ids=["slow", "oversized", "500"])
def test_a_silent_anchor_leaves_the_question_open(world: PretendFederation, reply: Any) -> None:
    world.anchor.reply = reply
    said = judged(world)
    assert (said.outcome, said.axes["listed"].code) == (Outcome.INDETERMINATE, "federation_anchor_unreachable")


def test_another_superior_is_tried(world: PretendFederation) -> None:
    world.issuer.hints = ["https://nobody.test", MIDDLE]
    assert judged(world).outcome is Outcome.TRUSTED


MARKS: dict[str, tuple[Callable[[PretendFederation], Any], str]] = {
    "none": (lambda world: [], "mark_missing"),
    "no list": (lambda world: "x", "mark_missing"),
    "another country": (lambda world: [world.mark(trust_mark_type=f"{PREFIX}/fr")], "mark_missing"),
    "another type": (lambda world: [world.mark(trust_mark_type="https://marks.test/EHICCredential/se")], "mark_missing"),
    "shown as another type": (
        lambda world: [{**world.mark(trust_mark_type=f"{PREFIX}/fr"), "trust_mark_type": f"{PREFIX}/se"}],
        "mark_type",
    ),
    "another subject": (lambda world: [world.mark(sub=MIDDLE)], "mark_subject"),
    "an issuer the anchor does not name": (lambda world: [world.mark(iss=MIDDLE, by=world.middle.signer)], "mark_issuer"),
    "by itself": (lambda world: [world.mark(iss=ISSUER, by=world.issuer.signer)], "mark_issuer"),
    "another key": (lambda world: [world.mark(by=STRANGER)], "federation_signature"),
    "another kid": (lambda world: [world.mark(kid="x")], "federation_signature"),
    "type of token": (lambda world: [world.mark(typ="JWT")], "federation_signature"),
    "expired": (lambda world: [world.mark(exp=TOO_LATE)], "federation_expired"),
    "from the future": (lambda world: [world.mark(iat=TOO_EARLY)], "federation_not_yet_valid"),
    "without issue time": (lambda world: [world.mark(iat=None)], "numeric_date"),
    "without end": (lambda world: [world.mark(exp=None)], "mark_endless"),
    "delegated": (lambda world: [world.mark(delegation="x")], "mark_delegated"),
    "no JWT": (lambda world: [{"trust_mark_type": f"{PREFIX}/se", "trust_mark": "x"}], "mark_malformed"),
    "no text": (lambda world: [{"trust_mark_type": f"{PREFIX}/se", "trust_mark": 1}], "mark_malformed"),
}


@pytest.mark.parametrize(("made", "code"), MARKS.values(), ids=MARKS)
def test_without_a_good_mark_the_issuer_is_out_of_scope(world: PretendFederation, made: Any, code: str) -> None:
    world.issuer.about["trust_marks"] = made(world)
    said = judged(world)
    assert (said.outcome, said.axes["scope"].code) == (Outcome.OUT_OF_SCOPE, code)


def test_a_type_with_an_owner_or_open_to_everybody_is_refused(world: PretendFederation) -> None:
    world.anchor.about["trust_mark_owners"] = {f"{PREFIX}/se": {"sub": MIDDLE}}
    assert judged(world).axes["scope"].code == "mark_delegated"
    del world.anchor.about["trust_mark_owners"]
    world.anchor.about["trust_mark_issuers"] = {f"{PREFIX}/se": []}
    assert judged(world).axes["scope"].code == "mark_issuer"


def test_a_second_mark_may_be_the_good_one(world: PretendFederation) -> None:
    world.issuer.about["trust_marks"] = [1, world.mark(exp=TOO_LATE), world.mark()]
    assert judged(world).outcome is Outcome.TRUSTED


def test_an_issuer_of_marks_is_itself_in_the_federation(world: PretendFederation) -> None:
    marks = world.add("https://marks.test", ANCHOR)
    world.middle.above["constraints"] = {"allowed_entity_types": ["openid_credential_issuer"]}
    marks.above["constraints"] = {"allowed_entity_types": []}  # a federation_entity is always allowed
    world.anchor.about["trust_mark_issuers"] = {f"{PREFIX}/se": [marks.id]}
    world.issuer.about["trust_marks"] = [world.mark(iss=marks.id, by=marks.signer, kid=marks.id)]
    assert judged(world).outcome is Outcome.TRUSTED
    marks.hints = []
    assert judged(world).axes["scope"].code == "federation_foreign_anchor"


def test_an_issuer_of_marks_under_another_of_our_anchors_does_not_count(world: PretendFederation) -> None:
    second = world.add("https://second.test")
    marks = world.add("https://marks.test", second.id)
    world.anchor.about["trust_mark_issuers"] = {f"{PREFIX}/se": [marks.id]}
    world.issuer.about["trust_marks"] = [world.mark(iss=marks.id, by=marks.signer, kid=marks.id)]
    both = [{"id": one.id, "jwks": one.jwks} for one in (world.anchor, second)]
    said = FederationSource(world.settings(anchors=both), world.outbound()).judge(asked(world))
    assert (said.outcome, said.axes["scope"].code) == (Outcome.OUT_OF_SCOPE, "mark_issuer")


@pytest.mark.parametrize(
    ("changes", "axis", "code", "outcome"),
    [
        ({"issuing_country": "FR", "institution_ids": ()}, "scope", "mark_missing", Outcome.OUT_OF_SCOPE),
        ({"institution_ids": ("FR:0001",)}, "content", "institution_mismatch", Outcome.OUT_OF_SCOPE),
        ({"issuing_country": None}, "content", "content_not_stated", Outcome.INDETERMINATE),
    ],
)
def test_what_the_document_says_is_compared(
    world: PretendFederation, changes: dict[str, Any], axis: str, code: str, outcome: Outcome
) -> None:
    said = judged(world, **changes)
    assert (said.axes[axis].code, said.outcome) == (code, outcome)


def test_certificate_and_entity_name_one_body(world: PretendFederation) -> None:
    other = root().leaf(key=world.issuer.signer.private_key, subject={"C": "SE", "O": "Other", "CN": "Seal"})
    assert judged(world, chain=other.chain).axes["identity"].code == "name_mismatch"
    world.issuer.metadata["federation_entity"] = {}
    said = judged(world)
    assert (said.axes["identity"].code, said.outcome) == ("name_missing", Outcome.UNKNOWN_ISSUER)


def test_unreadable_keys_of_the_issuer_match_nothing(world: PretendFederation) -> None:
    world.issuer.metadata["openid_credential_issuer"] = {"jwks": 1}
    assert judged(world).axes["identity"].code == "federation_keys"


def test_the_time_judged_and_our_own_both_count(world: PretendFederation) -> None:
    assert judged(world, t_now=NOW - timedelta(days=1), t_clock=NOW).axes["listed"].code == "federation_not_yet_valid"
    assert judged(world, t_now=NOW, t_clock=NOW + timedelta(days=1)).axes["listed"].code == "federation_expired"


def test_status_lists_of_the_issuer_found_and_of_no_other(world: PretendFederation) -> None:
    source = FederationSource(world.settings(), world.outbound())
    query = asked(world, role="revocation", attestation_type=None, issuer=None, entity_id=f"{ENTITY_PREFIX}{ISSUER}")
    assert source.answers(query)
    assert source.judge(query).outcome is Outcome.TRUSTED
    stranger = asked(world, role="revocation", entity_id=query.entity_id, chain=root().leaf(subject={"O": NAME, "CN": "x"}).chain)
    assert source.judge(stranger).outcome is Outcome.UNKNOWN_ISSUER


@pytest.mark.parametrize(
    "changes",
    [
        {"list_id": "pid"},
        {"list_id": "wallet"},
        {"role": "wrpac"},
        {"attestation_type": "ehic"},
        {"issuer": None},
        {"chain": ()},
        {"role": "revocation", "entity_id": ISSUER},
        {"role": "revocation", "entity_id": None},
    ],
    ids=str,
)
def test_nothing_else_is_asked_of_a_federation(world: PretendFederation, changes: dict[str, Any]) -> None:
    assert not FederationSource(world.settings(), world.outbound()).answers(asked(world, **changes))


def test_a_question_without_an_issuer_is_an_error_of_the_caller(world: PretendFederation) -> None:
    with pytest.raises(ValueError, match="issuer"):
        judged(world, issuer=None)


def test_what_was_found_is_remembered_for_a_while_and_failures_shorter(world: PretendFederation) -> None:
    source = FederationSource(world.settings(), world.outbound())
    assert source.judge(asked(world)).outcome is Outcome.TRUSTED
    once = len(world.internet.seen)
    later = asked(world, t_now=NOW + timedelta(minutes=9))
    assert source.judge(later).outcome is Outcome.TRUSTED
    assert len(world.internet.seen) == once
    world.issuer.hints = []
    gone = asked(world, t_now=NOW + timedelta(minutes=10))
    assert source.judge(gone).outcome is Outcome.UNKNOWN_ISSUER
    asked_so_far = len(world.internet.seen)
    assert source.judge(gone).outcome is Outcome.UNKNOWN_ISSUER
    assert len(world.internet.seen) == asked_so_far
    world.issuer.hints = [MIDDLE]
    assert source.judge(asked(world, t_now=NOW + timedelta(minutes=11))).outcome is Outcome.TRUSTED


def test_what_is_remembered_is_judged_again_for_another_day(world: PretendFederation) -> None:
    source = FederationSource(world.settings(), world.outbound())
    assert source.judge(asked(world)).outcome is Outcome.TRUSTED
    other = source.judge(asked(world, t_now=NOW - timedelta(days=1), t_clock=NOW))
    assert other.axes["listed"].code == "federation_not_yet_valid"


def test_memory_is_bounded(world: PretendFederation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federation_source, "_MAX_KEPT", 2)
    source = FederationSource(world.settings(), world.outbound())
    for number in range(3):
        source.judge(asked(world, issuer=f"https://nobody{number}.test"))
    before = len(world.internet.seen)
    source.judge(asked(world, issuer="https://nobody2.test"))
    assert len(world.internet.seen) == before
    source.judge(asked(world, issuer="https://nobody0.test"))
    assert len(world.internet.seen) == before + 1


NO_IDENTIFIERS = (
    "http://a.test",
    "https://",
    "https://u@a.test",
    "https://a.test?x",
    "https://a.test#x",
    "https://a.test/ b",
    "https://[",
    "https://a.test/\u00e9",
    f"https://a.test/{'a' * 2048}",
    1,
)


@pytest.mark.parametrize("bad", NO_IDENTIFIERS)
def test_an_entity_identifier_is_an_https_address(bad: Any) -> None:
    with pytest.raises(Malformed):
        identifier(bad)


EC = jwk.from_public(STRANGER.public_key, kid="a")
NO_KEYS: dict[str, Any] = {
    "none": None,
    "no keys": {},
    "empty": {"keys": []},
    "kid no text": {"keys": [{**EC, "kid": 1}]},
    "kid twice": {"keys": [EC, EC]},
    "no object": {"keys": [1]},
    "none of a usable kind": {"keys": [{"kty": "RSA", "kid": "a"}]},
    "too many": {"keys": [{**EC, "kid": str(number)} for number in range(17)]},
    "private": {"keys": [{**EC, "d": "AA"}]},
}


@pytest.mark.parametrize("bad", NO_KEYS.values(), ids=NO_KEYS)
def test_a_key_set_without_usable_keys_is_refused(bad: Any) -> None:
    with pytest.raises(VcError):
        keys_of(bad)


def test_keys_of_other_kinds_are_passed_over() -> None:
    assert list(keys_of({"keys": [{"kty": "RSA", "kid": "b"}, EC]})) == ["a"]
