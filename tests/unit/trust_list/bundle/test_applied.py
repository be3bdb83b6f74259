"""The device: what was applied stays in force, is verified again at each start, and is never replaced by something older."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.bundles import DAY, Bundler, maker, successors
from tests.support.pki import NOW
from tests.unit.trust_list.test_decide import ask
from trust_list.bundle.applied import Device
from trust_list.decide import Outcome, evaluate
from trust_list.snapshot import Freshness
from vc.errors import VcError

SECOND = timedelta(seconds=1)


@pytest.fixture
def device(bundler: Bundler, tmp_path: Path) -> Device:
    made = Device(tmp_path / "device")
    made.provision(bundler.root.render(), bundler.signer.chain)
    return made


def code(work: object) -> str:
    with pytest.raises(VcError) as caught:
        work()  # type: ignore[operator]
    return caught.value.code


def test_what_was_applied_is_in_force(bundler: Bundler, device: Device) -> None:
    assert device.load(now=NOW) is None
    device.apply(bundler.bundle(), now=NOW)
    held = Device(device.directory).load(now=NOW + DAY)
    assert held is not None
    assert evaluate(ask(bundler.institution.seal, t_now=NOW + DAY), held.snapshot()).outcome is Outcome.TRUSTED


def test_it_is_over_when_it_is_over(bundler: Bundler, device: Device) -> None:
    device.apply(bundler.bundle(), now=NOW)
    held = device.load(now=NOW + 8 * DAY)
    assert held is not None
    assert held.state(NOW + 8 * DAY) is Freshness.EXPIRED
    assert evaluate(ask(bundler.institution.seal, t_now=NOW + 8 * DAY), held.snapshot()).outcome is Outcome.INDETERMINATE


def test_a_bundle_that_is_over_is_not_applied(bundler: Bundler, device: Device) -> None:
    assert code(lambda: device.apply(bundler.bundle(), now=NOW + 7 * DAY + SECOND)) == "bundle_expired"
    assert device.load(now=NOW + 8 * DAY) is None


def test_an_older_bundle_does_not_come_back(bundler: Bundler, device: Device) -> None:
    older, newer = bundler.bundle(), bundler.bundle(sequence=11, created=NOW + SECOND)
    device.apply(newer, now=NOW + SECOND)
    assert code(lambda: device.apply(older, now=NOW + SECOND)) == "bundle_rollback"
    assert code(lambda: device.verify(older, now=NOW + SECOND)) == "bundle_rollback"
    other = bundler.bundle(sequence=11, created=NOW + SECOND, statuses=())
    assert code(lambda: device.apply(other, now=NOW + SECOND)) == "bundle_conflict"
    held = device.load(now=NOW + SECOND)
    assert held is not None
    assert held.contents.sequence == 11


def test_verifying_changes_nothing(bundler: Bundler, device: Device) -> None:
    assert device.verify(bundler.bundle(), now=NOW).contents.sequence == 10
    assert device.load(now=NOW) is None


def test_a_clock_set_back_concludes_nothing(bundler: Bundler, device: Device) -> None:
    device.apply(bundler.bundle(), now=NOW + DAY)
    early = NOW + DAY - SECOND
    assert code(lambda: device.load(now=early)) == "clock_set_back"
    assert code(lambda: device.apply(bundler.bundle(sequence=11), now=early)) == "clock_set_back"


def test_a_stranger_s_bundle_is_not_taken(bundler: Bundler, device: Device) -> None:
    assert code(lambda: device.apply(bundler.bundle(signer=maker()), now=NOW)) == "bundle_signer_unpinned"


def test_a_newer_root_that_proves_itself_stays(bundler: Bundler, tmp_path: Path) -> None:
    first, second, chain = successors(bundler)
    device = Device(tmp_path / "device")
    device.provision(first.render(), bundler.signer.chain)
    device.apply(bundler.bundle(root=second, root_chain=chain), now=NOW)
    assert device.root == second
    held = device.load(now=NOW)
    assert held is not None
    assert held.root == second


def test_a_device_is_provisioned_once_and_never_with_nobody(bundler: Bundler, device: Device, tmp_path: Path) -> None:
    assert code(lambda: device.provision(bundler.root.render(), maker().chain)) == "device_provisioned"
    assert device.pinned == bundler.pinned
    assert code(lambda: Device(tmp_path / "other").provision(bundler.root.render(), ())) == "bundle_makers"
    assert code(lambda: Device(tmp_path / "other").provision(b"{}", bundler.signer.chain)) == "trust_root"


@pytest.mark.parametrize("fault", ["floor", "bundle-gone", "another-bundle", "makers"])
def test_what_cannot_be_read_concludes_nothing(bundler: Bundler, device: Device, fault: str) -> None:
    device.apply(bundler.bundle(), now=NOW)
    match fault:
        case "floor":
            (device.directory / "applied.json").write_bytes(b'{"seq":0}')
        case "bundle-gone":
            (device.directory / "bundle.jws").unlink()
        case "another-bundle":
            (device.directory / "bundle.jws").write_bytes(bundler.bundle(sequence=9))
        case "makers":
            (device.directory / "makers.json").write_bytes(b'{"makers":["zz"]}')
    assert code(lambda: device.load(now=NOW)) == "state_unreadable"


def test_the_floor_is_kept_before_the_bundle(bundler: Bundler, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the two writes leaves a device that cannot say, never one that would take an older bundle."""
    written: list[str] = []

    def crash(path: Path, data: bytes, *, mode: int = 0o644) -> None:
        written.append(path.name)
        if path.name == "bundle.jws":
            raise OSError("the power is cut")
        path.write_bytes(data)

    monkeypatch.setattr("trust_list.bundle.applied.write_atomically", crash)
    with pytest.raises(OSError, match="power"):
        device.apply(bundler.bundle(sequence=11), now=NOW)
    monkeypatch.undo()
    assert written == ["applied.json", "bundle.jws"]
    assert code(lambda: device.load(now=NOW)) == "state_unreadable"
    assert code(lambda: device.apply(bundler.bundle(), now=NOW)) == "bundle_rollback"
