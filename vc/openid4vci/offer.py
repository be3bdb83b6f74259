"""Credential Offers (OpenID4VCI 1.0 §4.1): the object, the link that carries it, and what a wallet accepts of both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, quote, urlsplit

from vc.encoding import json
from vc.errors import Malformed, Refused, VerificationFailed
from vc.openid4vci import members
from vc.openid4vci.identifiers import check_endpoint, check_issuer

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
AUTHORIZATION_CODE = "authorization_code"
SCHEME = "openid-credential-offer"
SCHEMES = (SCHEME, "haip-vci", "https")  # https: a wallet's universal link (VCI-OFF-11)
MAX_LINK = 8 * 1024
MAX_OFFER = 64 * 1024
_CODE = "offer"
InputMode = Literal["numeric", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TxCode:
    """What the wallet asks the holder for; the value itself comes over another channel (VCI-OFF-7)."""

    input_mode: InputMode = "numeric"
    length: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialOffer:
    """A parsed offer: untrusted, since anybody can make one (VCI-OFF-8).

    `pre_authorized_code` None: that grant is not offered. `authorization_code`: that one is; `issuer_state` then goes into the
    authorization request as it is. `tx_code`: present means a code is required, even an empty object.
    `no_grants`: the wallet finds the grant types in the AS metadata (VCI-OFF-10).
    """

    credential_issuer: str
    configuration_ids: tuple[str, ...]
    pre_authorized_code: str | None = None
    tx_code: TxCode | None = None
    authorization_code: bool = False
    issuer_state: str | None = None
    authorization_server: str | None = None
    no_grants: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferLink:
    """Exactly one is set: the offer itself, or where it is to be fetched (VCI-OFF-1)."""

    offer: CredentialOffer | None = None
    uri: str | None = None


def create(
    *,
    credential_issuer: str,
    configuration_ids: Sequence[str],
    pre_authorized_code: str | None = None,
    tx_code: Mapping[str, Any] | None = None,
    authorization_code: bool = False,
    issuer_state: str | None = None,
    authorization_server: str | None = None,
) -> dict[str, Any]:
    """The offer object: with a pre-authorized code, with the authorization code grant, or with both.

    `tx_code` as in §4.1.1, None when no code is asked for. `issuer_state`: lets the authorization server know the offer again.
    `authorization_server`: only when the metadata list several (VCI-OFF-5). ValueError for an offer of no grant and for what
    belongs to a grant that is not offered. It goes through `parse` before it is given out, so a wrong argument raises
    `Malformed` here.
    """
    if pre_authorized_code is None and not authorization_code:
        raise ValueError("an offer has a grant")
    if (tx_code is not None and pre_authorized_code is None) or (issuer_state is not None and not authorization_code):
        raise ValueError("tx_code goes with a pre-authorized code, issuer_state with the authorization code")
    server = {} if authorization_server is None else {"authorization_server": authorization_server}
    grants: dict[str, Any] = {}
    if authorization_code:
        grants[AUTHORIZATION_CODE] = {**({} if issuer_state is None else {"issuer_state": issuer_state}), **server}
    if pre_authorized_code is not None:
        code = {"pre-authorized_code": pre_authorized_code, **({} if tx_code is None else {"tx_code": dict(tx_code)})}
        grants[PRE_AUTHORIZED] = {**code, **server}
    offer = {
        "credential_issuer": credential_issuer,
        "credential_configuration_ids": list(configuration_ids),
        "grants": grants,
    }
    parse(offer, allow_http_loopback=True)
    return offer


def link_by_value(offer: Mapping[str, Any], *, scheme: str = SCHEME) -> str:
    """The link that carries the whole offer as URL-encoded JSON."""
    return f"{scheme}://?credential_offer={quote(json.dumps(offer), safe='')}"


def link_by_reference(uri: str, *, scheme: str = SCHEME) -> str:
    """The link that says where the offer is; shorter, and the offer can be spent or withdrawn before it is fetched."""
    return f"{scheme}://?credential_offer_uri={quote(uri, safe='')}"


def parse_link(link: str, *, allow_http_loopback: bool = False) -> OfferLink:
    """Read a link or the content of a QR code (VCI-OFF-1).

    Raises `Malformed("offer_link")` for another scheme, none or both of the two parameters, or one twice; `Malformed("url")`
    for a reference that is not https.
    """
    if len(link) > MAX_LINK:
        raise Malformed("offer_link", "the link is too long")
    try:
        parts = urlsplit(link)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20)
    except ValueError as exc:
        raise Malformed("offer_link", "not a link with parameters") from exc
    if parts.scheme not in SCHEMES:
        raise Malformed("offer_link", "not a credential offer link")
    found = [(name, value) for name, value in pairs if name in ("credential_offer", "credential_offer_uri")]
    if len(found) != 1:
        raise Malformed("offer_link", "exactly one of credential_offer and credential_offer_uri")
    name, value = found[0]
    if name == "credential_offer":
        offer = json.loads(value, max_bytes=MAX_OFFER)
        return OfferLink(offer=parse(offer, allow_http_loopback=allow_http_loopback))
    return OfferLink(uri=check_endpoint(value, allow_http_loopback=allow_http_loopback, pointer="/credential_offer_uri"))


def parse_fetched(body: bytes, *, content_type: str, allow_http_loopback: bool = False) -> CredentialOffer:
    """An offer fetched by reference: `application/json`, never a token (VCI-OFF-3). Raises `Malformed("offer_media_type")`."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Malformed("offer_media_type", "an offer is application/json")
    return parse(json.loads(body, max_bytes=MAX_OFFER), allow_http_loopback=allow_http_loopback)


def parse(value: object, *, allow_http_loopback: bool = False) -> CredentialOffer:
    """The offer of a decoded JSON object (VCI-OFF-2, -7, -10). Unknown members and grants are ignored.

    Raises `Malformed("offer")` with the place, `Malformed("url")` for the issuer identifier,
    `Refused("offer_authorization_server")` when two grants name different servers: ours goes to one.
    """
    offer = members.an_object(value, _CODE)
    issuer = check_issuer(offer.get("credential_issuer"), allow_http_loopback=allow_http_loopback, pointer="/credential_issuer")
    identifiers = members.texts(offer, "credential_configuration_ids", _CODE)
    if identifiers is None:
        raise Malformed(_CODE, "missing", pointer="/credential_configuration_ids")
    grants = members.an_object(offer.get("grants", {}), _CODE, "/grants")
    code, tx_code, state = None, None, None
    servers: set[str] = set()
    if AUTHORIZATION_CODE in grants:
        at = f"/grants/{AUTHORIZATION_CODE}"
        grant = members.an_object(grants[AUTHORIZATION_CODE], _CODE, at)
        state = members.text(grant, "issuer_state", _CODE, at)
        servers.update(_server(grant, at))
    if PRE_AUTHORIZED in grants:
        at = f"/grants/{PRE_AUTHORIZED}"
        grant = members.an_object(grants[PRE_AUTHORIZED], _CODE, at)
        code = members.required_text(grant, "pre-authorized_code", _CODE, at)
        servers.update(_server(grant, at))
        tx_code = _tx_code(grant["tx_code"], f"{at}/tx_code") if "tx_code" in grant else None
    if len(servers) > 1:
        raise Refused("offer_authorization_server", "the grants of the offer name different authorization servers")
    return CredentialOffer(
        credential_issuer=issuer,
        configuration_ids=identifiers,
        pre_authorized_code=code,
        tx_code=tx_code,
        authorization_code=AUTHORIZATION_CODE in grants,
        issuer_state=state,
        authorization_server=next(iter(servers), None),
        no_grants=not grants,
    )


def _server(grant: Mapping[str, Any], pointer: str) -> set[str]:
    named = members.text(grant, "authorization_server", _CODE, pointer)
    return set() if named is None else {named}


def _tx_code(value: object, pointer: str) -> TxCode:
    tx_code = members.an_object(value, _CODE, pointer)
    mode = tx_code.get("input_mode", "numeric")
    if mode not in ("numeric", "text"):
        raise Malformed(_CODE, "neither numeric nor text", pointer=f"{pointer}/input_mode")
    description = members.text(tx_code, "description", _CODE, pointer)
    if description is not None and len(description) > 300:
        raise Malformed(_CODE, "longer than 300 characters", pointer=f"{pointer}/description")
    length = members.positive(tx_code, "length", _CODE, pointer)
    return TxCode(input_mode=cast("InputMode", mode), length=length, description=description)


def check_against(offer: CredentialOffer, *, configuration_ids: Collection[str], authorization_servers: Sequence[str] = ()) -> str:
    """Compare an offer with the issuer's metadata; gives the identifier of the authorization server to use.

    `authorization_servers`: as the metadata list them, empty when they do not (the issuer is then its own, VCI-META-7).
    Raises `VerificationFailed("offer_configuration")` for an offered configuration the metadata do not know (VCI-OFF-2),
    `VerificationFailed("offer_authorization_server")` when the offer names one that is not listed, or names one although
    the metadata list fewer than two (VCI-OFF-5), `Refused("offer_authorization_server")` when several are listed and none is named.
    """
    if not set(offer.configuration_ids) <= set(configuration_ids):
        raise VerificationFailed("offer_configuration", "a credential is offered that the issuer's metadata do not know")
    servers = tuple(authorization_servers)
    if offer.authorization_server is not None:
        if len(servers) < 2 or offer.authorization_server not in servers:
            raise VerificationFailed("offer_authorization_server", "the offer names an authorization server it may not name")
        return offer.authorization_server
    if len(servers) > 1:
        raise Refused("offer_authorization_server", "several authorization servers, and the offer names none")
    return servers[0] if servers else offer.credential_issuer
