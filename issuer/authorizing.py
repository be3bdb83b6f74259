"""From a pushed request to a code: the wallet says what it wants, the person signs in, their document is found (OpenID4VCI 1.0 §5).

1 `push`: the request of a known client, stored  2 `begin`: the person's browser is sent to the OpenID Provider  3 `come_back`: the
same browser comes back with the provider's answer  4 the document about this person is looked for  5 `agree`: where somebody else's
wallet could be waiting, the person is asked  6 the wallet gets a code.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import NoReturn
from urllib.parse import urlsplit

import structlog

from issuer import entitlements, matching
from issuer.clients import Client
from issuer.grants import claim_proof
from issuer.institutions import Institution
from issuer.service import Service
from issuer.sign_in.client import Pending, SignInClient
from issuer.sign_in.person import Person, person_of
from issuer.store import authorizations as store
from issuer.store import documents, grants, rates
from issuer.store.authorizations import Authorization, Stage
from issuer.store.documents import StoredDocument
from issuer.store.engine import reading, writing
from vc.documents.model import Document
from vc.documents.profile import ProjectionLacks, ProjectionLoses
from vc.encoding import base64url
from vc.errors import Refused, Unreachable, VcError, VerificationFailed
from vc.openid4vci.authorization import REQUEST_URI_PREFIX, AuthorizationRequest, bound_key, response_url
from vc.openid4vci.dpop import DpopProof

CALLBACK, AGREED = "sign-in/callback", "sign-in/agreed"
_log = structlog.get_logger("issuer")


class Stopped(Refused):
    """It ends here, with a page for the person. `code` names the page; `authorization`: whose wallet may be told, if any."""

    def __init__(self, code: str, authorization: Authorization | None = None) -> None:
        super().__init__(code, "the authorization was stopped")
        self.authorization = authorization


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The person is to say whether the wallet at the address `host` is theirs; `state` comes back with a yes."""

    host: str
    state: str = field(repr=False)


def push(
    service: Service,
    institution: Institution,
    client: Client,
    asked: AuthorizationRequest,
    *,
    proof: DpopProof | None,
    now: datetime,
) -> str:
    """Store a pushed request; gives its `request_uri` (RFC 9126 §2.2).

    `client`: authenticated as `asked.client_id` (VCI-AUTHZ-10). Raises `Refused` with `redirect_uri_unregistered`, `scope_types`,
    `scope_offer`, `issuer_state_unknown`, `dpop_replay`, `rate_limit`, and what spending a wallet attestation raises.
    """
    client.check_redirect(asked.redirect_uri)
    declared = entitlements.configurations(institution)
    if len({declared[name].document_type for name in asked.configuration_ids}) != 1:
        raise Refused("scope_types", "one authorization covers credentials of one type of document; ask for each in its own")
    jkt = bound_key(asked, None if proof is None else proof.thumbprint)
    request_uri = REQUEST_URI_PREFIX + base64url.encode(service.random_bytes(32))
    with writing(service.engine) as connection:
        rates.claim(connection, institution.id, "authorizations", service.settings.writes_per_minute, now)
        client.claim(connection, institution, now)
        if proof is not None:
            claim_proof(connection, proof, now)
        offer_id = None
        if asked.issuer_state is not None:
            offer = grants.open_offer_by_issuer_state(connection, institution.id, asked.issuer_state, now)
            if offer is None:
                raise Refused("issuer_state_unknown", "the offer is unknown, spent, withdrawn or over", pointer="/issuer_state")
            if not set(asked.configuration_ids) <= set(offer.configuration_ids):  # SECURITY R-5
                raise Refused("scope_offer", "a credential is asked for that was not offered")
            offer_id = offer.offer_id
        authorization = Authorization(
            authorization_id=service.opaque_id(),
            institution_id=institution.id,
            client_id=asked.client_id,
            instance_thumbprint=client.instance_thumbprint,
            dpop_thumbprint=jkt,
            redirect_uri=asked.redirect_uri,
            state=asked.state,
            code_challenge=asked.code_challenge,
            configuration_ids=asked.configuration_ids,
            uses_details=asked.configuration_ids_by_details is not None,
            offer_id=offer_id,
            stage=Stage.PUSHED,
            browser_sha256=None,
            upstream=None,
            document_id=None,
            created_at=now,
            expires_at=now + timedelta(seconds=service.settings.pushed_request_seconds),
        )
        store.add(connection, authorization, request_uri=request_uri)
    _log.info("authorization_pushed", institution=institution.id, authorization_id=authorization.authorization_id)
    return request_uri


def begin(service: Service, institution: Institution, *, client_id: str, request_uri: str, browser: str, now: datetime) -> str:
    """The address at the OpenID Provider to send the browser to. May wait for the network. `browser`: the secret in its cookie.

    Raises `Stopped` with `link_over` for a request_uri that is unknown, used, over, or of another client (SECURITY A-7), and with
    what the provider's metadata are bad for.
    """
    with reading(service.engine) as connection:
        found = store.find_pushed(connection, institution.id, request_uri=request_uri, client_id=client_id, now=now)
    if found is None:
        raise Stopped("link_over")
    state = f"{found.authorization_id}.{base64url.encode(service.random_bytes(32))}"
    try:
        url, pending = client_at(service, institution).begin(state, service.random_bytes)
    except VcError as exc:
        _give_up(institution, found, exc)
    with writing(service.engine) as connection:
        begun = store.begin(
            connection,
            found.authorization_id,
            browser_sha256=grants.digest(browser),
            upstream=asdict(pending),
            expires_at=now + timedelta(seconds=service.settings.sign_in_seconds),
            now=now,
        )
    if not begun:
        raise Stopped("link_over")
    return url


def come_back(
    service: Service, institution: Institution, answer: Mapping[str, str], *, browser: str, now: datetime
) -> str | Question:
    """The address of the wallet to send the browser to, with a code for it; or a question first. May wait for the network.

    `answer`: the query of the provider's answer. `browser`: the secret in the browser's cookie, empty without one.

    Raises `Stopped`: `sign_in_over` (no such sign-in, or used, or over), `other_browser` (SECURITY A-16), `provider_refused`,
    `provider_unreachable`, `provider_untrusted`, `claims_missing`, `no_document`, `several_documents`, `form_unavailable`.
    """
    with reading(service.engine) as connection:
        found = store.find(connection, institution.id, answer.get("state", "").partition(".")[0])
    if found is None or found.upstream is None or found.stage is not Stage.SIGNING_IN:
        raise Stopped("sign_in_over")
    client, pending = client_at(service, institution), Pending(**found.upstream)
    if not pending.is_state(answer.get("state", "")):
        raise Stopped("sign_in_over")
    if not compare_digest(grants.digest(browser), found.browser_sha256 or ""):
        raise Stopped("other_browser")  # nothing is spent: the browser that began may still come back
    with writing(service.engine) as connection:
        returned = store.come_back(connection, found.authorization_id, now=now)
    if not returned:
        raise Stopped("sign_in_over", found)
    try:
        person = person_of(client.finish(answer, pending, now=now), client.sign_in.claims)
        document, granted = _document_of(service, institution, found, person, now=now)
    except VcError as exc:
        with writing(service.engine) as connection:
            store.fail(connection, found.authorization_id)
        _give_up(institution, found, exc)
    if _could_be_anybodys(found):
        return _ask(service, found, document, granted, now=now)
    return _give_code(service, institution, found, document.document_id, granted, now=now)


def agree(service: Service, institution: Institution, state: str, *, browser: str, now: datetime) -> str:
    """The person says that the wallet is theirs: its address with a code. Raises `Stopped`: `sign_in_over`, `other_browser`."""
    with reading(service.engine) as connection:
        found = store.find(connection, institution.id, state.partition(".")[0])
    if found is None or found.stage is not Stage.ASKING or found.upstream is None or found.document_id is None:
        raise Stopped("sign_in_over")
    if not compare_digest(state.encode(), str(found.upstream["state"]).encode()):
        raise Stopped("sign_in_over")
    if not compare_digest(grants.digest(browser), found.browser_sha256 or ""):
        raise Stopped("other_browser")
    return _give_code(service, institution, found, found.document_id, found.configuration_ids, now=now)


def _could_be_anybodys(authorization: Authorization) -> bool:
    """An attested wallet names an address of its choice: whoever sends its link to somebody else would get that person's document,
    by a web address as well as by a scheme under which some app opens web addresses. A scheme that is a domain name of an app's
    maker (RFC 8252 §7.1) and this machine lead to the wallet of the person at the screen, a registered address to a wallet that
    knows which request it made."""
    scheme = urlsplit(authorization.redirect_uri).scheme
    return authorization.instance_thumbprint is not None and scheme != "http" and "." not in scheme


def _place(redirect_uri: str) -> str:
    """What a person can know an address by: the host of a web address, else the scheme and what follows it."""
    parts = urlsplit(redirect_uri)
    return parts.netloc if parts.scheme == "https" else f"{parts.scheme}://{parts.netloc}"


def _ask(
    service: Service, authorization: Authorization, document: StoredDocument, granted: tuple[str, ...], *, now: datetime
) -> Question:
    state = f"{authorization.authorization_id}.{base64url.encode(service.random_bytes(32))}"
    with writing(service.engine) as connection:
        asked = store.ask(
            connection,
            authorization.authorization_id,
            document_id=document.document_id,
            configuration_ids=granted,
            upstream={"state": state},
            now=now,
        )
    if not asked:
        raise Stopped("sign_in_over", authorization)
    return Question(host=_place(authorization.redirect_uri), state=state)


def _document_of(
    service: Service, institution: Institution, authorization: Authorization, person: Person, *, now: datetime
) -> tuple[StoredDocument, tuple[str, ...]]:
    """The one document about this person, and in which of the forms asked for it can be issued."""
    declared = entitlements.configurations(institution)
    document_type = declared[authorization.configuration_ids[0]].document_type
    with reading(service.engine) as connection:
        offered = None
        if authorization.offer_id is not None:
            offered = grants.document_of_offer(connection, institution.id, authorization.offer_id) or ""
        found = matching.find_documents(connection, institution.id, document_type, person, document_id=offered, now=now)
    if not found:
        raise Refused("no_document", "no document is about the person who signed in")
    if len(found) > 1:
        raise Refused("several_documents", "more than one document is about the person who signed in")
    document = Document(type=found[0].document_type, data=found[0].document)
    granted = []
    for name in authorization.configuration_ids:
        try:
            declared[name].profile.project(document)
        except (ProjectionLoses, ProjectionLacks):
            continue
        granted.append(name)
    if not granted:
        raise Refused("form_unavailable", "the document cannot be issued in a form that was asked for")
    return found[0], tuple(granted)


def _give_code(
    service: Service,
    institution: Institution,
    authorization: Authorization,
    document_id: str,
    granted: tuple[str, ...],
    *,
    now: datetime,
) -> str:
    code = base64url.encode(service.random_bytes(32))
    with writing(service.engine) as connection:
        given = store.give_code(
            connection,
            authorization.authorization_id,
            before=Stage.RETURNED if authorization.stage is Stage.SIGNING_IN else authorization.stage,
            code=code,
            document_id=document_id,
            configuration_ids=granted,
            expires_at=now + timedelta(seconds=service.settings.code_seconds),
            now=now,
        )
        if given:
            documents.note(connection, document_id, "holder_signed_in", now, authorization_id=authorization.authorization_id)
    if not given:
        raise Stopped("sign_in_over", authorization)
    _log.info("authorization_given", institution=institution.id, authorization_id=authorization.authorization_id)
    return response_url(
        authorization.redirect_uri, code=code, state=authorization.state, iss=institution.credential_issuer
    )  # VCI-AUTHZ-6


def client_at(service: Service, institution: Institution) -> SignInClient:
    """Our client at the institution's OpenID Provider. RuntimeError where the institution has none: then there is no such route."""
    if institution.sign_in is None or service.providers is None:
        raise RuntimeError("no sign-in is set up here")
    return SignInClient(
        sign_in=institution.sign_in, providers=service.providers, redirect_uri=f"{institution.credential_issuer}/{CALLBACK}"
    )


def _give_up(institution: Institution, authorization: Authorization, error: VcError) -> NoReturn:
    """An error of the sign-in as the page it becomes. The log gets the code, never what was said about the person."""
    match error:
        case Stopped():
            raise error
        case Unreachable():
            code = "provider_unreachable"
        case Refused(code="sign_in_refused"):
            code = "provider_refused"
        case Refused(code="claims_missing" | "no_document" | "several_documents" | "form_unavailable"):
            code = error.code
        case VerificationFailed() | _:
            code = "provider_untrusted"
    _log.warning(
        "sign_in_stopped",
        institution=institution.id,
        authorization_id=authorization.authorization_id,
        code=error.code,
        page=code,
        detail=error.detail if code.startswith("provider_") else "",
    )
    raise Stopped(code, authorization) from error
