"""How one trust root follows another: version N+1 signed by the keys of N and by its own (TRUST 7.2 rule 1; after TUF §5.3).

A signed root is a JWS in general JSON form (RFC 7515 §7.2.1): one payload, the JSON of the root, and a signature for each key,
each under a protected header of `alg`, `typ` and `kid`, the thumbprint of the key (RFC 7638). Accepted versions are stored as
`root/N.jws` before they are used, and read back through the same checks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from trust_list.root import MAX_KEYS, MAX_ROOT, TrustRoot
from trust_list.store import locked, write_atomically
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, VcError, VerificationFailed
from vc.keys import jwk
from vc.keys.ec import curve_of, verify_raw
from vc.keys.signer import Signer

TYPE = "trust-root+jws"
MAX_SIGNED = MAX_ROOT * 4 // 3 + 64 * 1024
MAX_STEPS = 64
"""How many versions are followed at once; a longer walk goes on at the next refresh."""
_MAX_SIGNATURES = 2 * MAX_KEYS


def sign(root: TrustRoot, signers: Sequence[Signer]) -> bytes:
    """The signed root: for a successor the signers are keys of the root before and of this one."""
    payload = base64url.encode(root.render())
    return _document(payload, [_signature(payload, signer) for signer in signers])


def add_signature(signed: bytes, signer: Signer) -> bytes:
    """`signed` with one more signature, so that key holders sign one after another. Raises `Malformed("root_form")`."""
    payload, signatures = _parts(signed)
    return _document(payload, [*signatures, _signature(payload, signer)])


def payload_of(signed: bytes) -> TrustRoot:
    """The root inside, its signatures not looked at. Raises `Malformed`: `root_form` or the codes of `TrustRoot.load`."""
    return TrustRoot.load(base64url.decode(_parts(signed)[0]))


def successor(current: TrustRoot, signed: bytes) -> TrustRoot:
    """The root that follows `current`.

    Raises `Malformed` (`root_form`, `too_large`, those of `TrustRoot.load`), `Refused` (`root_unsigned`: the current or the next
    root has no keys, so nobody could follow it; `root_rollback`: not a higher version; `root_skipped`: not the very next),
    `VerificationFailed("root_threshold")`: too few signatures of the keys before, or of its own.
    """
    payload, signatures = _parts(signed)
    following = TrustRoot.load(base64url.decode(payload))
    if not current.keys or not following.keys:
        raise Refused("root_unsigned", "a trust root without keys has no signed successor and is none")
    if following.version <= current.version:
        raise Refused("root_rollback", "the trust root offered is not newer than the one in force")
    if following.version != current.version + 1:
        raise Refused("root_skipped", "the trust root offered leaves out a version")
    _require(current, "of the root before", payload, signatures)
    _require(following, "of its own keys", payload, signatures)
    return following


def self_signed(signed: bytes) -> TrustRoot:
    """The first root of a chain: signed by its own keys, believed on other grounds. Raises as `successor`."""
    payload, signatures = _parts(signed)
    root = TrustRoot.load(base64url.decode(payload))
    if not root.keys:
        raise Refused("root_unsigned", "a trust root without keys begins no chain")
    _require(root, "of its own keys", payload, signatures)
    return root


def _require(root: TrustRoot, whose: str, payload: str, signatures: Sequence[Mapping[str, str]]) -> None:
    if len(_signed_by(root.keys, payload, signatures)) < root.threshold:
        raise VerificationFailed("root_threshold", f"too few signatures {whose}: {root.threshold} are needed")


@dataclass(frozen=True, slots=True)
class RootStore:
    """The accepted successors in `directory/root`, each a file of the very bytes."""

    directory: Path

    def latest(self, installed: TrustRoot) -> TrustRoot:
        """The newest stored root that follows the `installed` one step by step, or that one itself.

        Raises `Refused("root_chain_broken")`: what is stored is newer but does not follow from the installed root, or is
        another root of the same version. Then an older or foreign root was installed; to begin anew with it on purpose,
        remove the directory.
        """
        versions = [int(path.stem) for path in (self.directory / "root").glob("*.jws") if path.stem.isdigit()]
        newest, current = max(versions, default=0), installed
        try:
            if newest == installed.version and payload_of(self._path(newest).read_bytes()) != installed:
                raise Refused("root_conflict", "another trust root of this version was accepted before")
            while current.version < newest:
                current = successor(current, self._path(current.version + 1).read_bytes())
        except (OSError, VcError) as exc:
            raise Refused("root_chain_broken", "a trust root accepted before does not follow from the installed one") from exc
        return current

    def save(self, root: TrustRoot, signed: bytes) -> None:
        """Store an accepted successor, before it is used. Raises OSError."""
        with locked(self.directory / ".lock"):
            (self.directory / "root").mkdir(exist_ok=True)
            write_atomically(self._path(root.version), signed, mode=0o600)

    def _path(self, version: int) -> Path:
        return self.directory / "root" / f"{version}.jws"


def _document(payload: str, signatures: Sequence[Mapping[str, str]]) -> bytes:
    return json.dumps({"payload": payload, "signatures": list(signatures)})


def _signature(payload: str, signer: Signer) -> dict[str, str]:
    kid = base64url.encode(jwk.thumbprint(signer.public_key))
    protected = base64url.encode(json.dumps({"alg": signer.curve.alg, "typ": TYPE, "kid": kid}))
    return {"protected": protected, "signature": base64url.encode(signer.sign(f"{protected}.{payload}".encode("ascii")))}


def _parts(signed: bytes) -> tuple[str, list[dict[str, str]]]:
    """Payload and signatures, strictly: no unprotected headers, no other members, a bounded number (RFC 7515 §7.2.1)."""
    document: Mapping[str, Any] = json.loads_object(signed, max_bytes=MAX_SIGNED)
    payload, signatures = document.get("payload"), document.get("signatures")
    if set(document) != {"payload", "signatures"} or not isinstance(payload, str) or not isinstance(signatures, list):
        raise Malformed("root_form", "a signed trust root has a payload and signatures")
    if not 0 < len(signatures) <= _MAX_SIGNATURES:
        raise Malformed("root_form", "a signed trust root has no or too many signatures")
    for item in signatures:
        if not isinstance(item, dict) or set(item) != {"protected", "signature"} or not {str}.issuperset(map(type, item.values())):
            raise Malformed("root_form", "a signature has a protected header and a value")
    return payload, signatures


def _signed_by(
    keys: Mapping[bytes, ec.EllipticCurvePublicKey], payload: str, signatures: Sequence[Mapping[str, str]]
) -> frozenset[bytes]:
    """Which of `keys` signed: each counts once, however often it appears; a bad signature counts for nothing."""
    found = set()
    for item in signatures:
        try:
            header = json.loads_object(base64url.decode(item["protected"]))
            kid = base64url.decode(header["kid"]) if isinstance(header.get("kid"), str) else b""
            key = keys.get(kid)
            if key is None or header != {"alg": curve_of(key).alg, "typ": TYPE, "kid": header["kid"]}:
                continue
            verify_raw(key, base64url.decode(item["signature"]), f"{item['protected']}.{payload}".encode("ascii"))
        except VcError:
            continue
        found.add(kid)
    return frozenset(found)
