"""Issuers that may not, and people who are not the same (SECURITY J-2, M-8, V-8): the inspector is told, the wallet is not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import pki
from tests.support.verifier import Wallet, World, check_results, codes, sample, verdict
from tests.support.verifier_scene import EHIC, PDA1, PID, Attack, Scene, document_of, pid_of
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def client(scene: Scene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


# --- J-2, trust: the wallet did nothing wrong, the inspector is told


def rejected_for(scene: Scene, client: TestClient, code: str, **question: Any) -> dict[str, Any]:
    attack = Attack(scene, client, **question)
    answer = attack.send()
    assert (answer.status_code, answer.json()) == (200, {})
    found = verdict(client, attack.made)
    assert found["outcome"] == "reject"
    assert code in codes(found), (codes(found), found["checks"])
    return found


def only_pid(scene: Scene, form: str) -> None:
    scene.wallet.held = [one for one in scene.wallet.held[:2] if one.format == form]


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_look_alike_issuer_is_not_listed(scene: Scene, client: TestClient, form: str) -> None:
    """J-2, M-8: the same names under another authority's key."""
    fake = scene.world.institution("urssaf-copy", listed=False)
    genuine = scene.world.institutions["urssaf"]
    other = pki.root("Test issuing CA")
    subject = {"C": "FR", "O": genuine.name, "organizationIdentifier": genuine.registration_id, "CN": "copy"}
    fake.seal, fake.document_signer = other.leaf(subject=subject), other.leaf(subject=subject, eku=(MDOC_DOCUMENT_SIGNER,))
    only_pid(scene, form)
    scene.hold(fake, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"))

    found = rejected_for(scene, client, "issuer_not_listed", format=form)

    assert check_results(found)["issuer_signature"] == "passed"
    assert check_results(found)["status"] == "not_checked"


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_an_institution_for_cards_may_not_issue_certificates(scene: Scene, client: TestClient, form: str) -> None:
    only_pid(scene, form)
    scene.hold(scene.cnam, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"))

    rejected_for(scene, client, "issuer_out_of_scope", format=form)


def test_a_verdict_tells_the_whole_path_and_where_it_breaks(scene: Scene, client: TestClient) -> None:
    """From the certificate to the trust root, each step with its answer, and what to do at the one that fails."""
    only_pid(scene, "dc+sd-jwt")
    scene.hold(scene.cnam, PDA1["dc+sd-jwt"], document_of(sample("pda1", "pda1-01"), "pda1"))

    trust = rejected_for(scene, client, "issuer_out_of_scope")["trust"]

    assert (trust["outcome"], trust["warnings"], trust["elsewhere"]) == ("OUT_OF_SCOPE", [], [])
    ids = [node["id"] for node in trust["nodes"]]
    assert [name for name in ids if not name.startswith("intermediate")] == [
        "certificate", "entry", "list", "signer", "root", "document", "national_lists",
    ]  # fmt: skip
    broken = [(edge["question"], edge["code"], bool(edge["next"])) for edge in trust["edges"] if edge["result"] == "failed"]
    assert broken == [("scope", "type_not_authorised", True)]
    assert len(trust["snapshot"]) == 64
    assert {edge["result"] for edge in trust["pid"]["edges"]} == {"passed", "not_checked"}


def test_the_type_counts_even_where_the_entry_names_the_identifier(tmp_path: Path) -> None:
    """TRUST question C: an entry for cards that also carries the identifier of certificates allows cards only."""
    scene = Scene.__new__(Scene)
    scene.folder, scene.world = tmp_path, World(tmp_path)
    odd = scene.world.institution("odd", listed=False)
    scene.world.list_institution(odd, ("ehic",), also=("pda1",))
    scene.pids = scene.world.institution("pids", types=("pid",))
    scene.world.publish_lists()
    scene.wallet = Wallet(scene.world, [])
    scene.hold(scene.pids, PID["dc+sd-jwt"], pid_of(sample("pda1", "pda1-01")))
    scene.hold(odd, PDA1["dc+sd-jwt"], document_of(sample("pda1", "pda1-01"), "pda1"))

    with scene.world.service() as client:
        rejected_for(scene, client, "issuer_out_of_scope")


def test_a_pid_provider_may_not_issue_certificates(scene: Scene, client: TestClient) -> None:
    """Roles never share anchors: the list of PID providers says nothing about documents."""
    only_pid(scene, "dc+sd-jwt")
    scene.hold(scene.pids, PDA1["dc+sd-jwt"], document_of(sample("pda1", "pda1-01"), "pda1"))

    rejected_for(scene, client, "issuer_not_listed")


def test_a_document_provider_may_not_issue_identities(scene: Scene, client: TestClient) -> None:
    scene.wallet.held = [one for one in scene.wallet.held[2:] if one.format == "dc+sd-jwt"]
    scene.hold(scene.urssaf, PID["dc+sd-jwt"], pid_of(sample("pda1", "pda1-01")))

    rejected_for(scene, client, "pid.issuer_not_listed")


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_another_countrys_document_is_refused(scene: Scene, client: TestClient, form: str) -> None:
    only_pid(scene, form)
    scene.hold(scene.urssaf, PDA1[form], document_of(sample("pda1", "pda1-06"), "pda1"))

    found = rejected_for(scene, client, "issuer_content_mismatch", format=form, host_country="FR", on="2027-01-10")

    assert check_results(found)["trust_content"] == "failed"


@pytest.mark.parametrize("key", ["seal", "status_signer"])
def test_the_key_of_another_use_does_not_count(scene: Scene, client: TestClient, key: str) -> None:
    """Anchors of one role are none for another: the status key seals nothing, the seal key signs no mdoc."""
    form = "dc+sd-jwt" if key == "status_signer" else "mso_mdoc"
    only_pid(scene, form)
    scene.hold(scene.urssaf, PDA1[form], document_of(sample("pda1", "pda1-01"), "pda1"), signer=getattr(scene.urssaf, key))

    attack = Attack(scene, client, format=form)
    attack.send()

    assert verdict(client, attack.made)["outcome"] == "reject"


def test_a_credential_dated_before_its_certificate_is_refused(scene: Scene, client: TestClient) -> None:
    """M-5 for both formats: signed outside the life of the certificate."""
    only_pid(scene, "dc+sd-jwt")
    scene.hold(
        scene.urssaf, PDA1["dc+sd-jwt"], document_of(sample("pda1", "pda1-01"), "pda1"), issued_at=pki.NOW - timedelta(days=31)
    )

    rejected_for(scene, client, "certificate_expired")


# --- V-8: the same person


@pytest.mark.parametrize(
    ("identity", "what"),
    [
        ({"family_name": "DUPONT"}, "surname"),
        ({"given_name": "Dominique"}, "forenames"),
        ({"birth_date": "1988-04-18"}, "date of birth"),
    ],
)
def test_a_document_of_somebody_else_is_refused(scene: Scene, client: TestClient, identity: dict[str, str], what: str) -> None:
    """V-8: another person; the same name with another birth date."""
    entry = sample("pda1", "pda1-01")
    entry["identity"] |= identity
    only_pid(scene, "mso_mdoc")
    scene.hold(scene.urssaf, PDA1["mso_mdoc"], document_of(entry, "pda1"))

    found = rejected_for(scene, client, "identity_mismatch", format="mso_mdoc")

    assert check_results(found)["same_holder"] == "failed"
    detail = next(one["detail"] for one in found["checks"] if one["id"] == "same_holder")
    assert what in detail


def test_a_card_held_for_a_child_names_the_child(scene: Scene, client: TestClient) -> None:
    """DOMAIN 6.2 rule 5: the parent is the PID's person, the child stands in `subject`."""
    entry = sample("ehic", "ehic-03")
    country = entry["document_data"]["issuing_country"]
    issuer = scene.world.institution("issuer-of-the-card", country, types=("ehic",))
    scene.world.now += timedelta(seconds=5)
    for form in ("dc+sd-jwt", "mso_mdoc"):
        scene.wallet.held = []
        scene.hold(scene.pids, PID[form], pid_of(entry))
        configuration = "ehic_dc4eu-2_sd_jwt" if form == "dc+sd-jwt" else EHIC[form]
        scene.hold(issuer, configuration, document_of(entry, "ehic"), issued_at=scene.world.now, valid_from=scene.world.now)
        attack = Attack(scene, client, purpose="ehic-care", host_country="GR", on="2026-07-01", format=form)
        attack.send()
        found = verdict(client, attack.made)

        assert found["outcome"] == "accept", found["reasons"]
        assert codes(found) == ["representation"]
        assert found["document"]["subject"]["forenames"]
