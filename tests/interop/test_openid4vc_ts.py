"""The wallet of openid4vc-ts collects PDA1 and EHIC; @sd-jwt/sd-jwt-vc and @owf/mdoc say whether they are good."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.interop import node
from tests.live.running import Demo
from vc.encoding import json
from wallet_sim.browser import REDIRECT_URI, OwnBrowser, presenting
from wallet_sim.holdings import Store
from wallet_sim.present import Presenter
from wallet_sim.transcript import Transcript, Wire
from wallet_sim.world import load, now

COPIES = 3
INSTITUTIONS = {"a1": "fr-urssaf", "ehic": "fr-cnam"}


def _offer(demo: Demo, sample: str, *more: str) -> dict[str, Any]:
    path = demo.state / "samples" / f"{sample}.json"
    offered: dict[str, Any] = demo.json(
        "issuer", "offer", "--institution", INSTITUTIONS[sample], "--document", str(path), "--format", "both", *more
    )
    return offered


def _job(offered: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "offer": offered["credential_offer_uri"],
        "tx_code": offered.get("tx_code"),
        "client_id": "openid4vc-ts-test",
        "provider": None,
        "redirect_uri": REDIRECT_URI,
        "copies": COPIES,
        "encrypt": False,
        **more,
    }


def _attested(demo: Demo) -> dict[str, Any]:
    """What makes the foreign wallet a wallet of the listed provider: its key and chain, and the client id its instances share."""
    listed = json.loads_object((demo.state / "demo.json").read_bytes())["wallet_provider"]
    return {
        "provider": {name: Path(listed[name]).read_text() for name in ("key", "chain")},
        "client_id": listed["client_id"],
    }


def _person(demo: Demo, sample: str, folder: Path) -> Callable[[str], str]:
    """A person with a PID, and the browser she signs in with."""
    store = folder / "person.json"
    demo.json("wallet", "get-pid", "--identity", str(demo.state / "samples" / f"{sample}.json"), "--store", str(store))
    world = load(state=demo.state, store=store, access_ca=None, trust_root=None)
    wire = Wire(world.outbound, Transcript(now))
    presenter = Presenter(Store(store), wire, anchors=world.anchors, clock=now, ask=lambda _: True)

    def browse(url: str) -> str:
        with OwnBrowser(wire, presenting(presenter)).window() as window:
            return window.visit(url)

    return browse


def _credentials(received: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"format": "mso_mdoc" if "mdoc" in one["id"] else "dc+sd-jwt", "credential": credential, "holder_key": key}
        for one in received["received"]
        for credential, key in zip(one["credentials"], one["holder_keys"], strict=True)
    ]


def _judged(received: dict[str, Any], authorities: dict[str, str], folder: Path) -> None:
    """Every copy is good in the eyes of libraries that are not ours, and no two share what could join them."""
    credentials = _credentials(received)
    verdicts = node.run("verify.mjs", {"credentials": credentials, **authorities}, folder)["verdicts"]
    assert [verdict["format"] for verdict in verdicts] == ["dc+sd-jwt"] * COPIES + ["mso_mdoc"] * COPIES
    assert all(verdict["claims"] > 3 for verdict in verdicts)
    indices = [verdict["status"] for verdict in verdicts if verdict["format"] == "dc+sd-jwt"]
    assert len(set(indices)) == COPIES


@pytest.mark.parametrize("sample", ["a1", "ehic"])
def test_pre_authorized_code_with_dpop_and_batch(demo: Demo, authorities: dict[str, str], tmp_path: Path, sample: str) -> None:
    received = node.run("wallet.mjs", _job(_offer(demo, sample)), tmp_path)
    assert received["token_type"] == "DPoP"
    _judged(received, authorities, tmp_path)


def test_pre_authorized_code_with_encryption(demo: Demo, authorities: dict[str, str], tmp_path: Path) -> None:
    received = node.run("wallet.mjs", _job(_offer(demo, "ehic"), encrypt=True), tmp_path)
    assert received["encrypted"] == {"requests": 2, "responses": 2}
    _judged(received, authorities, tmp_path)


@pytest.mark.parametrize("encrypt", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("sample", ["a1", "ehic"])
def test_authorization_code_with_par_dpop_attestation_and_batch(
    demo: Demo, authorities: dict[str, str], tmp_path: Path, sample: str, encrypt: bool
) -> None:
    job = _job(_offer(demo, sample), encrypt=encrypt, **_attested(demo))
    received = node.run("wallet.mjs", job, tmp_path, browse=_person(demo, sample, tmp_path))
    assert received["token_type"] == "DPoP"
    assert received["refresh"]
    assert received["encrypted"]["responses"] == (2 if encrypt else 0)
    _judged(received, authorities, tmp_path)


@pytest.mark.parametrize("place", ["first", "last"])
def test_the_judges_refuse_what_was_altered(demo: Demo, authorities: dict[str, str], tmp_path: Path, place: str) -> None:
    """The judging itself judged: one character changed in a signature or in a disclosed item."""
    credentials = _credentials(node.run("wallet.mjs", _job(_offer(demo, "a1"), copies=1), tmp_path))
    for one in credentials:
        text = one["credential"]
        at = len(text) // 2 if place == "first" else len(text) - 40
        altered = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(node.ScriptFailed):
            node.run("verify.mjs", {"credentials": [{**one, "credential": altered}], **authorities}, tmp_path)
