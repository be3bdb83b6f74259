"""The table of the two credential formats: the only place outside `vc.sdjwt` and `vc.mdoc` where they differ.

A service names a format by its identifier (`dc+sd-jwt`, `mso_mdoc`) and never asks which one it is.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from vc.documents.catalogue import Configuration
from vc.documents.document import Document
from vc.encoding.claims_path import Path
from vc.errors import Refused
from vc.formats import mdoc, sdjwt
from vc.formats.detect import Artefact, Kind, detect
from vc.formats.model import (
    Challenge,
    Credential,
    Envelope,
    Format,
    PreparedCredential,
    TranscriptChallenge,
    UnverifiedCredential,
)
from vc.keys.signer import Signer

__all__ = [
    "FORMATS",
    "Artefact",
    "Challenge",
    "Credential",
    "Envelope",
    "Kind",
    "PreparedCredential",
    "TranscriptChallenge",
    "UnverifiedCredential",
    "detect",
    "parse_issued",
    "parse_presented",
    "prepare",
    "present",
    "sign",
]

FORMATS: dict[str, Format] = {sdjwt.FORMAT: sdjwt.SdJwtFormat(), mdoc.FORMAT: mdoc.MdocFormat()}


def _format(name: str) -> Format:
    found = FORMATS.get(name)
    if found is None:
        raise Refused("unknown_format", "the credential format is neither dc+sd-jwt nor mso_mdoc")
    return found


def prepare(
    configuration: Configuration,
    document: Document,
    envelope: Envelope,
    *,
    random_bytes: Callable[[int], bytes],
    claims: Mapping[str, Any] | None = None,
) -> PreparedCredential:
    """Everything of the credential but the signature, with fresh salts.

    `random_bytes(n)` gives n octets from a secure source. `claims`: what `configuration.profile.project(document)` gave, for a
    caller that makes many copies. Raises what `Profile.project` raises (a fact would be lost or is
    missing).
    """
    told = configuration.profile.project(document) if claims is None else claims
    return _format(configuration.format).prepare(configuration, told, envelope, random_bytes=random_bytes)


def sign(prepared: PreparedCredential, signer: Signer) -> str:
    """The credential in the form OpenID4VCI carries it (1.0 Appendix A: SD-JWT as it is, mdoc as base64url of IssuerSigned)."""
    return _format(prepared.format).sign(prepared, signer)


def parse_issued(format: str, text: str) -> UnverifiedCredential:
    """A credential as an issuer delivers it, taken apart. Raises `Malformed`, `Refused` (an SD-JWT that comes with a KB-JWT)."""
    return _format(format).parse_issued(text)


def parse_presented(format: str, text: str) -> UnverifiedCredential:
    """A presentation as a wallet delivers it (OpenID4VP 1.0 Appendix B: SD-JWT with KB-JWT, mdoc as base64url of DeviceResponse).

    Raises `Malformed`, and `VerificationFailed("mdoc_documents")` for a response that does not hold exactly one document.
    """
    return _format(format).parse_presented(text)


def present(
    format: str,
    text: str,
    *,
    holder: Signer,
    disclose: Collection[Path],
    challenge: Challenge,
    now: datetime,
) -> str:
    """The presentation of an issued credential: only `disclose`, bound by `holder` to `challenge`."""
    return _format(format).present(text, holder=holder, disclose=disclose, challenge=challenge, now=now)
