"""The verifier with its real surroundings: database, trust list client, status lists over bounded HTTP."""

from datetime import timedelta

from starlette.types import ASGIApp

from edge.outbound import FetchLimits, Outbound
from trust_list.client import TrustClient
from trust_list.federation.source import FederationSource
from trust_list.keeping import kept_fresh
from trust_list.revocation import RevocationLists
from vc.clock import Clock
from vc.errors import VcError
from verifier.app import create_app
from verifier.asking import RandomBytes
from verifier.migrations import is_current, upgrade
from verifier.revocation import RevocableTrust
from verifier.settings import Settings, SettingsError
from verifier.sources import TrustSource
from verifier.status import StatusLists
from verifier.store.status_tokens import StatusTokens
from verifier.store.tables import connect
from verifier.trust import ListTrust


def build(settings: Settings, *, clock: Clock, random_bytes: RandomBytes) -> ASGIApp:
    """The application, ready to serve.

    A demo brings its database up to date by itself; in production that is a step of its own, and an old schema raises
    `SettingsError` (O-17, O-18).
    """
    engine = connect(settings.database)
    if settings.profile == "demo":
        upgrade(engine)
    elif not is_current(engine):
        raise SettingsError("the database has another schema than this version: run `portadoc verifier migrate` first")
    outbound = Outbound(FetchLimits(allow_loopback=settings.allow_http_loopback), ca_file=settings.tls_ca)
    try:
        client = TrustClient(
            settings.trust_root,
            settings.trust_state,
            outbound=outbound,
            clock=clock,
            refresh_seconds=settings.trust_refresh_seconds,
        )
    except (OSError, VcError) as exc:
        raise SettingsError("setting trust.root: the trust root cannot be read; without one nothing can be trusted") from exc
    lists, tokens = ListTrust(client.snapshot, clock=clock, other=_federation(settings)), StatusTokens(engine)
    status = StatusLists(outbound, tokens, lists, min_ttl=timedelta(seconds=settings.status_min_ttl_seconds))
    trust: TrustSource = lists
    if settings.certificate_revocation == "required":
        limits = FetchLimits(allow_loopback=settings.allow_http_loopback, allow_plain_http=True)
        revocations = RevocationLists(Outbound(limits, ca_file=settings.tls_ca), tokens)
        trust = RevocableTrust(lists, revocations, client.snapshot)
    app = create_app(settings, engine, trust=trust, status=status, clock=clock, random_bytes=random_bytes, known=client.snapshot)
    return kept_fresh(app, client)


def _federation(settings: Settings) -> FederationSource | None:
    """Asked at addresses that a shown document names: sooner given up than what the operator configured."""
    if settings.trust_federation is None:
        return None
    limits = FetchLimits(connect_seconds=2, total_seconds=3, allow_loopback=settings.allow_http_loopback)
    return FederationSource(settings.trust_federation, Outbound(limits, ca_file=settings.tls_ca))
