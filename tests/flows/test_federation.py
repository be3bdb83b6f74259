"""A document of an issuer on no trust list, in a federation the verifier knows: verdict, status, drawing, settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.federation import ANCHOR, MIDDLE, PREFIX, PretendFederation
from tests.support.verifier import Institution, World, codes, verdict
from tests.support.verifier_scene import Attack, Scene
from trust_list.client import TrustClient
from trust_list.federation.source import FederationSource
from trust_list.pages.drawing import drawing
from vc.keys import jwk
from verifier import service
from verifier.settings import SettingsError
from verifier.trust import ListTrust

ISSUER = "https://issuer.test/urssaf"


class FederatedWorld(World):
    """Its issuer of A1 documents is on no list; the federation names its seal key and its key for status lists."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.federation = PretendFederation()

    def institution(self, id: str, *args: Any, **changes: Any) -> Institution:
        made = super().institution(id, *args, **{**changes, "listed": id != "urssaf"})
        if id == "urssaf":
            member = self.federation.add(ISSUER, MIDDLE)
            keys = {"seal": made.seal, "status": made.status_signer}
            named = {"keys": [jwk.from_public(one.public_key, kid=kid) for kid, one in keys.items()]}
            member.metadata = {"openid_credential_issuer": {"jwks": named}, "federation_entity": {"organization_name": made.name}}
            self.federation.anchor.about["trust_mark_issuers"] = {f"{PREFIX}/fr": [ANCHOR]}
            member.about["trust_marks"] = [self.federation.mark(sub=ISSUER, trust_mark_type=f"{PREFIX}/fr")]
        return made

    def trust(self, state: str = "trust") -> ListTrust:
        client = TrustClient(self.folder / "trust-root.json", self.folder / state, self.outbound(), self.clock, 2)
        client.refresh(force=True)
        self.known = client.snapshot
        other = FederationSource(self.federation.settings(), self.federation.outbound())
        return ListTrust(client.snapshot, clock=self.clock, other=other)


class FederatedScene(Scene):
    def make_world(self, folder: Path) -> World:
        self.federated = FederatedWorld(folder)
        return self.federated


@pytest.fixture
def scene(tmp_path: Path) -> FederatedScene:
    return FederatedScene(tmp_path)


@pytest.fixture
def client(scene: FederatedScene) -> Iterator[TestClient]:
    with scene.world.service() as client:
        yield client


def judged(scene: FederatedScene, client: TestClient) -> dict[str, Any]:
    attack = Attack(scene, client, format="dc+sd-jwt")
    assert attack.send().status_code == 200
    return verdict(client, attack.made)


def test_a_member_with_its_mark_and_its_own_status_list_is_accepted(scene: FederatedScene, client: TestClient) -> None:
    found = judged(scene, client)
    assert (found["outcome"], codes(found)) == ("accept", [])
    assert found["trust"]["federation"]["path"] == [ISSUER, MIDDLE, ANCHOR]
    assert drawing(found["trust"]).state == "passed"


def test_without_the_mark_it_is_refused(scene: FederatedScene, client: TestClient) -> None:
    scene.federated.federation.entities[ISSUER].about["trust_marks"] = []
    found = judged(scene, client)
    assert (found["outcome"], codes(found)) == ("reject", ["issuer_out_of_scope"])


def test_a_status_list_of_another_key_is_not_believed(scene: FederatedScene, client: TestClient) -> None:
    keys = scene.federated.federation.entities[ISSUER].metadata["openid_credential_issuer"]["jwks"]["keys"]
    del keys[1]
    assert judged(scene, client)["outcome"] != "accept"


def test_the_settings_say_whether_a_federation_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world, pretend, given = World(tmp_path), PretendFederation(), list[Any]()
    world.publish_lists()
    monkeypatch.setattr(service, "create_app", lambda *_, **__: None)

    def lists(*args: Any, other: Any, **named: Any) -> ListTrust:
        given.append(other)
        return ListTrust(*args, **named)

    monkeypatch.setattr(service, "ListTrust", lists)
    trust = {"root": "trust-root.json", "state": "trust", "refresh_seconds": 2}
    anchors = [{"id": ANCHOR, "jwks": pretend.anchor.jwks}]
    asked = {**trust, "federation": {"anchors": anchors, "trust_marks": {"pda1": PREFIX}}}
    for value in (trust, asked):
        service.build(world.settings(trust=value), clock=world.clock, random_bytes=bytes)
    assert [type(one) for one in given] == [type(None), FederationSource]
    bad = [
        {"anchors": [], "trust_marks": {"pda1": PREFIX}},
        {"anchors": anchors * 2, "trust_marks": {"pda1": PREFIX}},
        {"anchors": [{"id": "http://anchor.test", "jwks": pretend.anchor.jwks}], "trust_marks": {"pda1": PREFIX}},
        {"anchors": [{"id": ANCHOR, "jwks": {"keys": []}}], "trust_marks": {"pda1": PREFIX}},
        {"anchors": anchors, "trust_marks": {"pid": PREFIX}},
        {"anchors": anchors, "trust_marks": {}},
    ]
    for one in bad:
        with pytest.raises(SettingsError):
            world.settings(trust={**trust, "federation": one})
