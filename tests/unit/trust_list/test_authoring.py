"""The operator's side: what is published is in order, numbered once, and never changes (Annex H; SECURITY O-9, O-15)."""

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import NOW, Authority
from tests.support.trust import EHIC, PDA1, Institution, subject
from trust_list import authoring, model
from trust_list.accept import accept
from trust_list.authoring import EntityDraft, ServiceDraft
from trust_list.model import LoTE
from trust_list.profiles import DEFAULT_LISTS, profile
from trust_list.root import TrustRoot
from trust_list.store import Edition, Publisher, directory
from vc.errors import Refused
from vc.x509.certificate import ski

DAY = timedelta(days=1)
URL = "http://localhost:8003"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    authoring.init(tmp_path, base_url=URL + "/", now=NOW)
    return tmp_path


def latest(home: Path, list_id: str = "pub-eaa") -> LoTE:
    edition = Publisher(home).latest(list_id)
    assert edition is not None
    return edition.lote


def refused(call: Any, *args: Any, **how: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **how)
    return caught.value.code


def starts(lote: LoTE) -> list[Any]:
    return [s.ServiceInformation.StatusStartingTime for entity in lote.entities for s in entity.TrustedEntityServices]


def test_init_makes_a_test_operator(home: Path) -> None:
    assert stat.S_IMODE((home / "operator.key.pem").stat().st_mode) == 0o600
    publisher = Publisher(home)
    assert publisher.list_ids() == ("pid", "pub-eaa", "wallet")
    assert publisher.config()["base_url"] == URL
    assert all(publisher.latest(list_id) is None for list_id in DEFAULT_LISTS)
    assert "(test)" in publisher.draft("pid").scheme.SchemeOperatorName[0].value
    assert refused(authoring.init, home, base_url=URL, now=NOW) == "already_initialised"


def test_everything_published_is_accepted(home: Path, urssaf: Institution, cnam: Institution, authority: Authority) -> None:
    provider = authority.leaf(subject=subject("Provider (test)", "FR", "NTRFR-9"))
    service = ServiceDraft(role="issuance", certificates=provider.chain, unique_identifier="urn:example:wallet:1")
    draft = EntityDraft(name="Provider (test)", country="FR", registration_id="NTRFR-9", services=(service,))
    authoring.add_entities(home, "pub-eaa", (urssaf.draft(), cnam.draft()), now=NOW)
    for list_id in ("pid", "wallet"):
        authoring.add_entities(home, list_id, (draft,), now=NOW)
    for list_id in DEFAULT_LISTS:
        authoring.publish(home, list_id, now=NOW)
    root = authoring.write_trust_root(home, home / "root.json", now=NOW)
    assert TrustRoot.load((home / "root.json").read_bytes()) == root
    assert (home / "trust-root.json").read_bytes() == (home / "root.json").read_bytes()
    for list_id, number in (("pub-eaa", 2), ("pid", 1), ("wallet", 1)):
        edition = Publisher(home).latest(list_id)
        assert edition is not None
        accepted = accept(list_id, edition.jws, root=root, state=None, now=NOW)
        assert (len(accepted.lote.entities), accepted.sequence, accepted.findings, accepted.notes) == (number, 1, (), ())
        assert root.for_list(list_id).uri == f"{URL}/lists/{list_id}.jws"


def test_many_entities_are_one_edition(home: Path, urssaf: Institution, cnam: Institution) -> None:
    authoring.publish(home, "pub-eaa", now=NOW)
    edition = authoring.add_entities(home, "pub-eaa", (urssaf.draft(), cnam.draft()), now=NOW + DAY)
    assert edition is not None
    assert (edition.sequence, len(edition.lote.entities)) == (2, 2)
    assert starts(edition.lote) == [NOW + DAY] * 6


def test_changes_before_the_first_edition_are_staged(home: Path, urssaf: Institution) -> None:
    assert authoring.add_entities(home, "pub-eaa", (urssaf.draft(),), now=NOW) is None
    edition = authoring.publish(home, "pub-eaa", now=NOW + DAY, valid_for=timedelta(days=7))
    assert edition.lote.scheme.NextUpdate == NOW + 8 * DAY
    assert starts(edition.lote) == [NOW + DAY] * 3  # not back-dated before the issue that announces it


def test_stage_then_publish(home: Path, urssaf: Institution) -> None:
    authoring.publish(home, "pub-eaa", now=NOW)
    assert authoring.add_entities(home, "pub-eaa", (urssaf.draft(),), now=NOW, stage=True) is None
    assert latest(home).entities == ()
    assert authoring.publish(home, "pub-eaa", now=NOW + DAY).sequence == 2
    assert starts(latest(home)) == [NOW + DAY] * 3


def test_reissue_keeps_every_start(home: Path, urssaf: Institution) -> None:
    authoring.add_entities(home, "pub-eaa", (urssaf.draft(),), now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW + 7 * DAY)
    assert starts(latest(home)) == [NOW] * 3
    assert latest(home).scheme.ListIssueDateTime == NOW + 7 * DAY


def test_withdrawal_keeps_the_entity_with_its_history(home: Path, urssaf: Institution, cnam: Institution) -> None:
    authoring.add_entities(home, "pub-eaa", (urssaf.draft(), cnam.draft()), now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW)
    edition = authoring.withdraw(home, "pub-eaa", urssaf.registration_id, reason="merged", now=NOW + DAY)
    assert edition is not None
    rules, (gone, stays) = profile("pub-eaa"), edition.lote.entities
    for service in gone.TrustedEntityServices:
        current = service.ServiceInformation
        assert (current.ServiceStatus, current.StatusStartingTime) == (rules.withdrawn, NOW + DAY)
        assert service.ServiceHistory is not None
        past = service.ServiceHistory[0]
        assert (past.ServiceStatus, past.StatusStartingTime) == (rules.notified, NOW)
        assert past.ServiceDigitalIdentity.X509Certificates is None
        assert past.ServiceDigitalIdentity.skis == (ski(current.ServiceDigitalIdentity.certificates[0]),)
        assert {"Critical": False, "WithdrawalReason": "merged"} in (current.ServiceInformationExtensions or [])
    assert {s.ServiceInformation.ServiceStatus for s in stays.TrustedEntityServices} == {rules.notified}
    assert refused(authoring.withdraw, home, "pub-eaa", urssaf.registration_id, reason="x", now=NOW) == "already_withdrawn"


def test_withdrawal_of_one_key(home: Path, urssaf: Institution) -> None:
    authoring.add_entities(home, "pub-eaa", (urssaf.draft(),), now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW)
    key = ski(urssaf.seal.chain[0])
    authoring.withdraw(home, "pub-eaa", urssaf.registration_id, reason="key", now=NOW + DAY, key=key)
    statuses = [s.ServiceInformation.ServiceStatus for s in latest(home).entities[0].TrustedEntityServices]
    rules = profile("pub-eaa")
    assert statuses == [rules.withdrawn, rules.notified, rules.notified]
    authoring.withdraw(home, "pub-eaa", urssaf.registration_id, reason="all", now=NOW + 2 * DAY)
    assert starts(latest(home)) == [NOW + DAY, NOW + 2 * DAY, NOW + 2 * DAY]
    assert refused(authoring.withdraw, home, "pub-eaa", urssaf.registration_id, reason="x", now=NOW, key=b"no") == "key_unknown"


def test_a_list_without_status_drops_the_entity(home: Path, authority: Authority) -> None:
    first = authority.leaf(subject=subject("Provider (test)", "FR", "NTRFR-9"))
    second = authority.leaf(subject=subject("Provider (test)", "FR", "NTRFR-9"))
    services = tuple(ServiceDraft(role="issuance", certificates=signer.chain) for signer in (first, second))
    draft = EntityDraft(name="Provider (test)", country="FR", registration_id="NTRFR-9", services=services)
    authoring.add_entities(home, "pid", (draft,), now=NOW)
    authoring.publish(home, "pid", now=NOW)
    authoring.withdraw(home, "pid", "NTRFR-9", reason="key", now=NOW, key=ski(first.chain[0]))
    assert len(latest(home, "pid").entities[0].TrustedEntityServices) == 1
    authoring.withdraw(home, "pid", "NTRFR-9", reason="end", now=NOW)
    assert latest(home, "pid").TrustedEntitiesList is None


def test_refuses_what_would_break_the_list(home: Path, urssaf: Institution) -> None:
    authoring.add_entities(home, "pub-eaa", (urssaf.draft(),), now=NOW)
    before = Publisher(home).draft("pub-eaa")
    assert refused(authoring.add_entities, home, "pub-eaa", (urssaf.draft(),), now=NOW) == "entity_exists"
    nameless = EntityDraft(name="Other name", country="FR", registration_id="NTRFR-1", law="OJ:FR-X", services=urssaf.services())
    assert refused(authoring.add_entities, home, "pub-eaa", (nameless,), now=NOW) == "list_findings"
    service = ServiceDraft(role="issuance", certificates=urssaf.seal.chain[:1])
    assert refused(authoring.add_service, home, "pub-eaa", "NTRFR-404", service, now=NOW) == "entity_unknown"
    assert refused(authoring.withdraw, home, "pub-eaa", "NTRFR-404", reason="x", now=NOW) == "entity_unknown"
    assert refused(authoring.add_entities, home, "wrpac", (urssaf.draft(),), now=NOW) == "list_unknown"
    assert Publisher(home).draft("pub-eaa") == before


def test_refuses_a_directory_without_a_publisher(tmp_path: Path) -> None:
    assert refused(authoring.publish, tmp_path, "pub-eaa", now=NOW) == "not_initialised"


def test_a_number_is_never_used_twice(home: Path, urssaf: Institution) -> None:
    """A crash after writing an edition and before making it current leaves its number used."""
    first = authoring.publish(home, "pub-eaa", now=NOW)
    torn = Edition(list_id="pub-eaa", sequence=2, jws=b"torn", payload=b"torn")
    Publisher(home).add(torn)
    (home / "lists" / "pub-eaa" / "latest.json").write_text('{"sequence":1}')
    assert latest(home).scheme.LoTESequenceNumber == 1
    assert authoring.publish(home, "pub-eaa", now=NOW).sequence == 3
    with pytest.raises(FileExistsError):
        Publisher(home).add(first)


def test_editions_cannot_be_written_to(home: Path) -> None:
    authoring.publish(home, "pub-eaa", now=NOW)
    assert stat.S_IMODE((home / "lists" / "pub-eaa" / "1.jws").stat().st_mode) == 0o444


def test_issue_times_never_run_backwards(home: Path) -> None:
    authoring.publish(home, "pub-eaa", now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW - timedelta(minutes=1))
    assert latest(home).scheme.ListIssueDateTime == NOW


def test_a_draft_out_of_profile_is_not_published(home: Path) -> None:
    with pytest.raises(Refused) as caught:
        authoring.publish(home, "pub-eaa", now=NOW, valid_for=timedelta(days=200))
    assert (caught.value.code, caught.value.pointer) == ("list_findings", "/ListAndSchemeInformation/NextUpdate")
    assert Publisher(home).latest("pub-eaa") is None


def test_a_new_key_is_a_new_service(home: Path, urssaf: Institution, authority: Authority) -> None:
    authoring.add_entities(home, "pub-eaa", (urssaf.draft(),), now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW)
    fresh = authority.leaf(subject=subject(urssaf.name, "FR", urssaf.registration_id))
    service = ServiceDraft(role="issuance", certificates=fresh.chain, authorisations=(PDA1, EHIC), supply_point="https://i.example")
    authoring.add_service(home, "pub-eaa", urssaf.registration_id, service, now=NOW + DAY)
    added = latest(home).entities[0].TrustedEntityServices[-1].ServiceInformation
    assert added.StatusStartingTime == NOW + DAY
    assert added.ServiceSupplyPoints is not None
    assert added.ServiceSupplyPoints[0].uriValue == "https://i.example"


def test_the_root_starts_at_the_current_edition(home: Path) -> None:
    for _ in range(3):
        authoring.publish(home, "pub-eaa", now=NOW)
    root = authoring.trust_root(home, now=NOW, version=4)
    assert (root.version, root.for_list("pub-eaa").min_sequence, root.for_list("pid").min_sequence) == (4, 3, 1)


def test_a_demo_keeps_it_in_a_folder(tmp_path: Path) -> None:
    assert directory(tmp_path) == tmp_path
    (tmp_path / "trust-list").mkdir()
    assert directory(tmp_path) == tmp_path / "trust-list"


def test_a_draft_edited_by_hand_does_not_lose_who_was_listed(home: Path, urssaf: Institution, cnam: Institution) -> None:
    """Clause 6.3.12 with Table H.3: who stops stays listed as withdrawn."""
    authoring.add_entities(home, "pub-eaa", (urssaf.draft(), cnam.draft()), now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW)
    draft = Publisher(home).draft("pub-eaa")
    shorter = draft.model_copy(update={"TrustedEntitiesList": list(draft.entities[:1])})
    (home / "drafts" / "pub-eaa.json").write_bytes(model.render(shorter))
    with pytest.raises(Refused) as caught:
        authoring.publish(home, "pub-eaa", now=NOW + DAY)
    assert (caught.value.code, caught.value.pointer) == ("list_findings", "/TrustedEntitiesList")
    assert Publisher(home).sequences("pub-eaa") == (1,)


def test_nothing_is_built_on_an_edition_that_was_changed(home: Path) -> None:
    first = authoring.publish(home, "pub-eaa", now=NOW)
    path = home / "lists" / "pub-eaa" / "1.json"
    path.chmod(0o644)
    path.write_bytes(first.payload.replace(b"2026-11-24T12:00:00Z", b"2026-11-23T12:00:00Z"))
    assert refused(authoring.publish, home, "pub-eaa", now=NOW + DAY) == "edition_changed"
