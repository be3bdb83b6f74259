"""The services as processes of their own, on loopback; each ended by its own id, in the reverse order of the start."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.build import Addresses
from demo.state import DemoError, State
from edge.outbound import FetchLimits, Outbound
from vc.errors import VcError

_READY_SECONDS = 90.0
_STOP_SECONDS = 8.0
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One server: how it is started, and where it tells that it is ready."""

    name: str
    arguments: tuple[str, ...]
    health: str


@dataclass(slots=True)
class Running:
    """The processes this demo started."""

    state: State
    outbound: Outbound
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, services: Sequence[Service]) -> None:
        """Start all at once and wait until each says it is ready. Raises `DemoError` naming the log of one that is not."""
        for service in services:
            self.processes[service.name] = _spawn(service, self.state.logs / f"{service.name}.log")
        deadline = time.monotonic() + _READY_SECONDS
        for service in services:
            self._await(service, deadline)

    def stop(self, name: str) -> None:
        """End one process: politely, then by force. One that is not running is left alone."""
        process = self.processes.pop(name, None)
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def stop_all(self) -> None:
        """End everything this demo started: first ask all, then wait for each."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for name in reversed(list(self.processes)):
            self.stop(name)

    def require_alive(self) -> None:
        """Raises `DemoError` naming the first service that has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise DemoError(f"the {name} ended with code {process.returncode}; see {self.state.logs / f'{name}.log'}")

    def _await(self, service: Service, deadline: float) -> None:
        while time.monotonic() < deadline:
            self.require_alive()
            try:
                if self.outbound.get(service.health).status == 200:
                    return
            except VcError:
                pass
            time.sleep(0.05)
        raise DemoError(
            f"the {service.name} is not ready after {_READY_SECONDS:.0f} s; see {self.state.logs / f'{service.name}.log'}"
        )


def services(state: State, addresses: Addresses) -> tuple[Service, ...]:
    """The four servers of the demo."""
    listed = (
        ("repository", ("pki.repository", "--folder", str(state.pki / "repository"), "--port", str(addresses.ports[3]))),
        ("trust-list", ("trust_list", "--state", str(state.root))),
        ("issuer", ("issuer", "--settings", str(state.root / "issuer.json"))),
        ("verifier", ("verifier", "--settings", str(state.root / "verifier.json"))),
    )
    bases = {
        "repository": addresses.repository,
        "trust-list": addresses.trust_list,
        "issuer": addresses.issuer,
        "verifier": addresses.verifier,
    }
    return tuple(Service(name=name, arguments=arguments, health=f"{bases[name]}/healthz") for name, arguments in listed)


def outbound(state_ca: str | None) -> Outbound:
    """A client that may ask loopback addresses, and knows the test CA when there is one."""
    return Outbound(FetchLimits(allow_loopback=True), ca_file=None if state_ca is None else Path(state_ca))


def require_free(ports: Sequence[int]) -> None:
    """Raises `DemoError` with exit code 3 naming the ports something else listens on."""
    busy = [port for port in ports if not _free(port)]
    if busy:
        named = ", ".join(map(str, busy))
        raise DemoError(f"in use already: port {named}; choose others with --port-base", exit_code=3)


def _free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError:
            if family == socket.AF_INET or _answers(host, port):
                return False
    return True


def _answers(host: str, port: int) -> bool:
    """True when somebody listens there: a machine without IPv6 cannot bind, and nobody can listen either."""
    try:
        with socket.create_connection((host, port), timeout=0.2):
            return True
    except OSError:
        return False


def _spawn(service: Service, log: Path) -> subprocess.Popen[bytes]:
    paths = [str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 — our own modules, with paths of our own making
            [sys.executable, "-m", *service.arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
