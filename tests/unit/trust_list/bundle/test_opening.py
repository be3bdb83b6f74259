"""What is in a bundle counts by its own seal; the seal of the bundle only says who put it together (TRUST 7.2 rule 8)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.bundles import DAY, STATUS_URI, Bundler, maker, status_token, successors
from tests.support.pki import NOW, root
from tests.support.trust import Institution
from tests.unit.trust_list.test_decide import ask
from trust_list import model
from trust_list.bundle.contents import CarriedCrl, CarriedList, CarriedStatus, Scheme
from trust_list.bundle.opening import Floor, Opened, opening
from trust_list.bundle.report import lines, report
from trust_list.decide import Outcome, evaluate
from trust_list.snapshot import Freshness
from trust_list.status_lists import StatusLists
from trust_list.status_memory import ShortMemory
from vc.encoding import json
from vc.errors import Unreachable, VcError
from vc.status.bits import StatusValue
from vc.status.reference import StatusReference
from vc.x509 import crl
from vc.x509.certificate import der, sha256

SECOND = timedelta(seconds=1)


def opened(bundler: Bundler, bundle: bytes | None = None, **how: Any) -> Opened:
    told = {"pinned": bundler.pinned, "root": bundler.root, "now": NOW + DAY, **how}
    return opening(bundle if bundle is not None else bundler.bundle(), **told)


def refused(bundler: Bundler, bundle: bytes, **how: Any) -> str:
    with pytest.raises(VcError) as caught:
        opened(bundler, bundle, **how)
    return caught.value.code


def test_a_bundle_answers_as_the_network_would(bundler: Bundler) -> None:
    found = opened(bundler)
    assert found.notes == ()
    assert [(one.carried.kind, one.entity) for one in found.statuses] == [("jwt", bundler.institution.registration_id)] * 1 + [
        ("cwt", bundler.institution.registration_id)
    ]
    decision = evaluate(ask(bundler.institution.seal, t_now=NOW + DAY), found.snapshot())
    assert (decision.outcome, decision.list.sequence, decision.list.age_seconds) == (Outcome.TRUSTED, 5, 24 * 3600)


@pytest.mark.parametrize(
    ("later", "state", "outcome"),
    [
        (timedelta(), Freshness.FRESH, Outcome.TRUSTED),
        (DAY, Freshness.FRESH, Outcome.TRUSTED),
        (DAY + SECOND, Freshness.AGEING, Outcome.TRUSTED),
        (7 * DAY, Freshness.AGEING, Outcome.TRUSTED),
        (7 * DAY + SECOND, Freshness.EXPIRED, Outcome.INDETERMINATE),
        (-2 * timedelta(minutes=1), Freshness.FRESH, Outcome.INDETERMINATE),
    ],
    ids=["fresh", "a-day", "stale", "last-second", "over", "clock-set-back"],
)
def test_stale_is_shown_and_over_concludes_nothing(bundler: Bundler, later: timedelta, state: Freshness, outcome: Outcome) -> None:
    found = opened(bundler, now=NOW)
    moment = NOW + later
    assert found.state(moment) is state
    assert evaluate(ask(bundler.institution.seal, t_now=moment), found.snapshot()).outcome is outcome


def test_a_list_past_its_next_update_concludes_nothing_though_the_bundle_lasts(bundler: Bundler) -> None:
    found = opened(bundler, bundler.bundle(lists=bundler.lists(valid_for=2 * DAY)))
    assert evaluate(ask(bundler.institution.seal, t_now=NOW + DAY), found.snapshot()).outcome is Outcome.TRUSTED
    later = evaluate(ask(bundler.institution.seal, t_now=NOW + 3 * DAY), found.snapshot())
    assert (later.outcome, later.list.state) == (Outcome.INDETERMINATE, Freshness.EXPIRED)


def test_a_list_does_not_get_younger_by_being_carried(bundler: Bundler) -> None:
    lists = tuple(replace(one, checked_at=NOW - 2 * DAY) for one in bundler.lists(issued=NOW - 3 * DAY))
    found = opened(bundler, bundler.bundle(lists=lists))
    assert evaluate(ask(bundler.institution.seal, t_now=NOW), found.snapshot()).list.age_seconds == 2 * 24 * 3600


def test_a_list_is_not_confirmed_after_the_bundle_was_made(bundler: Bundler) -> None:
    lists = tuple(replace(one, checked_at=NOW + DAY) for one in bundler.lists())
    found = opened(bundler, bundler.bundle(lists=lists))
    assert found.snapshot().lists["pub-eaa"].checked_at == NOW


def test_what_is_missing_cannot_be_determined(bundler: Bundler) -> None:
    found = opened(bundler, bundler.bundle(lists=bundler.lists()[1:], statuses=()))
    assert found.notes == ("list pub-eaa is not in the bundle: nothing on it can be determined",)
    assert evaluate(ask(bundler.institution.seal, t_now=NOW + DAY), found.snapshot()).outcome is Outcome.INDETERMINATE


# The seal of the bundle


def test_the_maker_is_pinned(bundler: Bundler) -> None:
    assert refused(bundler, bundler.bundle(signer=maker())) == "bundle_signer_unpinned"
    assert refused(bundler, bundler.bundle(), pinned=frozenset()) == "bundle_signer_unpinned"


def test_the_makers_certificate_is_in_its_time(bundler: Bundler) -> None:
    short = maker(not_after=NOW + 2 * DAY)
    bundle = bundler.bundle(signer=short)
    pins = frozenset({sha256(short.chain[0])})
    assert opened(bundler, bundle, pinned=pins).contents.sequence == 10
    assert refused(bundler, bundle, pinned=pins, now=NOW + 2 * DAY + SECOND) == "bundle_signer_expired"
    early = maker(not_before=NOW + 2 * DAY)
    assert refused(bundler, bundler.bundle(signer=early), pinned=frozenset({sha256(early.chain[0])})) == "bundle_signer_expired"


def test_the_makers_certificate_is_for_signing(bundler: Bundler) -> None:
    wrong = maker(usages=("key_agreement",))
    assert refused(bundler, bundler.bundle(signer=wrong), pinned=frozenset({sha256(wrong.chain[0])})) == "cert_key_usage"


def test_an_altered_payload_is_seen(bundler: Bundler) -> None:
    head, payload, signature = bundler.bundle().decode().split(".")
    changed = payload[:40] + ("A" if payload[40] != "A" else "B") + payload[41:]
    assert refused(bundler, f"{head}.{changed}.{signature}".encode()) == "signature"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"typ": "JOSE"}, "jws_typ"),
        ({"typ": None}, "jws_typ"),
        ({"crit": ["b64"], "b64": False}, "jws_crit"),
        ({"x5c": None}, "x5c_missing"),
    ],
    ids=["a-list", "no-type", "critical", "no-certificate"],
)
def test_the_header_says_what_it_is(bundler: Bundler, header: dict[str, Any], code: str) -> None:
    assert refused(bundler, bundler.changed(lambda _: None, header=header)) == code


def test_not_ascii_is_no_bundle(bundler: Bundler) -> None:
    assert refused(bundler, "é".encode()) == "jws"


# Its form


def _twice(name: str) -> Any:
    return lambda document: document[name].append(document[name][0])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(v=2), "bundle"),
        (lambda d: d.update(more=1), "bundle"),
        (lambda d: d.pop("root"), "bundle"),
        (lambda d: d.update(lists=[]), "bundle"),
        (lambda d: d.update(seq=0), "bundle"),
        (lambda d: d.update(created="2026-11-24T12:00:00+01:00"), "bundle"),
        (lambda d: d["lists"][0].update(jws="é"), "bundle"),
        (lambda d: d["statusLists"][1].update(token="no base64!"), "bundle"),
        (lambda d: d["statusLists"][0].update(token="a.b"), "jws"),
        (_twice("lists"), "bundle"),
        (_twice("statusLists"), "bundle"),
        (lambda d: d.update(root="{}"), "trust_root"),
    ],
    ids=[
        "version", "more", "no-root", "no-lists", "no-number", "time", "list-text", "base64", "token", "list-twice",
        "status-twice", "root",
    ],
)  # fmt: skip
def test_the_form_is_exact(bundler: Bundler, change: Any, code: str) -> None:
    assert refused(bundler, bundler.changed(change)) == code


def test_two_revocation_lists_at_one_address_are_refused(bundler: Bundler) -> None:
    one = _crl_of(root("Seal authority (test)"))
    assert refused(bundler, bundler.bundle(crls=(one, one))) == "bundle"


# Its times and its number


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"created": NOW + DAY + timedelta(minutes=6), "not_after": NOW + 3 * DAY}, "bundle_from_future"),
        ({"not_after": NOW}, "bundle_life"),
        ({"not_after": NOW + 31 * DAY + SECOND}, "bundle_life"),
    ],
    ids=["future", "over-before-it-begins", "for-ever"],
)
def test_its_times_are_bounded(bundler: Bundler, changes: dict[str, Any], code: str) -> None:
    assert refused(bundler, bundler.bundle(**changes)) == code


def test_the_longest_life_is_taken(bundler: Bundler) -> None:
    assert opened(bundler, bundler.bundle(not_after=NOW + 31 * DAY)).state(NOW + 31 * DAY) is Freshness.AGEING


@pytest.mark.parametrize(
    ("floor", "code"),
    [
        ({"sequence": 11}, "bundle_rollback"),
        ({"created": NOW + SECOND}, "bundle_rollback"),
        ({"sequence": 10}, "bundle_conflict"),
        ({}, None),
    ],
    ids=["older", "older-by-time", "same-number-other-octets", "newer"],
)
def test_no_older_bundle_replaces_a_newer_one(bundler: Bundler, floor: dict[str, Any], code: str | None) -> None:
    held = replace(Floor(sequence=9, created=NOW, digest=b"other"), **floor)
    if code is None:
        assert opened(bundler, floor=held).contents.sequence == 10
    else:
        assert refused(bundler, bundler.bundle(), floor=held) == code


def test_the_same_bundle_may_come_again(bundler: Bundler) -> None:
    bundle = bundler.bundle()
    first = opened(bundler, bundle)
    assert opened(bundler, bundle, floor=first.floor).digest == first.digest


# The trust root


def test_a_root_does_not_come_from_the_bundle(bundler: Bundler) -> None:
    other = bundler.operator.root(pub_eaa=bundler.operator.new_signer())
    assert refused(bundler, bundler.bundle(root=other)) == "bundle_root_conflict"
    assert refused(bundler, bundler.bundle(root=bundler.operator.root(version=2))) == "bundle_root_unproven"


def test_a_newer_root_counts_when_ours_leads_to_it(bundler: Bundler) -> None:
    first, second, chain = successors(bundler)
    bundle = bundler.bundle(root=second, root_chain=chain)
    found = opened(bundler, bundle, root=first)
    assert (found.root, found.notes) == (second, ())
    assert opened(bundler, bundle, root=second).root == second, "what is known already is passed over"
    assert refused(bundler, bundler.bundle(root=second), root=first) == "bundle_root_unproven"


def test_a_newer_root_signed_by_strangers_does_not_count(bundler: Bundler) -> None:
    first, _, _ = successors(bundler)
    _, second, chain = successors(bundler)
    assert refused(bundler, bundler.bundle(root=second, root_chain=chain), root=first) == "root_threshold"


def test_the_root_carried_is_the_one_the_chain_leads_to(bundler: Bundler) -> None:
    first, second, chain = successors(bundler)
    other = replace(second, expires=second.expires + DAY)
    assert refused(bundler, bundler.bundle(root=other, root_chain=chain), root=first) == "bundle_root_conflict"


def test_our_own_root_stays_when_it_is_the_newer_one(bundler: Bundler) -> None:
    newer = bundler.operator.root(version=3)
    found = opened(bundler, root=newer)
    assert (found.root, found.notes) == (newer, ("the bundle was made with trust root version 1; version 3 is used",))


# What is inside is verified again: whoever has the maker's key adds nothing


def _swap(bundler: Bundler, sealed: bytes) -> bytes:
    lists = bundler.lists()
    return bundler.bundle(lists=(CarriedList(id="pub-eaa", jws=sealed, checked_at=NOW), *lists[1:]))


def test_a_list_by_another_signer_is_refused(bundler: Bundler, cnam: Institution) -> None:
    sealed = bundler.operator.seal(bundler.operator.lote(cnam.draft()), signer=bundler.signer)
    assert refused(bundler, _swap(bundler, sealed)) == "list_signer_unpinned"


def test_an_altered_list_is_refused(bundler: Bundler, cnam: Institution) -> None:
    head, _, signature = bundler.lists()[0].jws.split(b".")
    payload = bundler.operator.seal(bundler.operator.lote(cnam.draft(), sequence=5)).split(b".")[1]
    assert refused(bundler, _swap(bundler, b".".join((head, payload, signature)))) == "signature"


def test_a_list_of_another_type_is_refused(bundler: Bundler) -> None:
    assert refused(bundler, _swap(bundler, bundler.lists()[1].jws)) in ("list_type", "list_signer_unpinned")


def test_a_list_the_root_does_not_name_is_refused(bundler: Bundler) -> None:
    lists = bundler.lists()
    assert refused(bundler, bundler.bundle(lists=(replace(lists[0], id="other"),))) == "list_not_in_root"


def test_a_list_from_the_future_or_below_the_floor_is_refused(bundler: Bundler) -> None:
    future = bundler.lists(issued=NOW + DAY + timedelta(minutes=6))
    assert refused(bundler, bundler.bundle(lists=future)) in ("issued_in_future", "signed_in_future")
    early_seal = bundler.operator.seal_bytes(model.render(bundler.operator.lote(issued=NOW + DAY + timedelta(minutes=6))))
    assert refused(bundler, _swap(bundler, early_seal)) == "issued_in_future"
    high = bundler.operator.root(min_sequence=6)
    assert refused(bundler, bundler.bundle(root=high), root=high) == "sequence_rollback"


def _status(token: bytes, uri: str = STATUS_URI) -> tuple[CarriedStatus, ...]:
    return (CarriedStatus(uri=uri, kind="jwt", token=token, fetched_at=NOW),)


def test_an_altered_status_token_is_refused(bundler: Bundler) -> None:
    head, _, signature = status_token(bundler.institution.status).split(b".")
    payload = status_token(bundler.institution.status, revoked=()).split(b".")[1]
    assert refused(bundler, bundler.bundle(statuses=_status(b".".join((head, payload, signature))))) == "signature"


def test_a_status_token_of_another_address_is_refused(bundler: Bundler) -> None:
    token = status_token(bundler.institution.status)
    assert refused(bundler, bundler.bundle(statuses=_status(token, "https://status.urssaf.test/2"))) == "status_sub"


def test_a_status_token_of_a_stranger_is_left_out(bundler: Bundler, cnam: Institution) -> None:
    found = opened(bundler, bundler.bundle(statuses=_status(status_token(cnam.status))))
    assert found.statuses == ()
    assert found.notes == (f"the status list {STATUS_URI} is left out: no status service on a list of the bundle signed it",)


def test_a_status_service_on_the_list_speaks_for_its_time_only(bundler: Bundler) -> None:
    """The service is on the list, but was not yet when the token was signed."""
    token = status_token(bundler.institution.status, iat=NOW - timedelta(hours=1))
    assert opened(bundler, bundler.bundle(statuses=_status(token))).statuses == ()


def test_the_seal_of_an_issuer_signs_no_statuses(bundler: Bundler) -> None:
    assert opened(bundler, bundler.bundle(statuses=_status(status_token(bundler.institution.seal)))).statuses == ()


def test_an_expired_status_token_is_left_out_and_said(bundler: Bundler) -> None:
    token = status_token(bundler.institution.status, exp=NOW + timedelta(hours=1))
    found = opened(bundler, bundler.bundle(statuses=_status(token)))
    assert (found.statuses, "has expired" in found.notes[0]) == ((), True)


class NoNetwork:
    def get(self, url: str, **_: object) -> Any:
        raise Unreachable("unreachable", "there is no network")


def test_statuses_are_read_without_a_network(bundler: Bundler) -> None:
    memory = ShortMemory()
    opened(bundler).remember_statuses(memory)
    lists = StatusLists(NoNetwork(), memory, min_ttl=SECOND)
    for kind in ("jwt", "cwt"):
        answers = [
            lists.look_up(StatusReference(uri=STATUS_URI, idx=idx), kind, trusted=lambda _: True, now=NOW + DAY) for idx in (7, 8)
        ]
        assert [answer.value for answer in answers] == [StatusValue.INVALID, StatusValue.VALID]
        assert answers[0].because == "status_from_cache"


def _crl_of(authority: Any, **changes: Any) -> CarriedCrl:
    told = {"number": 1, "this_update": NOW, "next_update": NOW + 5 * DAY, **changes}
    made = crl.build(authority.certificate, authority.key, **told)
    return CarriedCrl(
        uri="http://ca.test/1.crl", crl=made, issuer=der(authority.certificate), issuer_uri="http://ca.test/ca.cer", fetched_at=NOW
    )


def test_a_revocation_list_is_verified_again(bundler: Bundler) -> None:
    authority = root("Seal authority (test)")
    assert opened(bundler, bundler.bundle(crls=(_crl_of(authority),))).crls[0].uri == "http://ca.test/1.crl"
    stranger = replace(_crl_of(authority), issuer=der(root("Seal authority (test)").certificate))
    assert refused(bundler, bundler.bundle(crls=(stranger,))) == "crl_signature"
    over = opened(bundler, bundler.bundle(crls=(_crl_of(authority, next_update=NOW + timedelta(hours=1)),)))
    assert (over.crls, "has expired" in over.notes[0]) == ((), True)


# Schemes and reports


def test_a_maker_with_another_catalogue_is_noticed_and_widens_nothing(bundler: Bundler) -> None:
    schemes = (
        Scheme(type="pda2", formats=(), labels=()),
        Scheme(type="pda1", formats=(("dc+sd-jwt", "urn:test:other"),), labels=(("en", "PD A1"),)),
    )
    found = opened(bundler, bundler.bundle(schemes=schemes))
    assert found.notes == (
        "the bundle speaks of documents of type pda2, which this program does not know",
        "the bundle names forms of pda1 that this program does not know",
    )


def test_the_report_says_how_old_everything_is(bundler: Bundler) -> None:
    told = report(opened(bundler), NOW + 2 * DAY)
    assert (told["state"], told["age"], told["seq"], told["maker"]["name"]) == ("AGEING", 2 * 86400, 10, "Inspectorate (test)")
    assert told["lists"][0] | {"next_update": None} == {
        "id": "pub-eaa", "seq": 5, "next_update": None, "age": 2 * 86400, "state": "AGEING",
    }  # fmt: skip
    assert [one["age"] for one in told["status_lists"]] == [2 * 86400] * 2
    assert "stale" in lines(told)[0]
    assert json.dumps(told)
