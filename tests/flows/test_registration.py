"""Registration certificates of verifiers, from the settings of the service to the decision of the wallet (VP-VI-1, -2, EAA-P-3)."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

import portadoc
from edge.settings import SettingsError
from tests.support import pki
from tests.support.internet import Internet
from tests.support.verifier import BASE_URL, World, sample
from tests.support.wallet import TestWallet, connect
from vc.documents import catalogue
from vc.encoding import base64url
from vc.errors import Malformed, Unreachable, VcError, VerificationFailed
from vc.jose import jws
from vc.openid4vci import registration_certificate
from vc.openid4vci.registered_use import RequestedCredential
from vc.openid4vci.registration_certificate import FORMAT, SERVICE_PROVIDER, Registration
from vc.openid4vp import link
from vc.openid4vp import request as messages
from vc.status.bits import StatusList
from vc.status.reference import StatusReference
from vc.status.token import sign_jwt
from verifier.purposes import PURPOSES
from verifier.registration import asked
from verifier.settings import Settings
from wallet_sim import cli_session
from wallet_sim.present import Presenter
from wallet_sim.verifier_trust import VerifierTrust

HOST = urlsplit(BASE_URL).netloc
IDENTIFIER = "NTRDE-TEST-1"
STATUS = StatusReference(uri="https://registrar.test/status/1", idx=3)
Changes = dict[str, Any]


class Scene:
    """A verifier with an organisation identifier, a registrar, and a wallet that holds PID and A1."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world, self.internet = folder, World(folder), Internet()
        self.registrar_ca = pki.root("Registrar CA (test)")
        self.registrar = self.registrar_ca.leaf()
        self.access = self.world.access_authority.leaf(
            subject={"C": "DE", "O": "Inspection (test)", "organizationIdentifier": IDENTIFIER, "CN": "Verifier"},
            dns_names=("localhost",),
        )
        urssaf, pids = self.world.institution("urssaf", types=("pda1",)), self.world.institution("pids", types=("pid",))
        self.world.publish_lists()
        connect(self.internet, self.world)
        self.wallet = TestWallet(folder / "wallet", self.world, self.internet)
        entry = sample("pda1", "pda1-01")
        person = catalogue.parse("pid", {}, identity=entry["identity"])
        document = catalogue.parse("pda1", entry["document_data"], identity=entry["identity"])
        self.wallet.hold(pids, "pid_sd_jwt", person, copies=3)
        self.wallet.hold(urssaf, "pda1_dc4eu-2_sd_jwt", document, copies=3)
        self.warnings: list[str] = []
        self.withdrawn: list[int] = []

    def certificate(self, credentials: Sequence[RequestedCredential] | None = None, **changes: Any) -> str:
        signer, life = changes.pop("signer", self.registrar), changes.pop("life", timedelta(days=90))
        status = changes.pop("status", None)
        told = {
            "sub": IDENTIFIER, "name": "Inspection (test)", "legal_name": "Inspection (test)", "country": "DE",
            "registry_uri": "https://registrar.test", "service_description": {"en": "Inspections"},
            "entitlements": (SERVICE_PROVIDER,), "privacy_policy": "https://v.test/p", "info_uri": "https://v.test",
            "support_uri": "https://v.test/s", "supervisory_authority": {"uri": "https://s.test"},
            "certificate_policy": "https://registrar.test/policy", "purpose": {"en": "Inspections"},
            "credentials": asked(PURPOSES["a1-inspection"]) if credentials is None else tuple(credentials),
        }  # fmt: skip
        stated = Registration(**{**told, **changes})
        now = self.world.now
        return registration_certificate.create(signer, stated, now=now, expires=now + life, status=status)

    def settings(self, *certificates: str, use: str = "a1-inspection", **changes: Any) -> Settings:
        key = self.access.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "own.key").write_bytes(key)
        (self.folder / "own.pem").write_bytes(self.access.chain[0].public_bytes(Encoding.PEM))
        for text in certificates:
            (self.folder / "registration.jwt").write_text(text + "\n", encoding="ascii")
        files = {use: "registration.jwt"} if certificates else {}
        return self.world.settings(
            access={"key": "own.key", "chain": "own.pem"}, registration_certificates=files, **changes
        )  # fmt: skip

    @contextmanager
    def running(self, *certificates: str, **changes: Any) -> Iterator[TestClient]:
        with self.world.service(self.settings(*certificates, **changes)) as client:
            self.internet.client(HOST, client)
            yield client

    def ask(self, client: TestClient, purpose: str = "a1-inspection") -> str:
        body = {"purpose": purpose, "host_country": "DE", "on": "2026-10-15", "format": "dc+sd-jwt"}
        made = client.post("/api/v1/requests", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["request_uri"])

    def info(self, client: TestClient, purpose: str = "a1-inspection") -> Any:
        """`verifier_info` of the signed request, as any wallet finds it."""
        fetched = client.get(urlsplit(link.parse(self.ask(client, purpose)).request_uri).path)
        return jws.parse(fetched.text).claims().get("verifier_info")

    def presenter(self, *, known: bool = True, despite: bool = False) -> Presenter:
        registrars = (self.registrar_ca.certificate,) if known else ()
        trust = VerifierTrust(clock=self.world.clock, registrars=registrars, warn=self.warnings.append, despite=despite)
        anchors = (self.world.access_authority.certificate,)
        return Presenter(
            self.wallet.store, self.wallet.wire, anchors=anchors, clock=self.world.clock, ask=lambda _: True, trust=trust
        )

    def publish_status(self, **changes: Any) -> None:
        def answer(_: httpx2.Request) -> httpx2.Response:
            now = self.world.now
            told = {"uri": STATUS.uri, "iat": now, "exp": now + timedelta(days=1), "ttl": 60, "signer": self.registrar, **changes}
            body = sign_jwt(StatusList.from_indices(16, 1, dict.fromkeys(self.withdrawn, 1)), **told)
            return httpx2.Response(200, content=body.encode(), headers={"content-type": "application/statuslist+jwt"})

        self.internet.function("registrar.test", answer)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


# --- the verifier


def test_a_request_carries_the_one_certificate_of_its_use(scene: Scene) -> None:
    text = scene.certificate()
    with scene.running(text) as client:
        assert scene.info(client) == [{"format": FORMAT, "data": text}]
        assert scene.info(client, "ehic-care") is None, "the certificate is for another use"


def test_the_certificate_in_base64url_as_the_other_text_has_it(scene: Scene) -> None:
    text = scene.certificate()
    with scene.running(text, registration_certificate_encoding="base64url") as client:
        (entry,) = scene.info(client)
        assert base64url.decode(entry["data"]).decode() == text
        assert scene.presenter().present(scene.ask(client)).taken
    assert scene.warnings == []


def test_a_certificate_that_is_over_is_not_shown(scene: Scene) -> None:
    with scene.running(scene.certificate(life=timedelta(days=1))) as client:
        scene.world.now += timedelta(days=1)
        assert scene.info(client) is None


NARROW = (RequestedCredential(format="dc+sd-jwt", type_ids=("urn:eudi:pid:1",), claims=(("family_name",),)),)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"credentials": NARROW}, "more is asked for", id="narrower than what is asked"),
        pytest.param({"sub": "NTRDE-OTHER"}, "another organisation", id="of another organisation"),
    ],
)
def test_a_certificate_that_does_not_cover_the_verifier_stops_the_start(scene: Scene, changes: Changes, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        scene.settings(scene.certificate(**changes))


def test_a_sign_in_must_be_covered_for_every_client(scene: Scene) -> None:
    client = {
        "client_id": "c", "client_secret_sha256": "0" * 64, "redirect_uris": ["https://c.test/back"], "claims": ["family_name"],
    }  # fmt: skip
    wide = {**client, "client_id": "d", "claims": ["family_name", "nationalities"]}
    pid = asked(PURPOSES["a1-inspection"])[:2]
    for clients, fits in (([client], True), ([client, wide], False)):
        (scene.folder / "own.key").touch()
        provider = {"key": "own.key", "clients": clients}
        if fits:
            assert (
                "sign-in"
                in scene.settings(scene.certificate(pid), use="sign-in", openid_provider=provider).registration_certificates
            )
        else:
            with pytest.raises(SettingsError, match="more is asked for"):
                scene.settings(scene.certificate(pid), use="sign-in", openid_provider=provider)


def test_files_that_are_no_certificate_stop_the_start(scene: Scene) -> None:
    for text, said in (("a.b.c", "registration_certificates.a1-inspection"), ("", "registration_certificates.a1-inspection")):
        with pytest.raises(SettingsError, match=said):
            scene.settings(text)
    with pytest.raises(SettingsError, match="an intended use is one of"):
        scene.settings(scene.certificate(), use="curiosity")
    (scene.folder / "registration.jwt").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not a compact JWT"):
        scene.world.settings(registration_certificates={"a1-inspection": "registration.jwt"})
    with pytest.raises(SettingsError, match="cannot be read"):
        scene.world.settings(registration_certificates={"a1-inspection": "nothing.jwt"})


# --- the wallet


def test_a_registered_verifier_is_answered_without_a_warning(scene: Scene) -> None:
    with scene.running(scene.certificate()) as client:
        assert scene.presenter().present(scene.ask(client)).taken
    assert scene.warnings == []
    assert {"checked": True} in [{key: one[key] for key in ("checked",)} for one in scene.wallet.notes() if "checked" in one]


@pytest.mark.parametrize(("known", "said"), [(True, "shows no registration certificate"), (False, "no registrar is known")])
def test_where_nothing_can_be_checked_the_person_is_told(scene: Scene, known: bool, said: str) -> None:
    with scene.running(*([] if known else [scene.certificate()])) as client:
        assert scene.presenter(known=known).present(scene.ask(client)).taken
    assert len(scene.warnings) == 1
    assert said in scene.warnings[0]


def forged(scene: Scene, *elements: Any, **changes: Any) -> Any:
    """A verifier whose requests carry this `verifier_info`, signed with its true key."""

    def sign(claims: Changes, *args: Any, **more: Any) -> str:
        info = [*elements] if elements else changes["info"]
        return SIGN({**claims, "verifier_info": info}, *args, **more)

    return sign


SIGN = messages.sign


@pytest.mark.parametrize(
    ("make", "code", "said"),
    [
        pytest.param({"credentials": NARROW}, "registration_overasking", "not registered for", id="over-asking"),
        pytest.param({"credentials": ()}, "registration_overasking", "the attestation itself", id="registered for nothing"),
        pytest.param({"sub": "NTRDE-OTHER"}, "registration_subject", "another organisation", id="somebody else's"),
        pytest.param({"signer": pki.root("Stranger").leaf()}, "path_unknown_issuer", "no path", id="a stranger's"),
        pytest.param({"life": timedelta(seconds=-120)}, "registration_time", "expired", id="over"),
    ],
)
def test_a_registration_that_is_not_in_order_ends_it_unless_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, make: Changes, code: str, said: str
) -> None:
    if "life" in make:  # made a moment ago, for a moment
        scene.world.now -= timedelta(days=1)
        text = scene.certificate(life=timedelta(hours=1))
        scene.world.now += timedelta(days=1)
    else:
        text = scene.certificate(**make)
    monkeypatch.setattr(messages, "sign", forged(scene, {"format": FORMAT, "data": text}))
    with scene.running() as client:
        request = scene.ask(client)
        with pytest.raises(VcError) as caught:
            scene.presenter().present(request)
        assert caught.value.code == code
        assert any(said in one for one in scene.warnings), scene.warnings
        assert not scene.internet.requests("/response"), "nothing may be sent"
        assert scene.presenter(despite=True).present(scene.ask(client)).taken
    assert len(scene.internet.requests("/response")) == 1


@pytest.mark.parametrize(
    "info",
    [
        pytest.param({}, id="no array"),
        pytest.param([], id="empty"),
        pytest.param(["x"], id="no object"),
        pytest.param([{"data": "a.b.c"}], id="no format"),
        pytest.param([{"format": FORMAT, "data": "?"}], id="neither form"),
        pytest.param([{"format": FORMAT, "data": "a.b.c"}] * 2, id="two"),
        pytest.param([{"format": FORMAT, "data": "a.b.c", "credential_ids": ["pid_sd_jwt"]}], id="for some credentials"),
    ],
)
def test_information_that_breaks_its_rules_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch, info: Any) -> None:
    monkeypatch.setattr(messages, "sign", forged(scene, info=info))
    with scene.running() as client, pytest.raises(Malformed):
        scene.presenter().present(scene.ask(client))


def test_formats_nobody_knows_are_left_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    text = scene.certificate()
    monkeypatch.setattr(messages, "sign", forged(scene, {"format": "other", "data": {}}, {"format": FORMAT, "data": text}))
    with scene.running() as client:
        assert scene.presenter().present(scene.ask(client)).taken
    assert scene.warnings == []


# --- the status of the certificate


def test_a_certificate_that_was_withdrawn_counts_no_more(scene: Scene) -> None:
    scene.publish_status()
    with scene.running(scene.certificate(status=STATUS)) as client:
        assert scene.presenter().present(scene.ask(client)).taken
        scene.withdrawn.append(STATUS.idx)
        with pytest.raises(VerificationFailed) as caught:
            scene.presenter().present(scene.ask(client))
        assert caught.value.code == "registration_withdrawn"


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        pytest.param({"signer": pki.root("Stranger").leaf()}, VerificationFailed, "path_unknown_issuer", id="a stranger's list"),
        pytest.param({"uri": "https://registrar.test/status/2"}, VcError, "status_sub", id="another list"),
        pytest.param(None, Unreachable, "registration_status", id="no list"),
    ],
)
def test_a_status_that_cannot_be_had_is_no_clearance(scene: Scene, changes: Changes | None, kind: type[VcError], code: str) -> None:
    if changes is None:
        scene.internet.function("registrar.test", lambda _: httpx2.Response(500))
    else:
        scene.publish_status(**changes)
    with scene.running(scene.certificate(status=STATUS)) as client, pytest.raises(kind) as caught:
        scene.presenter().present(scene.ask(client))
    assert caught.value.code == code


@pytest.mark.parametrize("despite", [False, True])
def test_the_command_line_knows_the_registrars_and_the_way_around_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, despite: bool
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(cli_session, "VerifierTrust", lambda **told: given.update(told))
    monkeypatch.setattr(cli_session, "Presenter", lambda *_, **__: SimpleNamespace(present=lambda *_, **__: sys.exit()))
    authority = pki.root("Registrar CA (test)").certificate.public_bytes(Encoding.PEM)
    (tmp_path / "ca.pem").write_bytes(authority)
    (tmp_path / "demo.json").write_text(json.dumps({"ca_files": {"access": "ca.pem", "registrar": "ca.pem"}}), encoding="utf-8")
    options = ["--despite-registration"] if despite else []
    portadoc.run(["wallet", "present", "openid4vp://", "--state", str(tmp_path), *options])
    assert given["despite"] is despite
    assert len(given["registrars"]) == 1
