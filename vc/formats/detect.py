"""What kind of thing a file, a paste or a QR holds, told from its first characters or bytes; nothing is verified here."""

from dataclasses import dataclass, field
from enum import StrEnum

from vc.encoding import base64url, cbor
from vc.errors import Malformed
from vc.jose import jws

MAX_BYTES = 1024 * 1024


class Kind(StrEnum):
    """The artefacts a check can start from."""

    SD_JWT = "sd-jwt"
    ISSUER_SIGNED = "issuer-signed"
    DEVICE_RESPONSE = "device-response"
    STATUS_LIST_JWT = "status-list-jwt"
    STATUS_LIST_CWT = "status-list-cwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """`text` is the wire form of the kind: SD-JWT or JWT as it is, CBOR as unpadded base64url."""

    kind: Kind
    text: str = field(repr=False)

    @property
    def format(self) -> str | None:
        """The credential format, None for a status list."""
        return _FORMATS.get(self.kind)


_FORMATS = {Kind.SD_JWT: "dc+sd-jwt", Kind.ISSUER_SIGNED: "mso_mdoc", Kind.DEVICE_RESPONSE: "mso_mdoc"}


def detect(data: bytes) -> Artefact:
    """The kind of `data`: text (surrounding white space is dropped), hexadecimal or base64url CBOR, or raw CBOR.

    Raises `Malformed("too_large")` and `Malformed("unknown_artefact")`.
    """
    if len(data) > MAX_BYTES:
        raise Malformed("too_large", "the file is too long")
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        return _cbor(data)
    if "~" in text:
        return Artefact(kind=Kind.SD_JWT, text=text)
    if text.count(".") == 2:
        typ = jws.parse(text, max_length=MAX_BYTES).header.get("typ")
        if isinstance(typ, str) and typ.lower().removeprefix("application/") == "statuslist+jwt":
            return Artefact(kind=Kind.STATUS_LIST_JWT, text=text)
        raise Malformed("unknown_artefact", "a signed token, but neither an SD-JWT nor a status list")
    return _cbor(_bytes(text))


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64url.decode(text)
    except Malformed as exc:
        raise Malformed("unknown_artefact", "neither a token nor hexadecimal or base64url data") from exc


def _cbor(data: bytes) -> Artefact:
    try:
        value = cbor.loads(data, max_bytes=MAX_BYTES)
    except Malformed as exc:
        raise Malformed("unknown_artefact", "not a credential, a presentation or a status list") from exc
    if isinstance(value, dict) and "issuerAuth" in value:
        kind = Kind.ISSUER_SIGNED
    elif isinstance(value, dict) and "documents" in value:
        kind = Kind.DEVICE_RESPONSE
    elif isinstance(value, list) or getattr(value, "tag", None) == 18:
        kind = Kind.STATUS_LIST_CWT
    else:
        raise Malformed("unknown_artefact", "CBOR, but not a credential, a presentation or a status list")
    return Artefact(kind=kind, text=base64url.encode(data))
