"""The wallet of openid4vc-ts collects PDA1 and EHIC; @sd-jwt/sd-jwt-vc and @owf/mdoc say whether they are good."""

from pathlib import Path
from typing import Any

import pytest

from tests.interop import node
from tests.live.running import Demo

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
        "redirect_uri": "http://127.0.0.1:1/callback",
        "copies": COPIES,
        "encrypt": False,
        **more,
    }


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
