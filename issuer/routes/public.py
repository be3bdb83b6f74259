"""What anybody may fetch: status lists, certificates, type metadata, offers and their pictures. No wallet is told apart here."""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from issuer import offering, picture, publishing, type_metadata
from issuer.institutions import Institution
from issuer.routes.answers import NO_STORE, PUBLIC, answer, not_found, refusal
from issuer.service import Service
from issuer.store import grants, status
from issuer.store.engine import reading
from issuer.store.grants import Offer
from vc.x509 import certificate

STATUS_TYPES = {publishing.JWT: "application/statuslist+jwt", publishing.CWT: "application/statuslist+cwt"}
_LONG = {"cache-control": "public, max-age=86400"}


async def status_list(request: Request, service: Service, institution: Institution) -> Response:
    """A status list token, JWT or CWT by `Accept` (Token Status List §8.1), with ETag."""
    if "time" in request.query_params:  # TSL-11: states of the past are not served
        return refusal(501, "not_supported", "status lists of the past are not served", PUBLIC)
    kind = _kind(request.headers.get("accept", ""))
    if kind is None:
        return refusal(406, "not_acceptable", "a status list is application/statuslist+jwt or +cwt", PUBLIC)
    now = service.clock()
    published = publishing.current(service, institution, request.path_params["list_id"], kind, now)
    if published is None:
        return not_found()
    seconds = publishing.max_age(published, service.settings.status_ttl_seconds, now)
    headers = {**PUBLIC, "cache-control": f"public, max-age={seconds}", "vary": "accept"}
    return _tagged(request, published.token, STATUS_TYPES[kind], headers)


def _kind(accept: str) -> str | None:
    """The form asked for: the first of ours that is named, JWT when anything will do, None when neither will."""
    ranges = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    if not ranges:
        return publishing.JWT
    for name in ranges:
        if name == STATUS_TYPES[publishing.CWT]:
            return publishing.CWT
        if name in (STATUS_TYPES[publishing.JWT], "application/*", "*/*"):
            return publishing.JWT
    return None


async def aggregation(request: Request, service: Service, institution: Institution) -> Response:
    """The addresses of the institution's status lists (Token Status List §9.3)."""
    with reading(service.engine) as connection:
        lists = status.lists_of(connection, institution.id)
    uris = [publishing.list_uri(institution, list_id) for list_id in lists]
    return answer(
        {"status_lists": uris}, headers={**PUBLIC, "cache-control": f"public, max-age={service.settings.status_ttl_seconds}"}
    )


async def signing_certificate(request: Request, service: Service, institution: Institution) -> Response:
    """A signing certificate of the institution by its SHA-256 (x5u, EAA-S-11)."""
    wanted = request.path_params["digest"]
    for signer in institution.signers.values():
        leaf = signer.chain[0]
        if certificate.sha256(leaf).hex() == wanted:
            return Response(certificate.der(leaf), headers={**PUBLIC, **_LONG}, media_type="application/pkix-cert")
    return not_found()


async def type_document(request: Request, service: Service) -> Response:
    """SD-JWT VC type metadata of one vct; `profile` in the path where several shapes share the vct (DOMAIN 0, trap one)."""
    rendered = type_metadata.document(request.path_params["vct"], request.path_params.get("profile"))
    if rendered is None:
        return not_found()
    return _tagged(request, rendered, "application/json", {**PUBLIC, **_LONG})


async def offer(request: Request, service: Service, institution: Institution) -> Response:
    """The Credential Offer by reference (VCI-OFF-3); fetching it twice is no harm."""
    found = _open_offer(request, service, institution)
    return not_found() if found is None else answer(offering.message(institution, found))


async def offer_picture(request: Request, service: Service, institution: Institution) -> Response:
    """The offer's link as a QR code, SVG or PNG."""
    picture_of = _PICTURES.get(request.path_params["kind"])
    found = _open_offer(request, service, institution)
    if found is None or picture_of is None:
        return not_found()
    media_type, drawn = picture_of
    return Response(drawn(offering.link(institution, found)), headers=NO_STORE, media_type=media_type)


_PICTURES = {"svg": ("image/svg+xml", picture.svg), "png": ("image/png", picture.png)}


def _open_offer(request: Request, service: Service, institution: Institution) -> Offer | None:
    with reading(service.engine) as connection:
        return grants.open_offer(connection, institution.id, request.path_params["offer_id"], service.clock())


def _tagged(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """`content` with an entity tag, or 304 when the caller has it (RFC 9110 §13.1.2)."""
    tag = f'"{sha256(content).hexdigest()}"'
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers={**headers, "etag": tag})
    return Response(content, headers={**headers, "etag": tag}, media_type=media_type)
