"""Encrypted requests and responses (OpenID4VCI 1.0 §10). Errors never pass here: they are never encrypted (VCI-ENC-4)."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import Response

from issuer.institutions import Institution
from issuer.routes.answers import NO_STORE, answer
from vc.openid4vci import encryption
from vc.openid4vci.encryption import ResponseEncryption


async def opened(request: Request, institution: Institution) -> tuple[object, bool]:
    """The decoded request and whether it came encrypted, to one of the institution's keys, the older ones included (rotation).

    Raises what `encryption.open_request` raises.
    """

    def find_key(kid: str) -> ec.EllipticCurvePrivateKey | None:
        key = institution.encryption_key(kid)
        return None if key is None else key.private

    return encryption.open_request(
        await request.body(),
        request.headers.get("content-type"),
        offer=institution.profile.encryption,
        find_key=find_key,
    )


def sealed(body: Mapping[str, Any], to: ResponseEncryption | None, *, status: int = 200) -> Response:
    """The answer, encrypted as the wallet asked for it in this very request."""
    if to is None:
        return answer(body, status=status)
    return Response(encryption.seal(body, to), status, headers=NO_STORE, media_type=encryption.JWT)
