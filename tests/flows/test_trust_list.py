"""From an operator's command to a verifier's decision, over the real HTTP door and client, in one process (TRUST 7.2 rule 10)."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from edge.outbound import FetchLimits, Outbound
from tests.support.pki import NOW, new_key, root
from tests.support.trust import EHIC, PDA1, Institution, institution, subject
from trust_list import authoring, root_authoring, root_chain
from trust_list.app import create_app
from trust_list.authoring import ServiceDraft
from trust_list.client import TrustClient
from trust_list.decide import Outcome, TrustDecision, TrustQuery, evaluate
from trust_list.snapshot import Freshness
from vc.keys.signer import LocalSigner
from vc.x509.certificate import ski

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
HOST = "https://lists.test"


class PretendInternet(httpx2.BaseTransport):
    """Hands every request to the publisher's application; `down` cuts the line."""

    def __init__(self, client: TestClient) -> None:
        self.client, self.down = client, False
        self.statuses: list[int] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.down:
            raise httpx2.ConnectError("the line is cut")
        answer = self.client.request(request.method, request.url.path, headers=dict(request.headers))
        self.statuses.append(answer.status_code)
        return httpx2.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


class Scene:
    """A publisher's directory with its application, and a verifier that knows only the trust root."""

    def __init__(self, folder: Path, *institutions: Institution) -> None:
        self.now = NOW
        self.home = folder / "trust-list"
        self.home.mkdir()
        authoring.init(self.home, base_url=HOST, now=self.now)
        authoring.add_entities(self.home, "pub-eaa", [item.draft() for item in institutions], now=self.now)
        for list_id in ("pub-eaa", "pid", "wallet"):
            authoring.publish(self.home, list_id, now=self.now)
        authoring.write_trust_root(self.home, folder / "trust-root.json", now=self.now)
        self.internet = PretendInternet(TestClient(create_app(folder), base_url=HOST))
        outbound = Outbound(FetchLimits(), transport=self.internet)
        self.verifier = TrustClient(folder / "trust-root.json", folder / "verifier", outbound, self.clock, 2)

    def clock(self) -> datetime:
        return self.now

    def wait(self, pause: timedelta) -> None:
        self.now += pause

    def judge(self, signer: LocalSigner, *, issued: datetime | None = None, **changes: Any) -> TrustDecision:
        members: dict[str, Any] = {
            "list_id": "pub-eaa",
            "role": "issuance",
            "format": "dc+sd-jwt",
            "type_id": "urn:eudi:pda1:1",
            "attestation_type": "pda1",
            "chain": signer.chain,
            "issuing_country": "FR",
            "t_issue": issued or self.now,
            "t_now": self.now,
        }
        return evaluate(TrustQuery(**{**members, **changes}), self.verifier.snapshot())


AUTHORITY = root("Flow seal CA")


@pytest.fixture(scope="module")
def urssaf() -> Institution:
    return institution(AUTHORITY, "Urssaf-like (test)", "FR", "NTRFR-000000010", PDA1)


@pytest.fixture(scope="module")
def cnam() -> Institution:
    return institution(AUTHORITY, "CNAM-like (test)", "FR", "NTRFR-000000020", EHIC)


@pytest.fixture
def scene(tmp_path: Path, urssaf: Institution, cnam: Institution) -> Scene:
    return Scene(tmp_path, urssaf, cnam)


def test_published_fetched_and_believed(scene: Scene, urssaf: Institution, cnam: Institution) -> None:
    assert scene.judge(urssaf.seal).outcome is Outcome.TRUSTED
    assert scene.judge(cnam.seal).outcome is Outcome.OUT_OF_SCOPE
    status = scene.judge(urssaf.status, role="revocation", entity_id=urssaf.registration_id)
    assert status.outcome is Outcome.TRUSTED
    assert scene.internet.statuses == [200, 200, 200]
    scene.wait(2 * SECOND)
    scene.judge(urssaf.seal)
    assert scene.internet.statuses[3:] == [304, 304, 304]


def test_a_withdrawal_is_honoured_at_the_next_refresh(scene: Scene, urssaf: Institution, cnam: Institution) -> None:
    signed = scene.now
    assert scene.judge(urssaf.seal).outcome is Outcome.TRUSTED
    scene.wait(SECOND)
    authoring.withdraw(scene.home, "pub-eaa", urssaf.registration_id, reason="merged", now=scene.now)
    scene.wait(SECOND)
    decision = scene.judge(urssaf.seal, issued=signed)
    assert (decision.outcome, decision.list.sequence) == (Outcome.WITHDRAWN, 2)
    assert scene.judge(cnam.seal, attestation_type="ehic", type_id="urn:eudi:ehic:1").outcome is Outcome.TRUSTED


def test_the_list_server_goes_down_and_comes_back(scene: Scene, urssaf: Institution) -> None:
    signed = scene.now
    scene.judge(urssaf.seal)
    scene.internet.down = True
    seen = []
    for pause in (2 * SECOND, timedelta(hours=2), timedelta(hours=23)):
        scene.wait(pause)
        decision = scene.judge(urssaf.seal, issued=signed)
        seen.append((decision.outcome, decision.list.state, decision.list.outage))
    assert seen == [
        (Outcome.TRUSTED, Freshness.FRESH, "unreachable"),
        (Outcome.TRUSTED, Freshness.AGEING, "unreachable"),
        (Outcome.INDETERMINATE, Freshness.EXPIRED, "unreachable"),
    ]
    scene.internet.down = False
    scene.wait(timedelta(minutes=15))
    assert scene.judge(urssaf.seal, issued=signed).outcome is Outcome.TRUSTED


def test_a_publisher_that_stops_publishing(scene: Scene, urssaf: Institution) -> None:
    """Freeze: the server answers, but with a list that has run out."""
    signed = scene.now
    scene.judge(urssaf.seal)
    scene.wait(30 * DAY)
    decision = scene.judge(urssaf.seal, issued=signed)
    assert (decision.outcome, decision.list.state) == (Outcome.INDETERMINATE, Freshness.EXPIRED)
    authoring.publish(scene.home, "pub-eaa", now=scene.now)
    scene.wait(timedelta(minutes=15))
    assert scene.judge(urssaf.seal, issued=signed).outcome is Outcome.TRUSTED


def test_a_publisher_that_goes_back(scene: Scene, urssaf: Institution) -> None:
    authoring.withdraw(scene.home, "pub-eaa", urssaf.registration_id, reason="test", now=scene.now)
    assert scene.judge(urssaf.seal).outcome is Outcome.WITHDRAWN
    (scene.home / "lists" / "pub-eaa" / "latest.json").write_text('{"sequence":1}')
    scene.wait(2 * SECOND)
    decision = scene.judge(urssaf.seal)
    assert (decision.outcome, decision.list.sequence, decision.list.alarm) == (Outcome.WITHDRAWN, 2, "sequence_rollback")


def test_seal_key_rotation(scene: Scene, urssaf: Institution) -> None:
    signed = scene.now
    assert scene.judge(urssaf.seal).outcome is Outcome.TRUSTED
    fresh = AUTHORITY.leaf(subject=subject(urssaf.name, "FR", urssaf.registration_id))
    service = ServiceDraft(role="issuance", certificates=fresh.chain, authorisations=(PDA1,))
    scene.wait(DAY)
    authoring.add_service(scene.home, "pub-eaa", urssaf.registration_id, service, now=scene.now)
    assert scene.judge(urssaf.seal, issued=signed).outcome is Outcome.TRUSTED
    assert scene.judge(fresh).outcome is Outcome.TRUSTED
    scene.wait(DAY)
    key = ski(urssaf.seal.chain[0])
    authoring.withdraw(scene.home, "pub-eaa", urssaf.registration_id, reason="rotation", now=scene.now, key=key)
    assert scene.judge(urssaf.seal, issued=signed).outcome is Outcome.WITHDRAWN
    assert scene.judge(fresh).outcome is Outcome.TRUSTED


def test_what_an_issuer_signed_before_an_orderly_end_stands_in_historical_mode(scene: Scene, urssaf: Institution) -> None:
    signed = scene.now
    scene.judge(urssaf.seal)
    scene.wait(DAY)
    authoring.withdraw(scene.home, "pub-eaa", urssaf.registration_id, reason="merged", now=scene.now)
    scene.wait(DAY)
    assert scene.judge(urssaf.seal, issued=signed).outcome is Outcome.WITHDRAWN
    past = scene.judge(urssaf.seal, issued=signed, mode="historical")
    assert (past.outcome, past.withdrawn_at, past.list.sequence) == (Outcome.TRUSTED_AT_ISSUANCE, NOW + DAY, 2)
    after = scene.judge(urssaf.seal, issued=scene.now, mode="historical")
    assert after.outcome is Outcome.WITHDRAWN


def test_a_stolen_key_takes_everything_with_it(scene: Scene, urssaf: Institution) -> None:
    signed = scene.now
    scene.wait(DAY)
    authoring.withdraw(scene.home, "pub-eaa", urssaf.registration_id, reason="keyCompromise", now=scene.now)
    for mode in ("strict", "historical"):
        assert scene.judge(urssaf.seal, issued=signed, mode=mode).outcome is Outcome.WITHDRAWN


def test_root_rotation_over_the_publishers_door(scene: Scene, urssaf: Institution, tmp_path: Path) -> None:
    """Drill: the verifier starts from a root with keys, follows two successors, and refuses one that nobody before signed."""
    holders, heirs = tuple(LocalSigner(new_key()) for _ in range(2)), tuple(LocalSigner(new_key()) for _ in range(2))

    def next_root(keys: tuple[LocalSigner, ...], *signers: LocalSigner) -> bytes:
        made = root_authoring.draft(scene.home, [key.public_key for key in keys], threshold=2, now=scene.now)
        return root_chain.sign(made, signers)

    root_authoring.publish(scene.home, next_root(holders, *holders))
    installed = tmp_path / "installed.json"
    installed.write_bytes((scene.home / "trust-root.json").read_bytes())
    outbound = Outbound(FetchLimits(), transport=scene.internet)
    verifier = TrustClient(installed, tmp_path / "follower", outbound, scene.clock, 2)
    assert verifier.refresh().root_version == 2
    root_authoring.publish(scene.home, next_root(heirs, *holders, *heirs))
    root_authoring.publish(scene.home, next_root(heirs, *heirs))
    known = verifier.refresh(force=True)
    assert (known.root_version, known.lists["pub-eaa"].freshness(scene.now)) == (4, Freshness.FRESH)
    (scene.home / "root" / "5.jws").write_bytes(next_root(holders, *holders))
    refused = verifier.refresh(force=True)
    assert refused.root_alarm is not None
    assert (refused.root_alarm.code, refused.root_version) == ("root_threshold", 4)
    scene.internet.down = True
    assert TrustClient(installed, tmp_path / "follower", outbound, scene.clock, 2).snapshot().root_version == 4


def test_nothing_private_is_served(scene: Scene) -> None:
    client = scene.internet.client
    for path in ("/operator.key.pem", "/lists/%2e%2e%2foperator.key.pem", "/drafts/pub-eaa.json", "/.lock"):
        assert client.get(path).status_code == 404
