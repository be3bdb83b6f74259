"""What a wallet checks of an issuer before it asks: signed metadata, and the registration certificate in them (W-3)."""

from collections.abc import Callable, Sequence

from cryptography import x509

from edge.outbound import Fetched
from vc.clock import Clock
from vc.errors import Unreachable
from vc.openid4vci import identifiers, metadata
from vc.openid4vci.metadata import CredentialConfiguration, IssuerMetadata
from wallet_sim.transcript import Wire


class IssuerTrust:
    """`access`: authorities of access certificates, empty when none is known: then signed metadata are not asked for."""

    def __init__(
        self,
        *,
        clock: Clock,
        access: Sequence[x509.Certificate] = (),
        registrars: Sequence[x509.Certificate] = (),
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock, self._access, self._registrars, self._warn = clock, tuple(access), tuple(registrars), warn

    def read(self, wire: Wire, credential_issuer: str) -> IssuerMetadata:
        """The metadata of one issuer."""
        found = _fetch(wire, identifiers.well_known(credential_issuer, metadata.WELL_KNOWN))
        return metadata.parse(found.body, credential_issuer=credential_issuer, allow_http_loopback=True)

    def check_registered(self, issuer: IssuerMetadata, configurations: Sequence[CredentialConfiguration]) -> None:
        """Whether the issuer is registered to issue these."""


def _fetch(wire: Wire, url: str) -> Fetched:
    found = wire.get(url, headers={"accept": "application/json"})
    if found.status != 200:
        raise Unreachable("metadata", f"the issuer metadata could not be fetched: HTTP {found.status}")
    if found.media_type != "application/json":
        raise Unreachable("content_type", "the issuer metadata is not application/json")
    return found
