"""From a settings file to a running process."""

import secrets
from pathlib import Path

from edge import logs
from edge.serve import TlsFiles, run
from issuer import migrations
from issuer.app import create_app
from issuer.service import Service, system_clock
from issuer.settings import Settings, load
from issuer.store import connect, status
from issuer.store.engine import writing


def serve(settings_path: Path) -> None:
    """Serve until stopped. Raises `SettingsError` before anything is opened."""
    settings = load(settings_path)
    logs.configure()
    service = build(settings)
    migrations.upgrade(service.engine)
    tls = None if settings.tls is None else TlsFiles(certificate=settings.tls[0], key=settings.tls[1])
    run(create_app(service), host=settings.host, port=settings.port, tls=tls)


def migrate(settings_path: Path) -> None:
    """Bring the database of these settings up to date."""
    engine = build(load(settings_path)).engine
    try:
        migrations.upgrade(engine)
    finally:
        engine.dispose()


def close_lists(settings_path: Path) -> int:
    """Close all open status lists; gives their number. Run it once after a restore, before the service starts (SECURITY O-6)."""
    engine = build(load(settings_path)).engine
    try:
        migrations.upgrade(engine)
        with writing(engine) as connection:
            return status.close_lists(connection)
    finally:
        engine.dispose()


def build(settings: Settings) -> Service:
    """The service over the real clock and the operating system's randomness."""
    Path(settings.database.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return Service(settings=settings, engine=connect(settings.database), clock=system_clock, random_bytes=secrets.token_bytes)
