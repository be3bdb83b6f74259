"""Wallet and key attestations with one thing different, for tests of whoever reads them."""

import json
from typing import Any

from cryptography import x509

from tests.support.pki import NOW, holder, root
from vc.encoding import base64url
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner, Signer

SECOND = int(NOW.timestamp())
PROVIDER_ROOT = root("Wallet provider root")
PROVIDER = PROVIDER_ROOT.leaf(subject={"C": "FR", "O": "Test Wallet Provider", "CN": "Attester"})
STRANGER = root("Another root").leaf()
INSTANCE, OTHER = holder(), holder()
LIST = {"status_list": {"idx": 7, "uri": "https://wallet-provider.test/list"}}


def without(values: dict[str, Any]) -> dict[str, Any]:
    """`values` without the members whose value is `...`."""
    return {name: value for name, value in values.items() if value is not ...}


def signed(header: dict[str, Any], claims: Any, signer: Signer) -> str:
    """A JWT; members that are `...` are left out. Claims that are bytes are the payload as it is."""
    payload = claims if isinstance(claims, bytes) else _dumps(without(claims))
    return jws.seal(base64url.encode(_dumps({"alg": signer.curve.alg, **without(header)})), payload, signer)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A JWT with any header at all and this signature."""
    parts = (_dumps(without(header)), _dumps(without(claims)), signature)
    return ".".join(map(base64url.encode, parts))


def _dumps(value: Any) -> bytes:
    """JSON of any value, also such as a strict writer would refuse: endless integers, NaN, lone surrogates."""
    return json.dumps(value).encode("ascii")


def header(typ: str, chain: tuple[x509.Certificate, ...] = PROVIDER.chain, /, **changes: Any) -> dict[str, Any]:
    """The header of an attestation."""
    return {"typ": typ, "x5c": jws.x5c(chain), **changes}


def public(signer: Signer) -> dict[str, Any]:
    """The public JWK of a key."""
    return jwk.from_public(signer.public_key)


def certificate_faults(typ: str, claims: dict[str, Any], prefix: str) -> list[tuple[str, str, str]]:
    """What is wrong with the outside of an attestation, common to both kinds: name, text, code."""
    anchor = LocalSigner(PROVIDER_ROOT.key, (PROVIDER_ROOT.certificate,))
    with_anchor = header(typ, (*PROVIDER.chain, PROVIDER_ROOT.certificate))
    return [
        ("not a JWT", "abc", f"{prefix}_malformed"),
        ("empty", "", f"{prefix}_malformed"),
        ("not ASCII", "é.é.é", f"{prefix}_malformed"),
        ("two in one", signed(header(typ), claims, PROVIDER) + ",a.b.c", f"{prefix}_malformed"),
        ("too long", signed(header(typ), {**claims, "padding": "a" * 64 * 1024}, PROVIDER), f"{prefix}_malformed"),
        ("payload no object", signed(header(typ), b"[]", PROVIDER), f"{prefix}_malformed"),
        ("duplicate claim", signed(header(typ), b'{"iat":1,"iat":2}', PROVIDER), f"{prefix}_malformed"),
        ("huge integer", signed(header(typ), b'{"iat":' + b"9" * 400 + b"}", PROVIDER), f"{prefix}_malformed"),
        ("no x5c", signed(header(typ, x5c=...), claims, PROVIDER), f"{prefix}_certificate"),
        ("x5c empty", signed(header(typ, x5c=[]), claims, PROVIDER), f"{prefix}_certificate"),
        ("x5c not texts", signed(header(typ, x5c=[{}]), claims, PROVIDER), f"{prefix}_certificate"),
        ("x5c not certificates", signed(header(typ, x5c=["AA=="]), claims, PROVIDER), f"{prefix}_certificate"),
        ("self-signed", signed(header(typ, anchor.chain), claims, anchor), f"{prefix}_certificate"),
        ("anchor inside", signed(with_anchor, claims, PROVIDER), f"{prefix}_certificate"),
        ("jku beside", signed(header(typ, jku="https://evil.test/keys"), claims, PROVIDER), f"{prefix}_key"),
        ("x5u beside", signed(header(typ, x5u="https://evil.test/cert"), claims, PROVIDER), f"{prefix}_key"),
        ("jwk beside", signed(header(typ, jwk=public(OTHER)), claims, PROVIDER), f"{prefix}_key"),
        ("jwk alone", signed(header(typ, x5c=..., jwk=public(OTHER)), claims, OTHER), f"{prefix}_key"),
        ("signed by another key", signed(header(typ), claims, OTHER), f"{prefix}_signature"),
        ("certificate of another", signed(header(typ, STRANGER.chain), claims, PROVIDER), f"{prefix}_signature"),
        ("signature zero", unsigned(header(typ, alg="ES256"), claims, bytes(64)), f"{prefix}_signature"),
        ("signature missing", unsigned(header(typ, alg="ES256"), claims), f"{prefix}_signature"),
        ("alg none", unsigned(header(typ, alg="none"), claims), f"{prefix}_alg"),
        ("alg HS256", unsigned(header(typ, alg="HS256"), claims, bytes(32)), f"{prefix}_alg"),
        ("alg of another curve", unsigned(header(typ, alg="ES384"), claims, bytes(96)), f"{prefix}_alg"),
        ("alg a list", unsigned(header(typ, alg=["ES256"]), claims, bytes(64)), f"{prefix}_alg"),
        ("alg missing", unsigned(header(typ), claims, bytes(64)), f"{prefix}_alg"),
        ("crit", signed(header(typ, crit=["x"], x=1), claims, PROVIDER), f"{prefix}_crit"),
        ("b64", signed(header(typ, b64=False), claims, PROVIDER), f"{prefix}_crit"),
        ("typ missing", signed(header(typ, typ=...), claims, PROVIDER), f"{prefix}_typ"),
        ("typ JWT", signed(header("JWT"), claims, PROVIDER), f"{prefix}_typ"),
        ("typ a list", signed(header(typ, typ=[typ]), claims, PROVIDER), f"{prefix}_typ"),
    ]


def time_faults(prefix: str) -> list[tuple[str, dict[str, Any], str]]:
    """What is wrong with times, common to both kinds: name, claims, code."""
    return [
        ("exp text", {"exp": "tomorrow"}, f"{prefix}_time"),
        ("exp true", {"exp": True}, f"{prefix}_time"),
        ("exp null", {"exp": None}, f"{prefix}_time"),
        ("exp endless", {"exp": 1e300}, f"{prefix}_time"),
        ("expired", {"iat": SECOND - 600, "exp": SECOND - 60}, f"{prefix}_expired"),
        ("iat text", {"iat": str(SECOND)}, f"{prefix}_time"),
        ("iat in the future", {"iat": SECOND + 61}, f"{prefix}_time"),
        ("nbf in the future", {"nbf": SECOND + 61}, f"{prefix}_time"),
        ("nbf an object", {"nbf": {}}, f"{prefix}_time"),
    ]


def status_faults(wrapper: str, prefix: str) -> list[tuple[str, dict[str, Any], str]]:
    """What is wrong with a status, common to both kinds."""
    late = SECOND + 10_000
    return [
        ("status null", {"status": None}, f"{prefix}_status"),
        ("status of another mechanism", {"status": {"crl": "x"}}, f"{prefix}_status"),
        ("status index negative", {"status": {"status_list": {"idx": -1, "uri": "https://x.test/"}}}, f"{prefix}_status"),
        ("status a file", {"status": {"status_list": {"idx": 1, "uri": "file:///etc/passwd"}}}, f"{prefix}_status"),
        (f"{wrapper} a list", {wrapper: []}, f"{prefix}_status"),
        (f"{wrapper} empty", {wrapper: {}}, f"{prefix}_status"),
        (f"{wrapper} without exp", {wrapper: {"status": LIST}}, f"{prefix}_status"),
        (f"{wrapper} without status", {wrapper: {"exp": late}}, f"{prefix}_status"),
        (f"{wrapper} and a bad status", {wrapper: {"status": LIST, "exp": late}, "status": 5}, f"{prefix}_status"),
        (f"{wrapper} not kept up", {wrapper: {"status": LIST, "exp": SECOND - 60}}, f"{prefix}_stale"),
    ]
