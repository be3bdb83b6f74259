"""The response (OpenID4VP 1.0 §8): built by the wallet, taken apart and opened by the verifier (VP-RSP-1, -2, -3, -7, -9)."""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import json
from vc.errors import Malformed, Refused
from vc.jose import jwe
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.openid4vp.errors import refuse_old_members

MAX_ENTRIES = 32
MAX_PRESENTATIONS = 32
_QUERY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_ERROR_TEXT = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*\Z")  # RFC 6749 §4.1.2.1
_MAX_ERROR = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainResponse:
    """Form fields of `direct_post`: JSON text of the VP Token."""

    vp_token: str = field(repr=False)
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedResponse:
    """Form field `response` of `direct_post.jwt`."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletError:
    """The wallet declined; allowed without encryption in every mode (VP-RSP-7)."""

    error: str
    description: str
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionKey:
    """The private key made for one request, and the `kid` it was offered under."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    kid: str
    enc_values: tuple[str, ...] = jwe.ENC_VALUES


@dataclass(frozen=True, slots=True, kw_only=True)
class VpToken:
    """`entries`: presentations by query id, none of them looked at yet.

    `notes`: signs of an old-draft wallet in the envelope; no fault by themselves, but worth saying when the holder binding fails.
    """

    entries: Mapping[str, tuple[str, ...]] = field(repr=False)
    notes: tuple[str, ...] = ()


Response = PlainResponse | EncryptedResponse | WalletError


def build_plain(vp_token: Mapping[str, Sequence[str]], *, state: str | None) -> dict[str, str]:
    """The form of a `direct_post` response."""
    form = {"vp_token": json.dumps({name: list(texts) for name, texts in vp_token.items()}).decode()}
    return form if state is None else {**form, "state": state}


def build_encrypted(vp_token: Mapping[str, Sequence[str]], *, state: str | None, to: EncryptionTarget, enc: str) -> dict[str, str]:
    """The form of a `direct_post.jwt` response: a JWE that is not signed (§8.3)."""
    payload: dict[str, Any] = {"vp_token": {name: list(texts) for name, texts in vp_token.items()}}
    if state is not None:
        payload["state"] = state
    return {"response": jwe.encrypt(json.dumps(payload), to=to.key, kid=to.kid, enc=enc)}


def build_error(error: str, *, state: str | None, description: str = "") -> dict[str, str]:
    """The form of an error response (§8.5)."""
    form = {"error": error}
    if description:
        form["error_description"] = description
    return form if state is None else {**form, "state": state}


def parse_form(form: Mapping[str, str]) -> Response:
    """Which kind of response a form is; unknown fields are ignored.

    Raises `Malformed("response")` when it is none or a mixture of kinds, `Refused("old_draft")` for OLD-13.
    """
    kinds = [name for name in ("error", "response", "vp_token") if name in form]
    refuse_old_members(form)
    if len(kinds) != 1:
        raise Malformed("response", "a response has exactly one of vp_token, response and error")
    if kinds[0] == "response":
        return EncryptedResponse(token=form["response"])
    if kinds[0] == "error":
        return _error(form)
    return PlainResponse(vp_token=form["vp_token"], state=form.get("state"))


def open_response(response: Response, *, encryption: DecryptionKey | None, state: str | None) -> VpToken | WalletError:
    """The VP Token of the response to one request.

    `encryption`: this request's key when it asked for `direct_post.jwt`, else None. `state`: what the request carried; when
    it carried one, the same must come back. Raises `Refused`: `encryption_required`, `encryption_unexpected`, `state`, the `jwe_…`
    codes, `old_draft`; `Malformed`: `vp_token`, `response`, `json…`; `VerificationFailed("jwe_decryption")`.
    """
    if isinstance(response, EncryptedResponse):
        if encryption is None:
            raise Refused("encryption_unexpected", "the response is encrypted although that was not asked for")
        return _open_encrypted(response.token, encryption, state)
    _check_state(response.state, state)
    if isinstance(response, WalletError):
        return response
    if encryption is not None:  # SECURITY V-5
        raise Refused("encryption_required", "the response is not encrypted although that was asked for")
    return VpToken(entries=_entries(json.loads(response.vp_token)))


def _open_encrypted(token: str, encryption: DecryptionKey, state: str | None) -> VpToken | WalletError:
    if token.count(".") == 2:
        raise Refused("old_draft", "OLD-15: a response is a JWE only, never a signed JWT (§8.3)")
    opened = jwe.decrypt(
        token,
        find_key=lambda kid: encryption.key if kid == encryption.kid else None,
        enc_values=encryption.enc_values,
    )
    if opened.plaintext.count(b".") == 2 and opened.plaintext[:1] != b"{":
        raise Refused("old_draft", "OLD-15: the content of the JWE is a signed JWT, it must be the JSON object itself (§8.3)")
    payload = json.loads_object(opened.plaintext)
    refuse_old_members(payload)
    if ("error" in payload) == ("vp_token" in payload):
        raise Malformed("response", "the content has exactly one of vp_token and error")
    _check_state(payload.get("state"), state)
    if "error" in payload:
        return _error(payload)
    notes = ("OLD-16: the JWE names apu or apv, as wallets do that use the handover of ISO/IEC 18013-7:2024",)
    return VpToken(entries=_entries(payload["vp_token"]), notes=notes if "apu" in opened.header or "apv" in opened.header else ())


def _entries(value: object) -> dict[str, tuple[str, ...]]:
    """VP-RSP-1. Which ids may occur is for `dcql.check_shape` to say."""
    if not isinstance(value, dict) or not 0 < len(value) <= MAX_ENTRIES:
        raise Malformed("vp_token", "vp_token is an object of query ids and arrays", pointer="/vp_token")
    for name, texts in value.items():
        if not _QUERY_ID.match(name):
            raise Malformed("vp_token", "a query id has characters that do not belong there", pointer="/vp_token")
        if not isinstance(texts, list) or not 0 < len(texts) <= MAX_PRESENTATIONS:
            raise Malformed("vp_token", "a query is answered with a non-empty array", pointer=f"/vp_token/{name}")
        if not all(isinstance(text, str) and text for text in texts):
            raise Malformed("vp_token", "a presentation is a text", pointer=f"/vp_token/{name}")
    return {name: tuple(texts) for name, texts in value.items()}


def _error(members: Mapping[str, Any]) -> WalletError:
    error, description, state = members["error"], members.get("error_description", ""), members.get("state")
    for text in (error, description):
        if not isinstance(text, str) or len(text) > _MAX_ERROR or not _ERROR_TEXT.match(text):
            raise Malformed("response", "an error is a short text of the allowed characters", pointer="/error")
    if state is not None and not isinstance(state, str):
        raise Malformed("response", "state is a text", pointer="/state")
    return WalletError(error=error, description=description, state=state)


def _check_state(found: object, expected: str | None) -> None:
    """VP-REQ-9: required again when it was sent; compared in constant time, since knowing it addresses a transaction."""
    if expected is None:
        return
    if not isinstance(found, str) or not hmac.compare_digest(found.encode(), expected.encode()):
        raise Refused("state", "the response does not carry the state of its request", pointer="/state")
