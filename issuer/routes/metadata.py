"""The well-known documents of an institution: plain JSON always, signed where it has an access certificate and is asked to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from issuer import metadata as described
from issuer.institutions import Institution, KeyUse
from issuer.routes import negotiation
from issuer.routes.answers import PUBLIC, answer, refusal
from issuer.service import Service
from vc.clock import from_numeric_date
from vc.encoding import base64url
from vc.jose import jws
from vc.keys import jwk
from vc.openid4vci import authorization_server as authorization
from vc.openid4vci import metadata, signed_metadata

_log = structlog.get_logger("issuer")
_CACHED = {**PUBLIC, "cache-control": "public, max-age=60"}
_VARYING = {**_CACHED, "vary": "accept, accept-language"}
_JSON, _JWT = "application/json", "application/jwt"
SIGNED_FOR = timedelta(hours=24)
"""How long signed metadata are good; they are signed anew after half of it."""
MAX_KEPT = 256
"""Descriptions that are kept, of all institutions and combinations of languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    token: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Issuer metadata in some languages; not to be changed. `locales`: those that occur."""

    body: Mapping[str, Any]
    locales: frozenset[str]


class Publications:
    """The metadata of the institutions, each made once, for nothing in them changes while the service runs but that a registration
    certificate ends. Signatures are made anew when half of their time is over. One object per worker.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._described: dict[tuple[str, bool, tuple[str, ...]], Description] = {}
        self._signed: dict[str, _Signed] = {}
        self._registered_until = {one.id: _registered_until(one) for one in service.settings.institutions.values()}

    def described(self, institution: Institution, now: datetime, languages: tuple[str, ...] = ()) -> Description:
        """The issuer metadata, in all languages or in those named. A registration certificate that is over is left out."""
        ends = self._registered_until[institution.id]
        registered = ends is None or now < ends
        if not registered:
            _log.error("registration_certificate_expired", institution=institution.id)
        key = (institution.id, registered, tuple(sorted(languages)))
        if key not in self._described:
            if len(self._described) >= MAX_KEPT:  # anybody may think of a new combination of languages
                self._described.clear()
            self._described[key] = self._describe(institution, now, languages, registered=registered)
        return self._described[key]

    def _describe(self, institution: Institution, now: datetime, languages: tuple[str, ...], *, registered: bool) -> Description:
        if languages:
            body = described.in_languages(self.described(institution, now).body, languages)
        else:
            body = described.credential_issuer(institution, self._service.settings)
        if not registered:
            body.pop("issuer_info", None)
        return Description(body=body, locales=described.locales(body))

    def signed(self, institution: Institution, now: datetime) -> str | None:
        """The same as a JWT of the institution's access certificate (VCI-META-19, -20); None where that has none that is good."""
        signer = institution.access_signer
        if signer is None or not institution.profile.signed_metadata:
            return None
        ends = min(now + SIGNED_FOR, signer.chain[0].not_valid_after_utc)  # SECURITY O-14
        if ends <= now:
            _log.error("access_certificate_expired", institution=institution.id)
            return None
        held = self._signed.get(institution.id)
        if held is None or not now < held.until:
            token = signed_metadata.sign(self.described(institution, now).body, signer, now=now, expires=ends)
            registered = self._registered_until[institution.id]
            anew = now + (ends - now) / 2
            until = anew if registered is None or registered <= now else min(anew, registered)
            held = self._signed[institution.id] = _Signed(token=token, until=until)
        return held.token


def _registered_until(institution: Institution) -> datetime | None:
    """The end of the registration certificate; None where there is none, or no end."""
    if institution.registration_certificate is None:
        return None
    claims = jws.parse(institution.registration_certificate).claims()
    return from_numeric_date(claims["exp"]) if "exp" in claims else None


async def credential_issuer(request: Request, service: Service, institution: Institution) -> Response:
    """Credential Issuer Metadata (§12.2.2): signed for those who name `application/jwt` and like it no less, JSON for the rest.

    Whoever cannot be satisfied gets JSON (SECURITY I-19), but for one who has said that JSON will not do.
    """
    publications, now = _publications(request), service.clock()
    accept = ",".join(request.headers.getlist("accept"))
    plain, signed = negotiation.quality(accept, _JSON), negotiation.quality(accept, _JWT)
    token = publications.signed(institution, now) if 0 < signed >= plain and negotiation.names(accept, _JWT) else None
    if token is not None:
        return Response(token, headers=_VARYING, media_type=_JWT)
    if plain == 0 and negotiation.names(accept, _JSON):
        return refusal(406, "not_acceptable", "the metadata of this issuer are application/json", _VARYING)
    full = publications.described(institution, now)
    wanted = negotiation.locales(",".join(request.headers.getlist("accept-language")), full.locales)
    if not wanted:
        return answer(full.body, headers=_VARYING)
    chosen = publications.described(institution, now, wanted)
    return answer(chosen.body, headers={**_VARYING, "content-language": ", ".join(sorted(chosen.locales))})


def _publications(request: Request) -> Publications:
    publications: Publications = request.app.state.publications
    return publications


async def authorization_server(request: Request, service: Service, institution: Institution) -> Response:
    """Authorization Server Metadata (RFC 8414 §3)."""
    return answer(described.authorization_server(institution), headers=_CACHED)


async def jwt_vc_issuer(request: Request, service: Service, institution: Institution) -> Response:
    """JWT VC Issuer Metadata (SD-JWT VC -13 §5, JVI-1) for old verifiers; ours goes by x5c and the trust list."""
    key = institution.signers[KeyUse.SEAL].public_key
    public = jwk.from_public(key, use="sig", kid=base64url.encode(jwk.thumbprint(key)))
    return answer({"issuer": institution.credential_issuer, "jwks": {"keys": [public]}}, headers=_CACHED)


WELL_KNOWN: dict[str, Callable[[Request, Service, Institution], Awaitable[Response]]] = {
    metadata.WELL_KNOWN: credential_issuer,
    authorization.WELL_KNOWN: authorization_server,
    "jwt-vc-issuer": jwt_vc_issuer,
}
