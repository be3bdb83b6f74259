"""What a code and a refresh token become: access tokens, for the wallet they were made for and as long as the document stands."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy import Connection

from issuer import entitlements, tokens
from issuer.clients import Client
from issuer.grants import claim_proof
from issuer.institutions import Institution
from issuer.service import Service
from issuer.store import authorizations, documents, refresh
from issuer.store import grants as store
from issuer.store.authorizations import Authorization, Stage
from issuer.store.documents import DocumentState
from issuer.store.engine import reading, writing
from issuer.store.grants import Grant
from issuer.store.refresh import RefreshGrant
from issuer.tokens import AccessToken
from vc.errors import Malformed, Refused, VerificationFailed
from vc.openid4vci import token
from vc.openid4vci.dpop import DpopProof
from vc.openid4vci.token import AuthorizationCodeTokenRequest, RefreshTokenRequest

_log = structlog.get_logger("issuer")


def redeem_code(
    service: Service,
    institution: Institution,
    client: Client,
    asked: AuthorizationCodeTokenRequest,
    *,
    proof: DpopProof | None,
    now: datetime,
) -> AccessToken:
    """Exchange a code (RFC 6749 §4.1.3). It is spent by success alone, and by one caller alone.

    1 the code is known, not used, not over  2 client, redirect_uri and PKCE are those of the request  3 so is the wallet instance
    4 and the DPoP key  5 a part of what was granted  6 the document stands  7 in one transaction: everything spent, tokens made.

    A code that was used before takes the tokens of its first use with it (SECURITY A-9). Raises codes beginning with `code_`,
    `pkce_mismatch`, `dpop_key`, `dpop_replay`, `configuration_not_granted`, `document_revoked`.
    """
    with reading(service.engine) as connection:
        found = authorizations.find_by_code(connection, institution.id, asked.code)
    if found is not None and found.stage in (Stage.REDEEMED, Stage.REVOKED):
        _revoke(service, institution, found, now)
        raise Refused("code_used", "the code is not valid")
    if found is None or found.stage is not Stage.CODED or found.expires_at <= now or found.document_id is None:
        raise _unknown()
    token.check_binding(
        asked,
        client_id=client.client_id or "",
        issued_to=found.client_id,
        redirect_uri=found.redirect_uri,
        code_challenge=found.code_challenge,
    )
    if client.instance_thumbprint != found.instance_thumbprint:
        raise VerificationFailed("code_instance", "the code was given to another instance of this wallet")
    if found.dpop_thumbprint is not None and (proof is None or proof.thumbprint != found.dpop_thumbprint):  # VCI-DPOP-5
        raise VerificationFailed("dpop_key", "the code is bound to another DPoP key")
    granted = _part(asked.configuration_ids, found.configuration_ids)
    uses_details = found.uses_details or asked.configuration_ids is not None
    made = tokens.make(
        service,
        Grant(
            token_sha256="",  # set with the token
            grant_id=found.authorization_id,
            document_id=found.document_id,
            institution_id=institution.id,
            configuration_ids=granted,
            credential_identifiers=tokens.identifiers_for(service, granted) if uses_details else None,
            client_id=client.client_id,
            instance_thumbprint=client.instance_thumbprint,
            not_after=client.not_after,
            dpop_thumbprint=None if proof is None else proof.thumbprint,
            expires_at=now,
        ),
        with_refresh=institution.profile.refresh,
        now=now,
    )
    with writing(service.engine) as connection:
        _check_standing(connection, made.grant, now)
        client.claim(connection, institution, now)
        if proof is not None:
            claim_proof(connection, proof, now)
        kept_until = now + tokens.lifetime(service, made)
        spent = authorizations.redeem(connection, found.authorization_id, kept_until=kept_until, now=now)
        if spent:
            if found.offer_id is not None and not store.spend_by_sign_in(connection, found.offer_id):
                raise _unknown()
            tokens.keep(service, connection, made, now)
            documents.note(connection, found.document_id, "authorization_redeemed", now, authorization_id=found.authorization_id)
    if not spent:  # another caller was faster: two have the code
        _revoke(service, institution, found, now)
        raise Refused("code_used", "the code is not valid")
    _log.info("authorization_redeemed", institution=institution.id, authorization_id=found.authorization_id)
    return made


def renew(
    service: Service,
    institution: Institution,
    client: Client,
    asked: RefreshTokenRequest,
    *,
    proof: DpopProof | None,
    now: datetime,
) -> AccessToken:
    """A new access token for a refresh token, after every check of the first issuance (SECURITY R-4, VCI-TOK-10).

    The refresh token stays as it is (FAPI 2.0 §5.3.2.1). Shown by another client, another instance or with another key it was
    stolen: it is worth nothing from then on, and neither is what came of it (SECURITY A-13).

    Raises codes beginning with `refresh_`, `configuration_not_granted`, `scope_not_granted`, `document_revoked`, `dpop_header`,
    `dpop_replay`.
    """
    if proof is None:
        raise Malformed("dpop_header", "a refresh token is good with the DPoP key it was made for only")
    with reading(service.engine) as connection:
        found = refresh.find(connection, institution.id, asked.refresh_token, now)
    found = _check_unrevoked(found)
    if not _is_its_own(found, client, proof):
        with writing(service.engine) as connection:
            authorizations.revoke_tokens(connection, found.grant_id, now)
        _log.warning("refresh_token_revoked", institution=institution.id, grant_id=found.grant_id)
        raise Refused("refresh_binding", "the refresh token belongs to another wallet instance or key")
    granted = _scoped(institution, asked, found.configuration_ids)
    made = tokens.make(
        service,
        Grant(
            token_sha256="",  # set with the token
            grant_id=found.grant_id,
            document_id=found.document_id,
            institution_id=institution.id,
            configuration_ids=granted,
            credential_identifiers=_identifiers(service, found, asked, granted),
            client_id=found.client_id,
            instance_thumbprint=found.instance_thumbprint,
            not_after=client.not_after,
            dpop_thumbprint=found.dpop_thumbprint,
            expires_at=now,
        ),
        with_refresh=False,
        now=now,
    )
    with writing(service.engine) as connection:
        _check_standing(connection, made.grant, now)
        _check_unrevoked(refresh.find(connection, institution.id, asked.refresh_token, now))  # another worker may have been faster
        client.claim(connection, institution, now)
        claim_proof(connection, proof, now)
        tokens.keep(service, connection, made, now)
        documents.note(connection, found.document_id, "grant_renewed", now, grant_id=found.grant_id)
    _log.info("grant_renewed", institution=institution.id, grant_id=found.grant_id)
    return made


def _part(asked: tuple[str, ...] | None, granted: tuple[str, ...]) -> tuple[str, ...]:
    """VCI-TOK-8: all of it, or the part that is named."""
    if asked is not None and not set(asked) <= set(granted):
        raise Refused("configuration_not_granted", "a credential configuration is asked for that was not granted")
    return asked or granted


def _scoped(institution: Institution, asked: RefreshTokenRequest, granted: tuple[str, ...]) -> tuple[str, ...]:
    part = _part(asked.configuration_ids, granted)
    if asked.scopes is None or asked.configuration_ids is not None:
        return part
    by_scope = {entitlements.configurations(institution)[name].scope: name for name in granted}
    if not set(asked.scopes) <= by_scope.keys():  # RFC 6749 §6
        raise Refused("scope_not_granted", "a scope is asked for that was not granted")
    return tuple(by_scope[scope] for scope in asked.scopes)


def _identifiers(
    service: Service, found: RefreshGrant, asked: RefreshTokenRequest, granted: tuple[str, ...]
) -> Mapping[str, str] | None:
    """Those of the grant; fresh ones when details are used for the first time now (VCI-TOK-5)."""
    if found.credential_identifiers is not None:
        return {key: name for key, name in found.credential_identifiers.items() if name in granted}
    return None if asked.configuration_ids is None else tokens.identifiers_for(service, granted)


def _check_unrevoked(found: RefreshGrant | None) -> RefreshGrant:
    if found is None or found.revoked:
        raise Refused("refresh_unknown", "the refresh token is not valid")
    return found


def _is_its_own(found: RefreshGrant, client: Client, proof: DpopProof) -> bool:
    return (
        client.client_id == found.client_id
        and client.instance_thumbprint == found.instance_thumbprint
        and proof.thumbprint == found.dpop_thumbprint
    )


def _check_standing(connection: Connection, grant: Grant, now: datetime) -> None:
    document = documents.find(connection, grant.institution_id, grant.document_id, lock=True)
    if document is None or document.state(now) is DocumentState.REVOKED:
        raise Refused("document_revoked", "the document has been withdrawn")


def _revoke(service: Service, institution: Institution, found: Authorization, now: datetime) -> None:
    with writing(service.engine) as connection:
        authorizations.revoke(connection, found.authorization_id, now)
        if found.document_id is not None:
            documents.note(connection, found.document_id, "code_replayed", now, authorization_id=found.authorization_id)
    _log.warning("code_replayed", institution=institution.id, authorization_id=found.authorization_id)


def _unknown() -> Refused:
    return Refused("code_unknown", "the code is not valid")
