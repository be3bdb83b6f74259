"""What is known of an OpenID Provider: its metadata and keys, fetched when needed and kept for a while (Discovery 1.0)."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from edge.outbound import Fetched, Outbound
from vc.clock import Clock
from vc.encoding import json
from vc.errors import Malformed, VerificationFailed
from vc.openid4vci import members
from vc.openid4vci.identifiers import check_endpoint

WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = ("ES256", "ES384", "ES512", "PS256", "RS256")
"""Signature algorithms of ID tokens that are taken: asymmetric ones only."""
AUTH_METHODS = ("client_secret_basic", "client_secret_post")
MAX_LENGTH = 256 * 1024
_KEPT = timedelta(hours=1)
_REFETCH = timedelta(seconds=30)
_MAX_KEYS = 50
_CODE = "provider_metadata"
_JSON, _KEY_SET = "application/json", "application/jwk-set+json"  # RFC 7517 §8.5.2: providers serve their keys as either


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The metadata of a provider, as far as we use them. `sends_iss`: its answers name it (RFC 9207)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: tuple[str, ...]
    auth_method: str
    sends_iss: bool


class Providers:
    """Metadata and keys by issuer. Safe to share between threads; every call may wait for the network, within its limits."""

    def __init__(self, outbound: Outbound, *, clock: Clock, allow_http_loopback: bool) -> None:
        self.outbound = outbound
        self._clock, self._allow_http_loopback = clock, allow_http_loopback
        self._lock = threading.Lock()
        self._metadata: dict[str, tuple[datetime, Provider]] = {}
        self._keys: dict[str, tuple[datetime, KeySet]] = {}

    def find(self, issuer: str) -> Provider:
        """The provider of that identifier. Raises `Unreachable`, `Refused("destination")`, `VerificationFailed` with
        `provider_metadata` (no metadata, or those of another) or `provider_answer`."""
        now = self._clock()
        with self._lock:
            kept = self._metadata.get(issuer)
        if kept is not None and now - kept[0] < _KEPT:
            return kept[1]
        found = self._read(json_of(self.outbound.get(issuer.rstrip("/") + WELL_KNOWN, max_bytes=MAX_LENGTH)), issuer)
        with self._lock:
            self._metadata[issuer] = (now, found)
        return found

    def keys(self, provider: Provider, *, newer: bool = False) -> KeySet:
        """Its keys. `newer`: a token names a key that is not among them; they are fetched again, but not twice in 30 seconds,
        whoever asks (a bad token must not become a flood). Raises as `find`."""
        now = self._clock()
        with self._lock:
            kept = self._keys.get(provider.jwks_uri)
        if kept is not None and now - kept[0] < (_REFETCH if newer else _KEPT):
            return kept[1]
        document = json_of(self.outbound.get(provider.jwks_uri, max_bytes=MAX_LENGTH), media_types=(_JSON, _KEY_SET))
        listed = document.get("keys")
        if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_KEYS:
            raise VerificationFailed("provider_keys", "the provider publishes no usable key set")
        try:
            found = KeySet.import_key_set({"keys": [key for key in listed if _is_public(key)]})
        except (JoseError, ValueError, TypeError, KeyError) as exc:
            raise VerificationFailed("provider_keys", "the provider publishes no usable key set") from exc
        with self._lock:
            self._keys[provider.jwks_uri] = (now, found)
        return found

    def _read(self, document: dict[str, Any], issuer: str) -> Provider:
        if document.get("issuer") != issuer:  # Discovery 1.0 §4.3: identical
            raise VerificationFailed(_CODE, "the metadata are those of another provider")
        try:
            iss = members.flag(document, "authorization_response_iss_parameter_supported", _CODE)
            methods = members.texts(document, "token_endpoint_auth_methods_supported", _CODE) or AUTH_METHODS[:1]
            offered = members.texts(document, "id_token_signing_alg_values_supported", _CODE) or ()
            challenges = members.texts(document, "code_challenge_methods_supported", _CODE)
            found = {
                name: check_endpoint(document.get(name), allow_http_loopback=self._allow_http_loopback, pointer=f"/{name}")
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            }
            userinfo = document.get("userinfo_endpoint")
            if userinfo is not None:
                check_endpoint(userinfo, allow_http_loopback=self._allow_http_loopback, pointer="/userinfo_endpoint")
        except Malformed as exc:
            raise VerificationFailed(_CODE, f"the metadata of the provider are not usable: {exc.pointer}") from exc
        algorithms = tuple(name for name in ALGORITHMS if name in offered)
        auth = [name for name in AUTH_METHODS if name in methods]
        if not algorithms or not auth or (challenges is not None and "S256" not in challenges):
            raise VerificationFailed(_CODE, "the provider offers no signature, client authentication or PKCE method of ours")
        return Provider(
            issuer=issuer, **found, userinfo_endpoint=userinfo, algorithms=algorithms, auth_method=auth[0], sends_iss=iss
        )


def json_of(answer: Fetched, *, media_types: Sequence[str] = (_JSON,)) -> dict[str, Any]:
    """The JSON object of a good answer of one of these types. Raises `VerificationFailed("provider_answer")` for anything else."""
    if answer.status != 200:
        raise VerificationFailed("provider_answer", f"the provider answers with HTTP {answer.status}")
    if answer.media_type not in media_types:
        raise VerificationFailed("provider_answer", "the provider's answer is no JSON")
    try:
        return dict(json.loads_object(answer.body, max_bytes=MAX_LENGTH))
    except Malformed as exc:
        raise VerificationFailed("provider_answer", "the provider's answer is no strict JSON object") from exc


def _is_public(key: Any) -> bool:
    """A public signature key; symmetric keys and private parts have no place in a published set."""
    return isinstance(key, dict) and key.get("kty") in ("EC", "RSA") and "d" not in key and key.get("use", "sig") == "sig"
