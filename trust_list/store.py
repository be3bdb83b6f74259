"""The publisher's directory: configuration, operator key, drafts, and editions that never change once written.

config.json                      base address, listening address, operator
operator.key.pem (0600), operator.cert.pem
drafts/ID.json                   the list as it is being edited
lists/ID/latest.json             which edition is current
lists/ID/SEQUENCE.jws, .json     immutable editions
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trust_list.model import MAX_LIST, LoTE, parse
from vc.encoding import json
from vc.errors import Malformed, Refused

FOLDER = "trust-list"


def directory(state: Path) -> Path:
    """The publisher's directory for `--state`: `state/trust-list` when the demo keeps it there, else `state` itself."""
    inner = state / FOLDER
    return inner if inner.is_dir() else state


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Temp file beside it, fsync, rename, fsync of the folder: readers see the old or the new, never half (SECURITY T-12)."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_new(temporary, data, mode)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that does not exist yet, whole and on disk. Raises OSError, FileExistsError among them."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One writer at a time, between processes too. The lock is the file `path`, which stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One published edition. `jws`: the exact bytes; `etag`: SHA-256 over them, in hex."""

    list_id: str
    sequence: int
    jws: bytes
    payload: bytes

    @property
    def etag(self) -> str:
        return hashlib.sha256(self.jws).hexdigest()

    @property
    def lote(self) -> LoTE:
        return parse(self.payload)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Reads and writes one publisher's directory."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    def exists(self) -> bool:
        return (self.root / "config.json").is_file()

    def config(self) -> dict[str, object]:
        """The configuration. Raises `Refused("not_initialised")`."""
        try:
            return json.loads_object((self.root / "config.json").read_bytes())
        except FileNotFoundError as exc:
            raise Refused("not_initialised", "there is no trust list here; `trust-list init` makes one") from exc

    def draft(self, list_id: str) -> LoTE:
        """The list as edited. Raises `Refused("list_unknown")`."""
        try:
            return parse((self.root / "drafts" / f"{list_id}.json").read_bytes())
        except FileNotFoundError as exc:
            raise Refused("list_unknown", "this publisher has no such list") from exc

    def list_ids(self) -> tuple[str, ...]:
        """The lists this publisher has, in the order of their ids."""
        return tuple(sorted(path.stem for path in (self.root / "drafts").glob("*.json")))

    def sequences(self, list_id: str) -> tuple[int, ...]:
        """Every number ever used, also of an edition that never became current: it is not used again."""
        return tuple(sorted(int(path.stem) for path in (self.root / "lists" / list_id).glob("*.jws") if path.stem.isdigit()))

    def latest(self, list_id: str) -> Edition | None:
        """The current edition, None before the first."""
        try:
            pointer = json.loads_object((self.root / "lists" / list_id / "latest.json").read_bytes())
        except FileNotFoundError:
            return None
        return self.edition(list_id, int(pointer["sequence"]))

    def edition(self, list_id: str, sequence: int) -> Edition | None:
        """One edition, None when it does not exist."""
        folder = self.root / "lists" / list_id
        try:
            jws, payload = (folder / f"{sequence}.jws").read_bytes(), (folder / f"{sequence}.json").read_bytes()
        except FileNotFoundError:
            return None
        if len(payload) > MAX_LIST:
            raise Malformed("too_large", "the stored list is too long")
        return Edition(list_id=list_id, sequence=sequence, jws=jws, payload=payload)

    def add(self, edition: Edition) -> None:
        """Write the files of an edition once and make it current. Raises FileExistsError for a number already used."""
        folder = self.root / "lists" / edition.list_id
        folder.mkdir(parents=True, exist_ok=True)
        write_new(folder / f"{edition.sequence}.json", edition.payload, 0o444)
        write_new(folder / f"{edition.sequence}.jws", edition.jws, 0o444)
        _sync_folder(folder)
        write_atomically(folder / "latest.json", json.dumps({"sequence": edition.sequence, "etag": edition.etag}))
