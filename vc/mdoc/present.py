"""What a wallet does: choose items of an mdoc and sign the session with the device key (ISO/IEC 18013-5 §8.3.2.1.2.2, §9.1.3)."""

from collections.abc import Collection

from vc.cose import sign1
from vc.encoding import cbor
from vc.errors import Refused
from vc.keys.signer import Signer
from vc.mdoc import device_auth, tagged
from vc.mdoc.issuer_signed import parse

_EMPTY = tagged.wrap(b"\xa0")  # no device-signed elements (EAA-P-5)
_START = b"\xa3" + b"".join(
    (tagged.text("version"), tagged.text("1.0"), tagged.text("documents"), b"\x81\xa3", tagged.text("docType"))
)
_NAME_SPACES, _ISSUER_AUTH = tagged.text("nameSpaces"), tagged.text("issuerAuth")


def present(
    issuer_signed: bytes,
    *,
    doctype: str,
    disclose: Collection[tuple[str, str]] | None,
    holder: Signer,
    session_transcript: bytes,
) -> bytes:
    """DeviceResponse CBOR with one document that shows the elements in `disclose` ((namespace, element); None: all).

    Items go out as the bytes the issuer made. `holder` signs; that it is the key of the credential is not checked here (the
    verifier will). Raises `Refused("mdoc_doctype")` when the credential is of another type, `Refused("element_unknown")` when it
    lacks an element, and as `issuer_signed.parse`.
    """
    held = parse(issuer_signed)
    if held.doctype != doctype:
        raise Refused("mdoc_doctype", "the credential is of another document type")
    there = {(namespace, item.element): item for namespace, items in held.namespaces.items() for item in items}
    wanted = there.keys() if disclose is None else set(disclose)
    if not there.keys() >= wanted:
        raise Refused("element_unknown", "the credential has no such element")
    chosen = {
        namespace: [item.received for item in items if (namespace, item.element) in wanted]
        for namespace, items in held.namespaces.items()
    }
    chosen = {namespace: items for namespace, items in chosen.items() if items}
    auth = held.issuer_auth
    kept = cbor.dumps([auth.protected_bytes, auth.unprotected, auth.payload, auth.signature])
    to_sign = device_auth.authentication_bytes(session_transcript, doctype, _EMPTY)
    device_auth_map = {"deviceSignature": sign1.sign(to_sign, holder, detached=True)}
    parts = [_START, tagged.text(doctype), tagged.text("issuerSigned")]
    if chosen:
        parts += (b"\xa2", _NAME_SPACES, cbor.head(cbor.MAP, len(chosen)))
        for namespace, items in chosen.items():
            parts += (tagged.text(namespace), cbor.head(cbor.ARRAY, len(items)), *items)
    else:
        parts.append(b"\xa1")
    parts += (_ISSUER_AUTH, kept, tagged.text("deviceSigned"), b"\xa2", _NAME_SPACES, _EMPTY.tagged)
    parts += (tagged.text("deviceAuth"), cbor.dumps(device_auth_map), tagged.text("status"), b"\x00")
    return b"".join(parts)
