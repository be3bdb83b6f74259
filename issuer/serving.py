"""From a settings file to a running process."""

import gc
import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from edge import logs
from edge.outbound import FetchLimits, Outbound
from edge.serve import TlsFiles, run
from edge.settings import SettingsError
from issuer import migrations
from issuer.app import create_app
from issuer.service import Service, system_clock
from issuer.settings import Settings, load
from issuer.sign_in.provider import Providers
from issuer.store import connect, status
from issuer.store.engine import writing
from issuer.wallet_trust import WalletTrust
from trust_list.client import TrustClient
from trust_list.revocation import RevocationLists
from trust_list.status_lists import StatusLists
from trust_list.status_memory import ShortMemory
from vc.clock import Clock
from vc.errors import VcError

_STATUS_KEPT = timedelta(seconds=30)
"""A status list of attestations is not asked for again within this time, whatever it says of itself."""


def serve(settings_path: Path) -> None:
    """Serve until stopped. Raises `SettingsError` before anything is opened."""
    settings = load(settings_path)
    logs.configure(lasting=True)
    outbound = Outbound(FetchLimits(allow_loopback=settings.allow_http_loopback), ca_file=settings.tls_ca)
    service = replace(
        build(settings),
        wallet_trust=wallet_trust(settings, outbound, system_clock),
        providers=Providers(outbound, clock=system_clock, allow_http_loopback=settings.allow_http_loopback),
    )
    migrations.upgrade(service.engine)
    tls = None if settings.tls is None else TlsFiles(certificate=settings.tls[0], key=settings.tls[1])
    app = create_app(service)
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through all of it for garbage, under load, holds up whoever waits
    run(app, host=settings.host, port=settings.port, tls=tls)


def wallet_trust(settings: Settings, outbound: Outbound, clock: Clock) -> WalletTrust | None:
    """Whom to believe about wallets, by the trust lists of the settings; None where they name none.

    What was learned of the lists is kept beside the database; status lists of attestations live as long as the process. Raises
    `SettingsError` when the trust root cannot be read.
    """
    if settings.trust is None:
        return None
    try:
        client = TrustClient(
            settings.trust.root, settings.trust.state, outbound, clock, refresh_seconds=settings.trust.refresh_seconds
        )
    except (OSError, VcError) as exc:
        raise SettingsError("setting trust.root: the trust root cannot be read; without one no wallet is believed") from exc
    status = StatusLists(outbound, ShortMemory(), min_ttl=_STATUS_KEPT)
    plainly = FetchLimits(allow_loopback=settings.allow_http_loopback, allow_plain_http=True)
    revocation = RevocationLists(Outbound(plainly, ca_file=settings.tls_ca), ShortMemory())
    return WalletTrust(client.snapshot, status, clock=clock, revocation=revocation)


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
