"""More processes beside a served demo: its services again under changed settings, a login from a package, a real browser."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, sync_playwright

from demo.actors import now
from demo.build import Addresses, build
from demo.processes import Running, outbound, services
from demo.state import claimed
from tests.live.conftest import free_ports
from tests.live.running import PORTADOC, ROOT, Demo

UPSTREAM = ROOT / "tests" / "upstream"
START_SECONDS = 60
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def service(demo: Demo, name: str, port: int, changes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """`issuer` or `verifier` of the demo once more: at `port`, with a database of its own and `changes`; gives its settings."""
    base_url = f"http://localhost:{port}"
    settings: dict[str, Any] = json.loads((demo.state / f"{name}.json").read_bytes())
    settings |= {"base_url": base_url, "database": f"sqlite:///{demo.state / name / f'{name}-{port}.db'}", **changes}
    settings["listen"] = {**settings["listen"], "port": port}
    path = demo.state / f"{name}-{port}.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    with (demo.state / f"{name}-{port}.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", name, "--settings", str(path)], cwd=ROOT, stdout=log, stderr=log)
        try:
            _await(process, f"{base_url}/healthz", Path(log.name))
            yield settings
        finally:
            process.terminate()
            process.wait(timeout=30)
    assert "Traceback" not in Path(log.name).read_text(encoding="utf-8")


@contextmanager
def changed_demo(folder: Path, change: Callable[[Path, Addresses], None]) -> Iterator[Demo]:
    """A served demo whose settings files were changed before its services started. `change` gets the state directory."""
    addresses = Addresses(tls=False, port_base=free_ports(4))
    with claimed(folder / "demo") as home:
        description = build(home, addresses, now=now())
        change(home.root, addresses)
        running = Running(home, outbound(None))
        try:
            running.start(services(home, addresses))
            yield Demo(None, description)
            running.require_alive()
        finally:
            running.stop_all()
        for log in home.logs.iterdir():
            assert "Traceback" not in log.read_text(encoding="utf-8"), log.name


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a JSON file in place."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


@contextmanager
def started(demo: Demo, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that waits for something while the test goes on."""
    environment = {**os.environ, "PORTADOC_STATE": str(demo.state)}
    command = [*PORTADOC, *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            httpx2.get(url, trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{url} does not answer")


@contextmanager
def national_login(settings: Mapping[str, Any]) -> Iterator[str]:
    """The OpenID Provider from a package (tests/upstream); gives its issuer identifier. Skips where there is no Node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: the OpenID Provider from a package cannot run")
    _install()
    process = subprocess.Popen(
        [node, "provider.mjs", json.dumps(settings)],
        cwd=UPSTREAM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield str(json.loads(line)["issuer"])
    finally:
        process.communicate(timeout=30)  # closing its standard input ends it


def _install() -> None:
    """The pinned packages, once."""
    if (UPSTREAM / "node_modules" / "oidc-provider").exists():
        return
    npm = shutil.which("npm")
    assert npm is not None, "Node is here and npm is not"
    done = subprocess.run([npm, "ci"], cwd=UPSTREAM, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def browser() -> Iterator[Page]:
    """A page of a real headless browser. Skips where there is none."""
    found = next((path for path in map(shutil.which, BROWSERS) if path is not None), None)
    if found is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=arguments, headless=True)
        try:
            yield chromium.new_page()
        finally:
            chromium.close()
