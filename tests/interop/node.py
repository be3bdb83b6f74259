"""Running the scripts of others' libraries: a job goes in as a JSON file, JSON lines come out."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SECONDS = 60


def needed() -> str | None:
    """Why these tests cannot run here, None when they can."""
    if shutil.which("node") is None:
        return "Node is not installed"
    return None if (HERE / "node_modules").is_dir() else "the packages are not installed; `make interop` does it"


def versions() -> dict[str, str]:
    """The installed version of each package we ask for, from the lock file."""
    locked = json.loads((HERE / "package-lock.json").read_text())["packages"]
    return {name: locked[f"node_modules/{name}"]["version"] for name in locked[""]["dependencies"]}


class ScriptFailed(AssertionError):
    """A script ended with an error; the text is what it said."""


def run(script: str, job: Mapping[str, Any], folder: Path, *, browse: Callable[[str], str] | None = None) -> dict[str, Any]:
    """The last line `script` prints. `browse`: what a person's browser does with an address, giving the one it ends at.

    Raises `ScriptFailed`.
    """
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    process = subprocess.Popen(
        ["node", str(HERE / script), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    last: dict[str, Any] = {}
    try:
        for line in process.stdout:
            last = json.loads(line)
            if last.get("event") == "authorize":
                assert browse is not None, "nobody was to sign in"
                process.stdin.write(browse(last["url"]) + "\n")
                process.stdin.flush()
        _, errors = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise ScriptFailed(errors[-3000:])
    return last
