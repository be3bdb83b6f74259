"""The issuer as a stranger sees it: the offer, whose it is, what it says of itself (OpenID4VCI 1.0 §4, §12.2; SECURITY W-3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.outbound import Fetched
from vc.errors import Refused, Unreachable
from vc.openid4vci import authorization_server, identifiers
from vc.openid4vci import offer as offers
from vc.openid4vci.authorization_server import AuthorizationServerMetadata
from vc.openid4vci.metadata import CredentialConfiguration, IssuerMetadata
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED, CredentialOffer, TxCode
from wallet_sim.issuer_trust import IssuerTrust, KnownIssuer
from wallet_sim.transcript import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class PreAuthorized:
    """A code that came with the offer. `tx_code`: a second one is due, which came by another way."""

    code: str = field(repr=False)
    tx_code: TxCode | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByCode:
    """The person authorizes the wallet. `issuer_state`: lets the issuer know its offer again."""

    issuer_state: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """What can be had from an issuer whose names were compared with its own metadata, and by which grant."""

    issuer: IssuerMetadata
    server: AuthorizationServerMetadata
    configurations: tuple[CredentialConfiguration, ...]
    grant: PreAuthorized | ByCode


def read_offer(wire: Wire, text: str, *, trust: IssuerTrust, wish: str | None = None) -> Offering:
    """The offering behind a link or QR text. `wish`: only this grant type, where the offer has several.

    Raises what the parsers raise (`Malformed`, `VerificationFailed("metadata_issuer")`…), what `trust` finds, `Unreachable` when
    metadata cannot be had, and `Refused`: `grant_unsupported`, `format_unsupported`.
    """
    link = offers.parse_link(text, allow_http_loopback=True)  # the destination itself is judged by `Outbound`
    offer = link.offer
    if offer is None:
        found = _fetch(wire, str(link.uri), "credential offer")
        content_type = found.headers.get("content-type", "")
        offer = offers.parse_fetched(found.body, content_type=content_type, allow_http_loopback=True)
    known = trust.read(wire, offer.credential_issuer)
    issuer = known.metadata
    server_id = offers.check_against(
        offer, configuration_ids=issuer.configurations.keys(), authorization_servers=issuer.authorization_servers
    )
    server = read_server(wire, server_id)
    return Offering(
        issuer=issuer,
        server=server,
        configurations=_configurations(wire, known, offer.configuration_ids, trust),
        grant=_grant(offer, server, wish),
    )


def read_request(wire: Wire, credential_issuer: str, configuration_ids: Sequence[str], *, trust: IssuerTrust) -> Offering:
    """What the wallet asks for of its own accord. Raises as `read_offer`, and `Refused("configuration_unknown")`."""
    identifiers.check_issuer(credential_issuer, allow_http_loopback=True)
    known = trust.read(wire, credential_issuer)
    issuer = known.metadata
    if len(issuer.authorization_servers) > 1:
        raise Refused("authorization_server", "the issuer has several authorization servers, and no offer says which")
    server = read_server(wire, issuer.authorization_servers[0] if issuer.authorization_servers else credential_issuer)
    chosen = configuration_ids or tuple(issuer.configurations)
    return Offering(issuer=issuer, server=server, configurations=_configurations(wire, known, chosen, trust), grant=ByCode())


def read_server(wire: Wire, server_id: str) -> AuthorizationServerMetadata:
    """The metadata of one authorization server."""
    found = _fetch(wire, identifiers.well_known(server_id, authorization_server.WELL_KNOWN), "authorization server metadata")
    return authorization_server.parse(found.body, issuer=server_id, allow_http_loopback=True)


def _configurations(
    wire: Wire, issuer: KnownIssuer, names: Sequence[str], trust: IssuerTrust
) -> tuple[CredentialConfiguration, ...]:
    configurations = tuple(issuer.metadata.configuration(name) for name in names)
    for configuration in configurations:
        if configuration.type_id is None:
            raise Refused("format_unsupported", "the offered format is neither dc+sd-jwt nor mso_mdoc")
    trust.check_registered(wire, issuer, configurations)
    return configurations


def _grant(offer: CredentialOffer, server: AuthorizationServerMetadata, wish: str | None) -> PreAuthorized | ByCode:
    """The grant to use: the pre-authorized code where it is offered; without any the server's metadata decide (VCI-OFF-10)."""
    possible: dict[str, PreAuthorized | ByCode] = {}
    if offer.pre_authorized_code is not None:
        possible[PRE_AUTHORIZED] = PreAuthorized(code=offer.pre_authorized_code, tx_code=offer.tx_code)
    if offer.authorization_code or offer.no_grants:
        possible[AUTHORIZATION_CODE] = ByCode(issuer_state=offer.issuer_state)
    for name, grant in possible.items():
        if name in server.grant_types and wish in (None, name):
            return grant
    raise Refused("grant_unsupported", "the offer has no grant that its authorization server and this wallet know")


def _fetch(wire: Wire, url: str, what: str) -> Fetched:
    found = wire.get(url, headers={"accept": "application/json"})
    if found.status != 200:
        raise Unreachable("metadata", f"the {what} could not be fetched: HTTP {found.status}")
    if found.media_type != "application/json":
        raise Unreachable("content_type", f"the {what} is not application/json")
    return found
