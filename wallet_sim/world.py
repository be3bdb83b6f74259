"""What a command knows of the world: the demo it may belong to, the anchors it was given, the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from cryptography import x509

from edge.outbound import FetchLimits, Outbound
from vc.encoding import json
from vc.errors import VcError
from wallet_sim import provider as providers
from wallet_sim.provider import WalletProvider


class WrongUse(Exception):
    """The command was called in a way that cannot work; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`demo`: content of the demo's `demo.json`, empty without a demo. `anchors`: access certificate authorities.

    `registrars`: authorities of registration certificates. `provider`: vouches for this wallet, None when nobody does.
    """

    demo: Mapping[str, Any]
    store: Path
    anchors: tuple[x509.Certificate, ...]
    trust_root: Path | None
    outbound: Outbound
    registrars: tuple[x509.Certificate, ...] = ()
    provider: WalletProvider | None = None

    def institutions(self) -> Sequence[Mapping[str, Any]]:
        """The demo's institutions. Raises `WrongUse` without a demo."""
        if not self.demo:
            raise WrongUse("this needs a running demo: name its state directory with --state or PORTADOC_STATE")
        found: Sequence[Mapping[str, Any]] = self.demo["institutions"]
        return found


def now() -> datetime:
    """The present in whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def load(
    *,
    state: Path | None,
    store: Path | None,
    access_ca: Path | None,
    trust_root: Path | None,
    wallet_provider: Path | None = None,
    transport: httpx2.BaseTransport | None = None,
) -> World:
    """The world of one command. What is given explicitly wins over what the demo says. Raises `WrongUse`.

    Loopback addresses and plain http to them are allowed: this wallet is for tests. `transport`: an in-process internet.
    """
    demo = _demo(state)
    files = demo.get("ca_files", {})
    if store is None:
        if state is None:
            raise WrongUse("name the wallet's file with --store, or the demo's state directory with --state or PORTADOC_STATE")
        store = state / "wallet.json"
    access, tls = access_ca or _path(state, files.get("access")), _path(state, files.get("tls"))
    registrar = _path(state, files.get("registrar"))
    return World(
        demo=demo,
        store=store,
        anchors=() if access is None else _certificates(access),
        registrars=() if registrar is None else _certificates(registrar),
        provider=_provider(state, demo, wallet_provider),
        trust_root=trust_root or _path(state, demo.get("trust_root")),
        outbound=Outbound(FetchLimits(allow_loopback=True), transport=transport, ca_file=tls),
    )


def _demo(state: Path | None) -> dict[str, Any]:
    if state is None:
        return {}
    try:
        return json.loads_object((state / "demo.json").read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, VcError) as exc:
        raise WrongUse(f"{state / 'demo.json'} cannot be read as what a demo writes") from exc


def _provider(state: Path | None, demo: Mapping[str, Any], file: Path | None) -> WalletProvider | None:
    """The wallet provider of `file`, else that of the demo, which describes it in the same words."""
    try:
        if file is not None:
            return providers.load(file)
        material = demo.get("wallet_provider")
        return None if material is None else providers.read(material, base=state or Path())
    except (OSError, ValueError, VcError) as exc:
        raise WrongUse(f"the wallet provider's material cannot be used: {exc}") from exc


def _certificates(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as exc:
        raise WrongUse(f"{path} is not a PEM file of certificates") from exc


def _path(state: Path | None, value: object) -> Path | None:
    """A path named in `demo.json`, which may be relative to it."""
    return (state or Path()) / value if isinstance(value, str) else None
