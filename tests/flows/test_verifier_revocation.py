"""Certificates of issuers that their authority revoked: the inspector is told; what cannot be found out is never concluded from."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.support.verifier import World, check_results, codes, verdict
from tests.support.verifier_scene import Attack, Scene
from trust_list.client import TrustClient
from trust_list.revocation import RevocationLists
from trust_list.status_memory import ShortMemory
from trust_list.store import Publisher
from vc.x509 import crl
from vc.x509.certificate import der
from vc.x509.crl import Reason, Revocation
from verifier.revocation import RevocableTrust
from verifier.sources import TrustSource
from verifier.trust import ListTrust

HOST = "ca.test"


class RevocableWorld(World):
    """Every certificate names a list of its authority; the authority answers at `ca.test`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._life |= {"crl_url": f"http://{HOST}/list.crl", "ca_issuers_url": f"http://{HOST}/ca.cer"}
        self.revoked: list[Revocation] = []
        self.reply[HOST] = self._authority

    def judge(self, lists: ListTrust) -> TrustSource:
        client = TrustClient(self.folder / "trust-root.json", self.folder / "revocable", self.outbound(), self.clock, 2)
        client.refresh(force=True)
        return RevocableTrust(lists, RevocationLists(self.outbound(), ShortMemory()), client.snapshot)

    def _authority(self, asked: httpx2.Request) -> httpx2.Response:
        if asked.url.path == "/ca.cer":
            return httpx2.Response(200, content=der(self.authority.certificate))
        week = timedelta(days=7)
        built = crl.build(
            self.authority.certificate, self.authority.key,
            number=1, this_update=self.now, next_update=self.now + week, revoked=self.revoked,
        )  # fmt: skip
        return httpx2.Response(200, content=built)


class RevocableScene(Scene):
    def make_world(self, folder: Path) -> World:
        self.revocable = RevocableWorld(folder)
        return self.revocable

    def revoke(self, institution: str, form: str, reason: Reason, *, days_ago: int) -> None:
        leaf = self.world.institutions[institution].signer(form).chain[0]
        since = self.world.now - timedelta(days=days_ago)
        self.revocable.revoked.append(Revocation(serial=leaf.serial_number, since=since, reason=reason))

    def fetched(self, path: str) -> int:
        return sum(path in url for url in self.world.asked)


@pytest.fixture
def scene(tmp_path: Path) -> RevocableScene:
    return RevocableScene(tmp_path)


@pytest.fixture
def client(scene: RevocableScene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


def judged(scene: Scene, client: TestClient, form: str) -> dict[str, object]:
    attack = Attack(scene, client, format=form)
    assert attack.send().status_code == 200
    found: dict[str, object] = verdict(client, attack.made)
    return found


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
def test_a_certificate_that_is_not_named_is_accepted_and_its_list_asked_for_once(
    scene: RevocableScene, client: TestClient, form: str
) -> None:
    found = judged(scene, client, form)
    assert found["outcome"] == "accept"
    assert "not revoked" in next(c["detail"] for c in found["checks"] if c["id"] == "certificate_path")  # type: ignore[attr-defined]
    assert (scene.fetched("list.crl"), scene.fetched("ca.cer")) == (1, 1)


@pytest.mark.parametrize("form", ["dc+sd-jwt", "mso_mdoc"])
@pytest.mark.parametrize("reason", [Reason.KEY_COMPROMISE, Reason.UNSPECIFIED])
def test_a_key_in_doubt_proves_nothing_whenever_it_signed(
    scene: RevocableScene, client: TestClient, form: str, reason: Reason
) -> None:
    scene.revoke("urssaf", form, reason, days_ago=1)
    found = judged(scene, client, form)
    assert (found["outcome"], codes(found)) == ("reject", ["certificate_revoked"])
    assert check_results(found)["certificate_path"] == "failed"
    assert check_results(found)["status"] == "not_checked"
    assert scene.fetched("/urssaf") == 0


def test_what_a_superseded_certificate_signed_before_stands(scene: RevocableScene, client: TestClient) -> None:
    scene.revoke("urssaf", "dc+sd-jwt", Reason.SUPERSEDED, days_ago=1)
    assert judged(scene, client, "dc+sd-jwt")["outcome"] == "accept"


def test_what_a_superseded_certificate_signed_after_does_not(scene: RevocableScene, client: TestClient) -> None:
    scene.revoke("urssaf", "dc+sd-jwt", Reason.SUPERSEDED, days_ago=20)
    assert judged(scene, client, "dc+sd-jwt")["outcome"] == "reject"


def test_the_certificate_of_the_proof_of_identity_counts_too(scene: RevocableScene, client: TestClient) -> None:
    scene.revoke("pids", "mso_mdoc", Reason.KEY_COMPROMISE, days_ago=1)
    found = judged(scene, client, "mso_mdoc")
    assert (found["outcome"], codes(found)) == ("reject", ["pid.certificate_revoked"])


@pytest.mark.parametrize("answer", [httpx2.Response(503), httpx2.Response(200, content=b"no list")])
def test_without_a_list_nothing_is_concluded(scene: RevocableScene, client: TestClient, answer: httpx2.Response) -> None:
    scene.world.reply[HOST] = lambda _: answer
    found = judged(scene, client, "dc+sd-jwt")
    assert found["outcome"] == "undetermined"
    assert "certificate_status_unknown" in codes(found)
    assert check_results(found)["certificate_path"] == "not_checked"
    assert scene.fetched("/urssaf") == 0


def test_an_untrusted_issuer_decides_no_address_that_is_asked(scene: RevocableScene, client: TestClient) -> None:
    """Nothing is fetched for a signer nobody listed: it could name any address."""
    scene.world.withdraw(scene.urssaf)
    scene.world.withdraw(scene.pids, "pid")
    assert Publisher(scene.world.lists).latest("pub-eaa") is not None
    attack = Attack(scene, client, format="dc+sd-jwt")
    scene.world.now += timedelta(seconds=5)
    attack.send()
    assert verdict(client, attack.made)["outcome"] == "reject"
    assert scene.fetched(HOST) == 0
