"""The directory of one demo: claimed, emptied of what an earlier demo left, described in `demo.json` for the command line."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vc.encoding import json

MARKER = ".portadoc-demo"
_OURS = (
    "demo.json",
    "issuer.json",
    "verifier.json",
    "trust-root.json",
    "wallet.json",
    "trust-list",
    "issuer",
    "verifier",
    "pki",
    "logs",
    "samples",
    ".wallet-trust",
    ".wallet.json.trust",
    ".wallet.json.lock",
    "wallet-attested.json",
    ".wallet-attested.json.trust",
    ".wallet-attested.json.lock",
)


class DemoError(Exception):
    """The demo cannot start or go on; the text is one sentence for the person at the terminal. `exit_code`: 3 wrong use, 2 else."""

    def __init__(self, sentence: str, *, exit_code: int = 2) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class State:
    """Where everything of one demo lies. `root` is absolute."""

    root: Path

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def trust_list(self) -> Path:
        return self.root / "trust-list"

    @property
    def trust_root(self) -> Path:
        return self.root / "trust-root.json"

    @property
    def wallet(self) -> Path:
        return self.root / "wallet.json"

    @property
    def attested_wallet(self) -> Path:
        """A second wallet of the same person, whose provider vouches for it."""
        return self.root / "wallet-attested.json"

    def write_json(self, name: str, value: Mapping[str, Any]) -> Path:
        """Write `root/NAME`, readable by its owner only: settings name keys, `demo.json` holds tokens."""
        path = self.root / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(dict(value)))
        return path


@contextmanager
def claimed(root: Path) -> Iterator[State]:
    """The empty state directory `root`, ours alone for the time of the block.

    Only what a demo writes is removed, and only from a directory that carries the mark of an earlier demo. Raises `DemoError`
    with exit code 3 for a directory of somebody else and for one in which a demo is running.
    """
    root = root.resolve()
    marker = root / MARKER
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()) and not marker.is_file():
            raise DemoError(f"{root} is not empty and no demo made it: name another directory with --state", exit_code=3)
        with marker.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise DemoError(
                    f"a demo is running in {root}: end it, or name another directory with --state", exit_code=3
                ) from exc
            for name in _OURS:
                _remove(root / name)
            root.chmod(0o700)
            state = State(root)
            for folder in (state.pki, state.logs, root / "issuer", root / "verifier", root / "samples"):
                folder.mkdir()
            yield state
    except OSError as exc:
        raise DemoError(f"{root} cannot be used: {exc.strerror}", exit_code=3) from exc


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
