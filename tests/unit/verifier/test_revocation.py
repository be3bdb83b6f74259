"""Who is asked about revoked certificates, and when: wiring of the service, of the command, and listed authorities as issuers."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.pki import NOW, root
from tests.support.verifier import World
from trust_list.revocation import Authorities
from trust_list.snapshot import TrustSnapshot
from verifier import reader, service
from verifier.revocation import RevocableTrust
from verifier.trust import ListTrust


@pytest.mark.parametrize(
    ("setting", "kind"), [({}, RevocableTrust), ({"certificate_revocation": "off"}, ListTrust)], ids=["default", "off"]
)
def test_the_service_asks_unless_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: dict[str, Any], kind: type
) -> None:
    world = World(tmp_path)
    world.publish_lists()
    made: dict[str, Any] = {}
    monkeypatch.setattr(service, "create_app", lambda *args, **given: made.update(given))
    service.build(world.settings(**setting), clock=world.clock, random_bytes=bytes)
    assert type(made["trust"]) is kind


def test_the_command_asks_too(tmp_path: Path) -> None:
    world = World(tmp_path, address="http://127.0.0.1:9")
    world.publish_lists()
    around = reader.surroundings(root=tmp_path / "trust-root.json", keep_in=tmp_path / "kept", ca_file=None, clock=world.clock)
    assert isinstance(around.trust, RevocableTrust)
    around.close()


def test_a_listed_authority_is_at_hand_as_issuer_and_looked_up_once_per_edition() -> None:
    first, second = root(), root("Other root")

    def listing(*authorities: Any) -> Any:
        return SimpleNamespace(anchors=SimpleNamespace(entries=[SimpleNamespace(authorities=authorities)]))

    def snapshot(**lists: Any) -> Any:
        return TrustSnapshot(lists=lists, root_version=1, root_expires=NOW, clock_floor=None)

    known = Authorities()
    never = SimpleNamespace(anchors=None)
    one = listing(first.certificate)
    assert known.of(snapshot(pid=one, never=never)) == (first.certificate,)
    before = known.of(snapshot(pid=one, never=never))
    assert known.of(snapshot(pid=one, never=never)) is before
    assert known.of(snapshot(pid=listing(second.certificate), never=never)) == (second.certificate,)
    assert known.of(snapshot(pid=one)) == (first.certificate,)
