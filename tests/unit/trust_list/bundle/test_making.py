"""Making: what can be had goes in, what cannot is said; over HTTP and by command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient
from typer.testing import CliRunner

from edge.outbound import Fetched
from tests.support.bundles import DAY, STATUS_URI, Bundler, maker, status_token
from tests.support.pki import NOW, root
from tests.support.trust import PDA1, Institution, ListOperator, institution, subject
from trust_list.accept import accept
from trust_list.authoring import ServiceDraft
from trust_list.bundle import cli
from trust_list.bundle.app import Maker, create_app
from trust_list.bundle.applied import Device
from trust_list.bundle.making import Made, make
from trust_list.bundle.opening import opening
from trust_list.cli import app as trust_list_app
from trust_list.revocation import RevocationLists, Standing
from trust_list.snapshot import Listing, TrustSnapshot, listing, snapshot
from trust_list.status_memory import ShortMemory
from vc.encoding import json
from vc.errors import Unreachable, VcError
from vc.jose import jws
from vc.x509 import crl
from vc.x509.certificate import der

CRL_URI, CA_URI, AGGREGATION = "http://ca.test/seal.crl", "http://ca.test/seal.cer", "https://issuer.test/status"
TOKEN, BASE = "operator-token-of-a-test", "https://device.test"


@dataclass
class Web:
    """Addresses with what they answer, by the media type asked for."""

    answers: dict[tuple[str, str], bytes] = field(default_factory=dict)
    gone: set[tuple[str, str]] = field(default_factory=set)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        kind = (headers or {}).get("accept", "")
        if (url, kind) not in self.answers:
            raise Unreachable("unreachable", "the address could not be reached")
        status = 410 if (url, kind) in self.gone else 200
        return Fetched(status=status, headers={"content-type": kind}, body=self.answers[url, kind], url=url)


@dataclass
class Scene:
    bundler: Bundler
    web: Web
    known: TrustSnapshot

    def make(self, **how: Any) -> Made:
        told: dict[str, Any] = {
            "root": self.bundler.root,
            "root_file": self.bundler.root.render(),
            "outbound": self.web,
            "authorities": self.web,
            "signer": self.bundler.signer,
            "now": NOW,
            "statuses": [STATUS_URI],
        }
        return make(self.known, **{**told, **how})


@pytest.fixture(scope="session")
def listed_body(operator: ListOperator) -> tuple[Institution, Any]:
    """An institution whose seal certificate names a revocation list, and its authority."""
    authority = root("Seal authority (test)")
    named = {"crl_url": CRL_URI, "ca_issuers_url": CA_URI}
    return institution(authority, "Crl-like (test)", "FR", "NTRFR-000000099", PDA1, **named), authority


@pytest.fixture
def scene(operator: ListOperator, listed_body: tuple[Institution, Any]) -> Scene:
    listed, authority = listed_body
    bundler = Bundler(operator, listed)
    listings = {
        one.id: listing(accept(one.id, one.jws, root=bundler.root, state=None, now=NOW), checked_at=NOW) for one in bundler.lists()
    }
    web = Web()
    for kind in ("jwt", "cwt"):
        web.answers[STATUS_URI, f"application/statuslist+{kind}"] = status_token(listed.status, kind=kind)
    web.answers[CRL_URI, ""] = crl.build(authority.certificate, authority.key, number=1, this_update=NOW, next_update=NOW + 5 * DAY)
    web.answers[CA_URI, ""] = der(authority.certificate)
    web.answers[AGGREGATION, "application/json"] = json.dumps({"status_lists": [STATUS_URI]})
    return Scene(bundler, web, snapshot(listings, bundler.root))


def test_everything_that_can_be_had_is_in_it(scene: Scene) -> None:
    made = scene.make()
    assert made.notes == ()
    assert (made.opened.contents.sequence, made.opened.contents.not_after) == (int(NOW.timestamp()), NOW + 7 * DAY)
    assert [one.carried.kind for one in made.opened.statuses] == ["jwt", "cwt"]
    assert [(one.uri, one.issuer_uri) for one in made.opened.crls] == [(CRL_URI, CA_URI)]


def test_revocations_are_answered_without_a_network(scene: Scene) -> None:
    lists = RevocationLists(None, ShortMemory())
    leaf = scene.bundler.institution.seal.chain[0]
    assert lists.check(leaf, (), signed_at=NOW, now=NOW).standing is Standing.UNKNOWN
    scene.make().opened.remember_revocations(lists)
    assert lists.check(leaf, (), signed_at=NOW, now=NOW + DAY).standing is Standing.GOOD
    assert lists.check(leaf, (), signed_at=NOW, now=NOW + 6 * DAY).standing is Standing.UNKNOWN


def test_an_aggregation_names_status_lists(scene: Scene) -> None:
    made = scene.make(statuses=(), aggregations=[AGGREGATION])
    assert {one.carried.uri for one in made.opened.statuses} == {STATUS_URI}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda web: web.answers.pop((STATUS_URI, "application/statuslist+cwt")), f"{STATUS_URI} as cwt"),
        (lambda web: web.answers.update({(STATUS_URI, "application/statuslist+jwt"): b"no.to.ken"}), f"{STATUS_URI} as jwt"),
        (lambda web: web.answers.update({(STATUS_URI, "application/statuslist+jwt"): "é".encode()}), f"{STATUS_URI} as jwt"),
        (lambda web: web.answers.pop((CRL_URI, "")), "a revocation list could not be had"),
        (lambda web: web.answers.pop((CA_URI, "")), "a revocation list could not be had"),
        (
            lambda web: web.answers.update({(CA_URI, ""): der(root("Other (test)").certificate)}),
            "a revocation list could not be had",
        ),
        (lambda web: web.answers.update({(AGGREGATION, "application/json"): b'{"status_lists":[1]}'}), AGGREGATION),
        (lambda web: web.answers.pop((AGGREGATION, "application/json")), AGGREGATION),
    ],
    ids=["no-cwt", "bad-jwt", "no-ascii", "no-crl", "no-issuer", "other-issuer", "bad-aggregation", "no-aggregation"],
)
def test_what_cannot_be_had_is_left_out_and_said(scene: Scene, spoil: Any, said: str) -> None:
    whole = scene.make(aggregations=[AGGREGATION])
    spoil(scene.web)
    made = scene.make(aggregations=[AGGREGATION])
    assert len(made.notes) == 1
    assert made.notes[0].startswith(said)
    assert whole.notes == ()


@pytest.mark.parametrize(
    ("address", "kind"),
    [(CRL_URI, ""), (AGGREGATION, "application/json"), (STATUS_URI, "application/statuslist+jwt")],
    ids=["crl", "aggregation", "status"],
)
def test_an_answer_that_is_none_is_left_out_and_said(scene: Scene, address: str, kind: str) -> None:
    scene.web.gone.add((address, kind))
    assert len(scene.make(aggregations=[AGGREGATION]).notes) == 1


def test_a_listed_authority_vouches_for_its_own_list(operator: ListOperator) -> None:
    """Its certificate is at hand: no address is asked for it, and none is carried."""
    authority = root("Own authority (test)", subject=subject("Own (test)", "FR", "NTRFR-000000077"))
    one = institution(authority, "Own (test)", "FR", "NTRFR-000000077", PDA1, crl_url=CRL_URI)
    services = (*one.services(), ServiceDraft(role="issuance", certificates=(authority.certificate,), authorisations=one.types))
    trusted = operator.root()
    accepted = accept("pub-eaa", operator.seal(operator.lote(one.draft(services=services))), root=trusted, state=None, now=NOW)
    made_list = crl.build(authority.certificate, authority.key, number=1, this_update=NOW, next_update=NOW + 5 * DAY)
    known = snapshot({"pub-eaa": listing(accepted, checked_at=NOW)}, trusted)
    scene = Scene(Bundler(operator, one), Web({(CRL_URI, ""): made_list}), known)
    opened = scene.make(statuses=()).opened
    assert [one.issuer_uri for one in opened.crls] == [None]
    lists = RevocationLists(None, ShortMemory())
    opened.remember_revocations(lists)
    leaf = one.seal.chain[0]
    assert lists.check(leaf, (authority.certificate,), signed_at=NOW, now=NOW).standing is Standing.GOOD


def test_a_list_that_is_over_is_not_carried(scene: Scene) -> None:
    later = scene.make(now=NOW + timedelta(hours=24))
    assert len(later.opened.lists) == 3
    with pytest.raises(VcError, match="bundle_empty"):
        scene.make(now=NOW + timedelta(hours=24, seconds=1))


def test_a_list_never_accepted_is_said(scene: Scene) -> None:
    nothing = Listing(list_id="pid", accepted=None, anchors=None, checked_at=None)
    scene.known = snapshot({**scene.known.lists, "pid": nothing}, scene.bundler.root)
    assert scene.make().notes == ("list pid: no edition that is in its time is known",)


@pytest.mark.parametrize("life", [timedelta(), timedelta(days=31, seconds=1)])
def test_a_life_is_bounded(scene: Scene, life: timedelta) -> None:
    with pytest.raises(VcError, match="bundle_life"):
        scene.make(life=life)


# Over HTTP


class Served:
    """A device's application and its clock."""

    def __init__(self, scene: Scene, folder: Path, *, with_maker: bool = True) -> None:
        self.now, self.scene = NOW, scene
        self.device = Device(folder / "device")
        self.device.provision(scene.bundler.root.render(), scene.bundler.signer.chain)
        seals = Maker(signer=scene.bundler.signer, known=lambda: scene.known, outbound=scene.web, authorities=scene.web)
        self.client = TestClient(
            create_app(self.device, token=TOKEN, base_url=BASE, clock=lambda: self.now, maker=seals if with_maker else None)
        )

    def post(self, path: str, body: bytes, token: str | None = TOKEN) -> Any:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return self.client.post(path, content=body, headers=headers)


@pytest.fixture
def served(scene: Scene, tmp_path: Path) -> Served:
    return Served(scene, tmp_path)


def test_made_verified_applied_and_handed_on(served: Served) -> None:
    made = served.post("/bundle/make", json.dumps({"statusLists": [STATUS_URI], "days": 3}))
    assert (made.status_code, made.headers["content-type"]) == (200, "application/jose")
    assert served.client.get("/bundle").json()["title"] == "bundle_never_applied"
    checked = served.post("/bundle/verify", made.content, token=None)
    assert (checked.status_code, checked.json()["state"]) == (200, "FRESH")
    assert served.client.get("/bundle").status_code == 503, "verifying changes nothing"
    assert served.post("/bundle", made.content).status_code == 200
    assert served.client.get("/bundle.jws").content == made.content
    served.now = NOW + 2 * DAY
    assert served.client.get("/bundle").json()["state"] == "AGEING"
    served.now = NOW + 4 * DAY
    over = served.client.get("/bundle")
    assert (over.status_code, over.json()["state"]) == (410, "EXPIRED")


def test_the_device_decides_by_its_bundle(served: Served) -> None:
    """Nothing applied, applied, over: only what is in force and in its time makes a decision true."""
    properties = {"format": "dc+sd-jwt", "type_id": "urn:eudi:pda1:1", "attestation_type": "pda1", "issuing_country": "FR"}
    asked = {
        "subject": {"type": "key", "id": "a"},
        "resource": {"type": "x5c", "id": "a", "key": jws.x5c(served.scene.bundler.institution.seal.chain)},
        "action": {"name": "pub-eaa-provider", "properties": properties},
    }
    outcomes, bundle = [], served.scene.make().bundle
    for later in (timedelta(), timedelta(), 8 * DAY):
        served.now = NOW + later
        address = served.client.get("/.well-known/authzen-configuration").json()["access_evaluation_endpoint"]
        told = served.client.post(address.removeprefix(BASE), json=asked).json()
        outcomes.append((told["decision"], told["context"]["outcome"]))
        served.device.apply(bundle, now=NOW)
    assert outcomes == [(False, "INDETERMINATE"), (True, "TRUSTED"), (False, "INDETERMINATE")]


@pytest.mark.parametrize("path", ["/bundle", "/bundle/make"])
@pytest.mark.parametrize("token", [None, "another-token-of-a-test"])
def test_changes_ask_for_the_operators_token(served: Served, path: str, token: str | None) -> None:
    answer = served.post(path, b"", token=token)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    basic = served.client.post(path, content=b"", headers={"authorization": f"Basic {TOKEN}"})
    assert basic.status_code == 401
    assert served.device.load(now=NOW) is None


def test_without_a_maker_nothing_is_made(scene: Scene, tmp_path: Path) -> None:
    assert Served(scene, tmp_path, with_maker=False).post("/bundle/make", b"").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "title"),
    [
        ("/bundle", b"nothing", 400, "jws"),
        ("/bundle/verify", b"a.b.c", 400, "base64url"),
        ("/bundle/make", b"[]", 400, "json_object"),
        ("/bundle/make", b'{"days":32}', 400, "order"),
        ("/nowhere", b"", 404, "not_found"),
        ("/healthz", b"", 405, "method_not_allowed"),
    ],
)
def test_refusals_say_why(served: Served, path: str, body: bytes, status: int, title: str) -> None:
    answer = served.post(path, body)
    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_strangers_bundle_is_refused_over_http(served: Served) -> None:
    answer = served.post("/bundle", served.scene.bundler.bundle(signer=maker()))
    assert (answer.status_code, answer.json()["title"]) == (422, "bundle_signer_unpinned")


# By command


@pytest.fixture
def files(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trust root, the maker's files and a bundle in a directory; the clock of the commands stands still."""
    signer = scene.bundler.signer
    (tmp_path / "root.json").write_bytes(scene.bundler.root.render())
    (tmp_path / "maker.pem").write_bytes(signer.chain[0].public_bytes(Encoding.PEM))
    (tmp_path / "maker.key").write_bytes(signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "bundle.jws").write_bytes(scene.make().bundle)
    monkeypatch.setattr(cli, "now", lambda: NOW)
    return tmp_path


def run(*words: object, exit_code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(trust_list_app, ["bundle", *map(str, words), "--json"])
    assert result.exit_code == exit_code, result.output
    return json.loads_object(result.stdout.encode())


def test_commands_from_device_to_state(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device, bundle = files / "device", files / "bundle.jws"
    known = ("--maker", files / "maker.pem", "--trust-root", files / "root.json")
    assert run("verify", bundle, *known)["state"] == "FRESH"
    assert run("apply", bundle, "--device", device, exit_code=3)["code"] == "not_initialised"
    run("device", device, *known)
    assert run("state", "--device", device, exit_code=2)["code"] == "bundle_never_applied"
    assert run("apply", bundle, "--device", device)["state"] == "FRESH"
    assert run("state", "--device", device)["seq"] == int(NOW.timestamp())
    monkeypatch.setattr(cli, "now", lambda: NOW + 8 * DAY)
    assert run("state", "--device", device, exit_code=2)["state"] == "EXPIRED"
    assert run("verify", bundle, *known, exit_code=2)["state"] == "EXPIRED"


def test_a_command_refuses_with_exit_code_one(files: Path) -> None:
    (files / "stranger.pem").write_bytes(maker().chain[0].public_bytes(Encoding.PEM))
    told = run("verify", files / "bundle.jws", "--maker", files / "stranger.pem", "--trust-root", files / "root.json", exit_code=1)
    assert told["code"] == "bundle_signer_unpinned"


def test_the_command_that_makes(scene: Scene, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_list.sources.fetched", lambda *_, **__: scene.known)
    monkeypatch.setattr(cli, "_outbound", lambda *_, **__: scene.web)
    made = ("make", "--key", files / "maker.key", "--certificate", files / "maker.pem", "--trust-root", files / "root.json")
    told = run(*made, "--out", files / "new.jws", "--status", STATUS_URI, "--days", 2)
    opened = opening((files / "new.jws").read_bytes(), pinned=scene.bundler.pinned, root=scene.bundler.root, now=NOW)
    assert (told["bytes"], opened.contents.not_after) == ((files / "new.jws").stat().st_size, NOW + 2 * DAY)
    assert run("make", "--key", files / "maker.pem", "--certificate", files / "maker.pem", "--out", files / "x", exit_code=3)


def test_a_bundle_may_be_at_an_address(scene: Scene, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = Web({("https://bundles.test/today", ""): (files / "bundle.jws").read_bytes()})
    monkeypatch.setattr(cli, "_outbound", lambda *_, **__: web)
    known = ("--maker", files / "maker.pem", "--trust-root", files / "root.json")
    assert run("verify", "https://bundles.test/today", *known)["state"] == "FRESH"
    assert run("verify", "https://bundles.test/gone", *known, exit_code=2)["code"] == "unreachable"


def test_the_command_that_serves(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device is served with an operator's token that is no guess, and with a whole maker or none."""
    served: list[Any] = []
    monkeypatch.setattr(cli, "run", lambda app, **how: served.append((app, how)))
    run("device", files / "device", "--maker", files / "maker.pem", "--trust-root", files / "root.json")
    words = ["bundle", "serve", "--device", str(files / "device"), "--token-file", str(files / "token"), "--port", "8123"]
    (files / "token").write_text("short\n")
    assert CliRunner().invoke(trust_list_app, words).exit_code == 3
    (files / "token").write_text(f"{TOKEN}\n")
    assert CliRunner().invoke(trust_list_app, [*words, "--key", str(files / "maker.key")]).exit_code == 3
    assert served == []
    whole = [*words, "--key", str(files / "maker.key"), "--certificate", str(files / "maker.pem")]
    assert CliRunner().invoke(trust_list_app, whole).exit_code == 0
    app, how = served[0]
    assert (how["host"], how["port"]) == ("127.0.0.1", 8123)
    told = TestClient(app).get("/.well-known/authzen-configuration").json()
    assert told["policy_decision_point"] == "http://127.0.0.1:8123"
    refused = TestClient(app).post("/bundle/make", content=b'{"days":0}', headers={"authorization": f"Bearer {TOKEN}"})
    assert refused.status_code == 400
