"""An inspector without a network: documents judged by the bundle in force on the device, and by nothing else (TRUST 7.2 rule 8)."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.bundles import maker
from tests.support.verifier_scene import FORMATS, Scene
from trust_list.bundle.applied import Device
from trust_list.bundle.making import make
from trust_list.client import TrustClient
from trust_list.root import TrustRoot
from vc.encoding import json
from vc.errors import Unreachable
from vc.keys.signer import LocalSigner
from verifier import cli, reader
from verifier.bare import Case
from verifier.verdict import Verdict

DAY = timedelta(days=1)


class Desk:
    """The scene, the organisation that makes bundles, and one device."""

    def __init__(self, folder: Path) -> None:
        self.scene, self.signer = Scene(folder), maker()
        self.world = self.scene.world
        self.root_file = (folder / "trust-root.json").read_bytes()
        self.device = Device(folder / "device")
        self.device.provision(self.root_file, self.signer.chain)

    def bundle(self, signer: LocalSigner | None = None) -> bytes:
        outbound = self.world.outbound()
        client = TrustClient(self.world.folder / "trust-root.json", self.world.folder / "making", outbound, self.world.clock, 2)
        return make(
            client.refresh(force=True),
            root=TrustRoot.load(self.root_file),
            root_file=self.root_file,
            outbound=outbound,
            authorities=outbound,
            signer=signer or self.signer,
            now=self.world.now,
            statuses=[self.scene.urssaf.status_uri],
        ).bundle

    def apply(self) -> None:
        self.device.apply(self.bundle(), now=self.world.now)
        self.world.asked.clear()

    def check(self, form: str) -> Verdict:
        held = next(one for one in self.scene.wallet.held[2:] if one.format == form)
        around = reader.offline(self.device.directory, clock=self.world.clock)
        found = around.check(Case(artefact=held.text.encode(), on=self.world.now.date(), now=self.world.now))
        around.close()
        assert self.world.asked == [], "something was asked of the network"
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def outcomes(found: Verdict) -> dict[str, str]:
    return {check.id: check.result.value for check in found.checks}


@pytest.mark.parametrize("form", FORMATS)
def test_a_document_is_judged_without_a_network(desk: Desk, form: str) -> None:
    desk.apply()
    told = outcomes(desk.check(form))
    asked = ("issuer_signature", "trust_listed", "trust_identity", "trust_scope", "trust_content", "status")
    assert [told[name] for name in asked] == ["passed"] * len(asked)


@pytest.mark.parametrize("form", FORMATS)
def test_a_revoked_document_is_seen_without_a_network(desk: Desk, form: str) -> None:
    desk.scene.urssaf.revoked[desk.scene.index[form]] = 1
    desk.apply()
    found = desk.check(form)
    assert (found.outcome.value, outcomes(found)["status"]) == ("reject", "failed")


@pytest.mark.parametrize("form", FORMATS)
def test_statuses_that_ran_out_cannot_be_determined(desk: Desk, form: str) -> None:
    """The publisher's own end of the status list counts on the device too."""
    desk.apply()
    desk.world.now += 2 * DAY
    assert outcomes(desk.check(form))["status"] == "not_checked"


@pytest.mark.parametrize("form", FORMATS)
def test_a_bundle_that_is_over_determines_nothing(desk: Desk, form: str) -> None:
    desk.apply()
    desk.world.now += 8 * DAY
    found = desk.check(form)
    assert found.outcome.value not in ("accept", "reject")
    assert outcomes(found)["trust_listed"] == "not_checked"
    assert "trust_list_expired" in found.codes


def test_the_age_of_the_list_is_shown(desk: Desk) -> None:
    desk.apply()
    desk.world.now += 3 * DAY
    told = desk.check("dc+sd-jwt").trust["list"]
    assert (told["age"], told["state"]) == (3 * 86400, "AGEING")


def test_without_a_bundle_nothing_is_judged(desk: Desk) -> None:
    with pytest.raises(Unreachable, match="bundle_never_applied"):
        reader.offline(desk.device.directory, clock=desk.world.clock)


def test_the_command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_now", desk.world.clock)
    document = desk.world.folder / "document"
    document.write_text(next(one.text for one in desk.scene.wallet.held[2:]))
    words = ["check", str(document), "--device", str(desk.device.directory), "--json"]
    assert CliRunner().invoke(cli.app, words).exit_code == 3, "no bundle has been applied"
    desk.apply()
    told = json.loads_object(CliRunner().invoke(cli.app, words).stdout.encode())
    assert told["trust"]["list"]["state"] == "FRESH"
