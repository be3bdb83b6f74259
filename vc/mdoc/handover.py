"""Session transcripts of OpenID4VP 1.0 (appendix B.2.6): what the device signature is bound to besides the document."""

import hashlib
from typing import Any

from cbor2 import CBORTag

from vc.encoding import cbor
from vc.errors import Malformed


def redirect(client_id: str, nonce: str, encryption_thumbprint: bytes | None, response_uri: str) -> bytes:
    """SessionTranscript CBOR for an answer by redirect or direct_post (VP-MDOC-2).

    `client_id` with its prefix; `encryption_thumbprint`: the 32 raw octets (RFC 7638) of the key the answer is encrypted to,
    None when it is not encrypted; `response_uri`, or the redirect_uri where there is none.
    """
    return _transcript("OpenID4VPHandover", [client_id, nonce, _thumbprint(encryption_thumbprint), response_uri])


def dc_api(origin: str, nonce: str, encryption_thumbprint: bytes | None) -> bytes:
    """SessionTranscript CBOR for an answer over the Digital Credentials API (VP-MDOC-3).

    `origin` as the browser writes it: no `origin:` in front, no slash at the end; raises `Malformed("origin")` otherwise.
    """
    if origin.startswith("origin:") or origin.endswith("/"):
        raise Malformed("origin", "an origin has neither a prefix nor a slash at the end")
    return _transcript("OpenID4VPDCAPIHandover", [origin, nonce, _thumbprint(encryption_thumbprint)])


def read(data: bytes) -> bytes:
    """The SessionTranscript in `data`, which is that array or, as ISO/IEC 18013-5 hands it about, the array in tag 24.

    Raises `Malformed("session_transcript")` for another structure and what `cbor.loads` raises.
    """
    value = cbor.loads(data)
    if isinstance(value, CBORTag) and value.tag == 24 and isinstance(value.value, bytes):
        data = value.value
        value = cbor.loads(data)
    if not isinstance(value, list) or len(value) != 3:
        raise Malformed("session_transcript", "a session transcript is an array of three")
    return data


def _thumbprint(value: bytes | None) -> bytes | None:
    if value is not None and len(value) != 32:
        raise Malformed("thumbprint", "a SHA-256 thumbprint has 32 octets")
    return value


def _transcript(name: str, info: list[Any]) -> bytes:
    return cbor.dumps([None, None, [name, hashlib.sha256(cbor.dumps(info)).digest()]])  # VP-MDOC-1
