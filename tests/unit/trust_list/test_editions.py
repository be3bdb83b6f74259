"""Two editions side by side: every difference is told, and each rule of succession has one pair that breaks it."""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.pki import NOW, Authority
from tests.support.trust import PDA1, Institution, ListOperator, subject
from trust_list import drafts, editions, model
from trust_list.authoring import EntityDraft, ServiceDraft
from trust_list.profiles import profile
from vc.encoding import json

H = profile("pub-eaa")
DAY = timedelta(days=1)
SERVICE = "/TrustedEntitiesList/0/TrustedEntityServices/0"
Edit = Callable[[dict[str, Any]], Any]


def next_edition(draft: model.LoTE, previous: model.LoTE) -> model.LoTE:
    sequence = previous.scheme.LoTESequenceNumber + 1
    issued = previous.scheme.ListIssueDateTime + DAY
    return drafts.next_edition(draft, previous, sequence=sequence, now=issued, next_update=issued + 30 * DAY)


def edited(lote: model.LoTE, edit: Edit) -> model.LoTE:
    document = copy.deepcopy(json.loads(model.render(lote)))
    edit(document["LoTE"])
    return model.parse(json.dumps(document))


@pytest.fixture(scope="module")
def first(operator: ListOperator, urssaf: Institution, cnam: Institution) -> model.LoTE:
    return operator.lote(urssaf.draft(), cnam.draft())


@pytest.fixture(scope="module")
def withdrawn(first: model.LoTE, urssaf: Institution) -> model.LoTE:
    """The second edition, in which the first entity is withdrawn."""
    gone = drafts.withdraw(first, H, urssaf.registration_id, reason="merged", now=NOW + DAY)
    return next_edition(gone, first)


def lines(before: model.LoTE, after: model.LoTE) -> list[tuple[str, str, str | None, str]]:
    usual = ("/LoTESequenceNumber", "/ListIssueDateTime", "/NextUpdate")
    return [(c.kind, c.what, c.entity, c.pointer) for c in editions.changes(before, after) if not c.pointer.endswith(usual)]


def test_a_list_does_not_differ_from_itself(first: model.LoTE) -> None:
    assert editions.changes(first, first) == ()


def test_a_reissue_changes_number_and_dates_only(first: model.LoTE) -> None:
    again = next_edition(first, first)
    assert [c.pointer.rsplit("/", 1)[1] for c in editions.changes(first, again)] == [
        "LoTESequenceNumber", "ListIssueDateTime", "NextUpdate",
    ]  # fmt: skip
    assert editions.changes(first, again)[0].text == "~ scheme LoTESequenceNumber: 1 -> 2"
    assert editions.succession(first, again, H) == ()


def test_entities_come_and_go(operator: ListOperator, first: model.LoTE, urssaf: Institution, cnam: Institution) -> None:
    one = operator.lote(urssaf.draft())
    assert lines(one, first) == [("added", "entity", cnam.registration_id, "/TrustedEntitiesList/1")]
    assert lines(first, one) == [("removed", "entity", cnam.registration_id, "/TrustedEntitiesList/1")]
    assert [c.text for c in editions.changes(first, one)] == [f"- entity {cnam.registration_id}: {cnam.name}"]


def test_a_status_that_changed_is_told_with_its_dates(first: model.LoTE, withdrawn: model.LoTE, urssaf: Institution) -> None:
    told = [c.text for c in editions.changes(first, withdrawn) if c.what == "status"]
    word = f"~ status {urssaf.registration_id}: notified since 2026-11-24T12:00:00Z -> withdrawn since 2026-11-25T12:00:00Z"
    assert told == [word] * 3
    assert editions.succession(first, withdrawn, H) == ()


def test_a_new_key_is_a_new_service(first: model.LoTE, urssaf: Institution, authority: Authority) -> None:
    fresh = authority.leaf(subject=subject(urssaf.name, urssaf.country, urssaf.registration_id))
    draft = ServiceDraft(role="issuance", certificates=fresh.chain[:1], authorisations=(PDA1,))
    second = next_edition(drafts.add_service(first, H, urssaf.registration_id, draft, now=NOW), first)
    place = "/TrustedEntitiesList/0/TrustedEntityServices/3"
    assert lines(first, second) == [("added", "service", urssaf.registration_id, place)]
    assert lines(second, first)[0][:2] == ("removed", "service")
    assert editions.succession(first, second, H) == ()


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("ListAndSchemeInformation", "SchemeTerritory"), "FR", ("changed", "scheme", "/ListAndSchemeInformation/SchemeTerritory")),
        (("ListAndSchemeInformation", "SchemeTerritory"), None, ("removed", "scheme", "/ListAndSchemeInformation/SchemeTerritory")),
        (
            ("ListAndSchemeInformation", "SchemeExtensions"),
            [{"Critical": False}],
            ("added", "scheme", "/ListAndSchemeInformation/SchemeExtensions"),
        ),
        (
            ("TrustedEntitiesList", 0, "TrustedEntityInformation", "TEName"),
            [{"lang": "en", "value": "Renamed"}],
            ("changed", "entity", "/TrustedEntitiesList/0/TrustedEntityInformation/TEName"),
        ),
        (
            ("TrustedEntitiesList", 0, "TrustedEntityServices", 0, "ServiceInformation", "ServiceName"),
            [{"lang": "en", "value": "Renamed"}],
            ("changed", "service", f"{SERVICE}/ServiceInformation/ServiceName"),
        ),
    ],
)
def test_each_member_that_changed_is_told(first: model.LoTE, path: tuple[Any, ...], value: Any, expected: tuple[str, ...]) -> None:
    def edit(document: dict[str, Any]) -> None:
        target: Any = document
        for step in path[:-1]:
            target = target[step]
        target.pop(path[-1], None)
        if value is not None:
            target[path[-1]] = value

    assert [(kind, what, pointer) for kind, what, _, pointer in lines(first, edited(first, edit))] == [expected]


def test_what_is_not_there_has_no_value(first: model.LoTE) -> None:
    other = edited(first, lambda d: d["ListAndSchemeInformation"].update(SchemeExtensions=[{"Critical": False}]))
    assert [(c.before, c.after) for c in editions.changes(first, other)] == [(None, '[{"Critical":false}]')]
    assert [c.text for c in editions.changes(other, first)] == ['- scheme SchemeExtensions: [{"Critical":false}]']


def test_a_long_value_is_cut(first: model.LoTE) -> None:
    other = edited(first, lambda d: d["ListAndSchemeInformation"].update(SchemeName=[{"lang": "en", "value": "EU:" + "x" * 500}]))
    assert max(len(c.after or "") for c in editions.changes(first, other)) == 160


def test_a_service_whose_certificate_cannot_be_read_is_still_compared(first: model.LoTE) -> None:
    def edit(document: dict[str, Any]) -> None:
        information = document["TrustedEntitiesList"][0]["TrustedEntityServices"][0]["ServiceInformation"]
        information["ServiceDigitalIdentity"] = {"X509Certificates": [{"val": "AAAA"}]}

    broken = edited(first, edit)
    assert lines(broken, broken) == []
    assert [row[:2] for row in lines(first, broken)] == [("added", "service"), ("removed", "service")]


# --- succession ---


def _service(lote: dict[str, Any], number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = lote["TrustedEntitiesList"][number]["TrustedEntityServices"][0]
    return found


def _start(value: str) -> Edit:
    return lambda lote: _service(lote)["ServiceInformation"].update(StatusStartingTime=value)


@pytest.mark.parametrize(
    ("edit", "code", "clause", "pointer"),
    [
        (
            lambda lote: lote["ListAndSchemeInformation"].update(LoTESequenceNumber=1),
            "sequence", "6.3.2", "/ListAndSchemeInformation/LoTESequenceNumber",
        ),
        (
            lambda lote: lote["ListAndSchemeInformation"].update(ListIssueDateTime="2026-11-24T11:59:59Z"),
            "issue_time", "6.3.14", "/ListAndSchemeInformation/ListIssueDateTime",
        ),
        (
            lambda lote: lote["ListAndSchemeInformation"].update(LoTEType=profile("pid").list_type),
            "list_type", "6.3.3", "/ListAndSchemeInformation/LoTEType",
        ),
        (lambda lote: lote["TrustedEntitiesList"].pop(1), "entity_removed", "Annex H, Table H.3", "/TrustedEntitiesList"),
        (
            lambda lote: lote["TrustedEntitiesList"][1]["TrustedEntityServices"].pop(0),
            "service_removed", "Annex H, Table H.3", "/TrustedEntitiesList/1/TrustedEntityServices",
        ),
        (
            _start("2026-11-25T11:59:59Z"),
            "back_dated", "Annex H, Table H.3", f"{SERVICE}/ServiceInformation/StatusStartingTime",
        ),
        (lambda lote: _service(lote).pop("ServiceHistory"), "history_removed", "6.7", f"{SERVICE}/ServiceHistory"),
        (
            lambda lote: _service(lote, 1)["ServiceInformation"].update(StatusStartingTime="2026-11-25T12:00:00Z"),
            "restamped", "6.6.5",
            "/TrustedEntitiesList/1/TrustedEntityServices/0/ServiceInformation/StatusStartingTime",
        ),
    ],
)  # fmt: skip
def test_each_rule_of_succession_has_a_failing_pair(
    *, first: model.LoTE, withdrawn: model.LoTE, edit: Edit, code: str, clause: str, pointer: str
) -> None:
    found = editions.succession(first, edited(withdrawn, edit), H)
    assert [(f.severity, f.code, f.clause, f.pointer) for f in found] == [("error", code, clause, pointer)]


def test_history_is_never_removed_later_either(withdrawn: model.LoTE) -> None:
    third = next_edition(withdrawn, withdrawn)
    assert editions.succession(withdrawn, third, H) == ()
    cut = edited(third, lambda lote: _service(lote).pop("ServiceHistory"))
    assert [f.code for f in editions.succession(withdrawn, cut, H)] == ["history_removed"]


def test_a_new_entity_is_not_dated_back(operator: ListOperator, urssaf: Institution, cnam: Institution) -> None:
    one = operator.lote(urssaf.draft())
    both = next_edition(drafts.add_entities(one, H, (cnam.draft(),), now=NOW), one)
    assert editions.succession(one, both, H) == ()

    def edit(lote: dict[str, Any]) -> None:
        _service(lote, 1)["ServiceInformation"]["StatusStartingTime"] = "2026-11-24T12:00:00Z"

    assert [f.code for f in editions.succession(one, edited(both, edit), H)] == ["back_dated"]


def test_a_list_without_status_lets_entities_go(operator: ListOperator, authority: Authority) -> None:
    """Annexes D to G and I: who is no longer approved is removed."""
    signer = authority.leaf(subject=subject("PID provider (test)", "FR", "NTRFR-9"))
    service = ServiceDraft(role="issuance", certificates=signer.chain[:1])
    draft = EntityDraft(name="PID provider (test)", country="FR", registration_id="NTRFR-9", services=(service,))
    before, after = operator.lote(draft, list_id="pid"), operator.lote(list_id="pid", sequence=2)
    assert editions.succession(before, after, profile("pid")) == ()
    assert [f.code for f in editions.succession(after, before, profile("pid"))] == ["sequence"]
