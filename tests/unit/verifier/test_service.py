"""Starting: a demo brings its database up to date, production refuses an old one with a sentence (O-17, O-18)."""

import secrets
from pathlib import Path

import pytest

from tests.support.pki import NOW
from tests.support.verifier import World
from tests.unit.verifier.test_settings import production
from verifier.migrations import is_current, upgrade
from verifier.service import build
from verifier.settings import SettingsError, parse
from verifier.store.tables import connect


def test_a_demo_migrates_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_lists()
    settings = world.settings()

    build(settings, clock=world.clock, random_bytes=secrets.token_bytes)

    engine = connect(settings.database)
    assert is_current(engine)
    engine.dispose()


def test_production_refuses_an_old_database_until_it_is_migrated(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_lists()
    trust = {"root": "trust-root.json", "state": "trust", "refresh_seconds": 3600}
    settings = parse(production(tmp_path, trust=trust), base=tmp_path)

    with pytest.raises(SettingsError, match="another schema"):
        build(settings, clock=lambda: NOW, random_bytes=secrets.token_bytes)

    engine = connect(settings.database)
    upgrade(engine)
    engine.dispose()
    assert build(settings, clock=lambda: NOW, random_bytes=secrets.token_bytes) is not None


def test_a_trust_root_that_is_none_stops_the_start(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_lists()
    settings = world.settings(trust={"root": "access.pem", "state": "trust"})

    with pytest.raises(SettingsError, match="trust root"):
        build(settings, clock=world.clock, random_bytes=secrets.token_bytes)
