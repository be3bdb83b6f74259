"""What a list operator does about the trust root: draft the next version, have it signed by key holders, publish it.

The holders' keys never lie beside the lists: each signs the draft on a machine of their own (`root_chain.add_signature`).
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from trust_list import authoring, root_chain
from trust_list.root import MAX_ROOT, TrustRoot
from trust_list.store import Publisher, locked, write_atomically, write_new
from vc.errors import Malformed, Refused
from vc.keys import jwk
from vc.keys.signer import LocalSigner

VALID_FOR = timedelta(days=365)
_MAX_PEM = 16 * 1024


def new_key(path: Path) -> None:
    """Write a new P-256 key of a key holder (PKCS #8 PEM, for its owner's eyes only). Raises OSError, also when `path` exists."""
    key = ec.generate_private_key(ec.SECP256R1())
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def read_key(path: Path) -> LocalSigner:
    """The signer of a key file. Raises `Malformed("root_key")` or OSError."""
    if path.stat().st_size > _MAX_PEM:
        raise Malformed("root_key", "the key file is too long")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as exc:
        raise Malformed("root_key", "the file holds no readable private key") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Malformed("root_key", "the key is not one on an elliptic curve")
    return LocalSigner(key)


def current(directory: Path) -> TrustRoot | None:
    """The root this publisher hands out, None before the first. Raises `VcError`."""
    path = directory / "trust-root.json"
    return TrustRoot.load(path.read_bytes()) if path.is_file() else None


def draft(
    directory: Path,
    holders: Sequence[ec.EllipticCurvePublicKey],
    *,
    threshold: int,
    now: datetime,
    valid_for: timedelta = VALID_FOR,
    floors: Mapping[str, int] | None = None,
) -> TrustRoot:
    """The next version: this publisher's lists under its present key, followed by what `holders` sign.

    A list that the present root has keeps its floor unless `floors` gives another, by list id: verifiers keep what they
    remember of a list about which the new root says nothing new. Raises `Refused("list_unknown")` for a floor of no list.
    """
    before, given = current(directory), dict(floors or {})
    root = authoring.trust_root(directory, now=now, version=before.version + 1 if before else 1, valid_for=valid_for)
    known = {entry.id: entry.min_sequence for entry in before.lists} if before else {}
    if not given.keys() <= {entry.id for entry in root.lists}:
        raise Refused("list_unknown", "a floor is given for a list this publisher has not")
    lists = tuple(replace(entry, min_sequence=given.get(entry.id, known.get(entry.id, entry.min_sequence))) for entry in root.lists)
    return TrustRoot.load(
        replace(
            root,
            lists=lists,
            keys={jwk.thumbprint(key): key for key in holders},
            threshold=threshold,
            updates=f"{Publisher(directory).config()['base_url']}/root/",
        ).render()
    )


def publish(directory: Path, signed: bytes) -> TrustRoot:
    """Put a signed root in force: kept as `root/N.jws` for ever, and handed out as `trust-root.json`.

    A root with keys is followed only by its successor. The first root with keys replaces one without them, or none, on the word
    of the operator, but must bear its own signatures. Raises the errors of `root_chain.successor`, `Refused("root_rollback")`.
    """
    publisher = Publisher(directory)
    with locked(publisher.lock):
        before = current(directory)
        if before is not None and before.keys:
            root = root_chain.successor(before, signed)
        else:
            root = root_chain.self_signed(signed)
            if before is not None and root.version <= before.version:
                raise Refused("root_rollback", "the trust root is not newer than the one handed out")
        folder = directory / "root"
        folder.mkdir(exist_ok=True)
        path = folder / f"{root.version}.jws"
        if not path.exists():
            write_new(path, signed, 0o444)
        elif path.read_bytes() != signed:  # left by a publication that was cut off, or not ours
            raise Refused("root_conflict", "another trust root of this version was published before")
        write_atomically(directory / "trust-root.json", root.render())
    return root


def read_root(path: Path) -> TrustRoot:
    """The root of a plain or a signed file, its signatures not looked at. Raises `VcError` or OSError."""
    data = read_bytes(path)
    return root_chain.payload_of(data) if b'"signatures"' in data else TrustRoot.load(data)


def read_bytes(path: Path) -> bytes:
    """The bytes of a root file within the bounds of one. Raises `Malformed("too_large")` or OSError."""
    if path.stat().st_size > root_chain.MAX_SIGNED + MAX_ROOT:
        raise Malformed("too_large", "the trust root is too long")
    return path.read_bytes()
