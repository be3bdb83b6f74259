"""The issuer as a stranger sees it: the offer, whose it is, what it says of itself (OpenID4VCI 1.0 §4, §12.2; SECURITY W-3)."""

from dataclasses import dataclass

from edge.outbound import Fetched
from vc.errors import Refused, Unreachable
from vc.openid4vci import authorization_server, errors, identifiers, metadata
from vc.openid4vci import offer as offers
from vc.openid4vci.authorization_server import AuthorizationServerMetadata
from vc.openid4vci.metadata import CredentialConfiguration, IssuerMetadata
from vc.openid4vci.offer import PRE_AUTHORIZED, CredentialOffer
from wallet_sim.transcript import Wire

_JSON = {"accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """An offer whose names were compared with the issuer's own metadata, and what can be had of it."""

    offer: CredentialOffer
    issuer: IssuerMetadata
    server: AuthorizationServerMetadata
    configurations: tuple[CredentialConfiguration, ...]


def read_offer(wire: Wire, text: str) -> Offering:
    """The offering behind a link or QR text.

    Raises what the parsers raise (`Malformed`, `VerificationFailed("metadata_issuer")`…), `Unreachable` when metadata cannot be
    had, and `Refused`: `grant_unsupported`, `encryption_unsupported`, `binding_unsupported`, `format_unsupported`.
    """
    link = offers.parse_link(text, allow_http_loopback=True)  # the destination itself is judged by `Outbound`
    offer = link.offer
    if offer is None:
        found = _fetch(wire, str(link.uri), "credential offer")
        content_type = found.headers.get("content-type", "")
        offer = offers.parse_fetched(found.body, content_type=content_type, allow_http_loopback=True)
    issuer = metadata.parse(
        _fetch(wire, identifiers.well_known(offer.credential_issuer, metadata.WELL_KNOWN), "issuer metadata").body,
        credential_issuer=offer.credential_issuer,
        allow_http_loopback=True,
    )
    server_id = offers.check_against(
        offer, configuration_ids=issuer.configurations.keys(), authorization_servers=issuer.authorization_servers
    )
    server = authorization_server.parse(
        _fetch(wire, identifiers.well_known(server_id, authorization_server.WELL_KNOWN), "authorization server metadata").body,
        issuer=server_id,
        allow_http_loopback=True,
    )
    if offer.pre_authorized_code is None or PRE_AUTHORIZED not in server.grant_types:
        raise Refused("grant_unsupported", "this wallet knows the pre-authorized code only, and that is not offered")
    if not server.anonymous:
        raise Refused("grant_unsupported", "the authorization server wants a client id, and this wallet has none")  # VCI-TOK-6
    if issuer.encryption_required:
        raise Refused("encryption_unsupported", "the issuer requires encrypted messages, which this wallet does not make")
    configurations = tuple(issuer.configuration(name) for name in offer.configuration_ids)
    for configuration in configurations:
        _require_possible(configuration)
    return Offering(offer=offer, issuer=issuer, server=server, configurations=configurations)


def _require_possible(configuration: CredentialConfiguration) -> None:
    if configuration.type_id is None:
        raise Refused("format_unsupported", "the offered format is neither dc+sd-jwt nor mso_mdoc")
    if not configuration.bound or "ES256" not in configuration.proof_algorithms or configuration.key_attestation_required:
        raise Refused("binding_unsupported", "only credentials bound to an ES256 key by a jwt proof are received")


def _fetch(wire: Wire, url: str, what: str) -> Fetched:
    found = wire.get(url, headers=_JSON)
    if found.status != 200:
        raise Unreachable("metadata", f"the {what} could not be fetched: HTTP {found.status}")
    if found.media_type != "application/json":
        raise Unreachable("content_type", f"the {what} is not application/json")
    return found


def refusal(answer: Fetched, what: str) -> Refused | Unreachable:
    """The error of an answer that is not what was hoped for: the issuer's own code when it gave one."""
    if answer.status >= 500:
        return Unreachable("issuer", f"the {what} endpoint answered with HTTP {answer.status}")
    if 300 <= answer.status < 400:
        return Refused("redirect", f"the {what} endpoint answered with an HTTP redirect, which is not followed")
    error = errors.parse(answer.body, status=answer.status)
    return Refused(error.error, f"the {what} endpoint answered with HTTP {answer.status}: {error.description}")
