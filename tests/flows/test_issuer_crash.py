"""Killing the issuer in the middle of issuing: every answered credential is on record and can be withdrawn (SECURITY O-1)."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest

from tests.support import issuer as world
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder
from vc import formats

pytestmark = pytest.mark.live
_ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
KILLS = 2


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _start(settings: Path, base_url: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "issuer", "--settings", str(settings)]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{base_url}/healthz", trust_env=False).status_code == 200:
                return process
        except httpx2.TransportError:
            time.sleep(0.1)
    process.kill()
    process.wait(10)
    raise AssertionError("the issuer did not start")


def _collect_until_it_dies(base_url: str, document_id: str, answered: list[str]) -> None:
    """Issue again and again; every credential that arrived whole is noted."""
    with httpx2.Client(base_url=base_url, trust_env=False, timeout=10) as client:
        try:
            while True:
                answer = client.post(f"/api/v1/documents/{document_id}/offers", json={}, headers=world.bearer("fr-urssaf"))
                wallet = IssuerWallet(client, f"{base_url}/fr-urssaf", _now)  # type: ignore[arg-type]  # same calls as the test client
                wallet.token(answer.json())
                for _ in range(5):
                    received = wallet.credential(CONFIGURATION, keys=[holder(), holder()]).json()
                    answered += [entry["credential"] for entry in received["credentials"]]
        except httpx2.TransportError:
            return


def _kill_after(process: "subprocess.Popen[bytes]", answered: list[str], enough: int) -> None:
    """Kill the process at some instant after so many credentials, most likely in the middle of the next ones."""
    deadline = time.monotonic() + 30
    while len(answered) < enough and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(secrets.randbelow(40) / 1000)
    process.kill()


def test_killed_again_and_again_it_forgets_no_credential(tmp_path: Path) -> None:
    """What was answered is on record with an index of its own, and can be withdrawn."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    base_url = f"http://localhost:{port}"
    listen = {"host": "localhost", "port": port, "tls": None}
    deployment = world.build(tmp_path, base_url=base_url, listen=listen, around=_now(), status_ttl_seconds=1)
    settings = tmp_path / "issuer.json"
    settings.write_text(json.dumps(deployment.raw))
    answered: list[str] = []
    process = _start(settings, base_url)
    try:
        body = world.DOCUMENTS["fr-urssaf"]
        document_id = httpx2.post(
            f"{base_url}/api/v1/documents", json=body, headers=world.bearer("fr-urssaf"), trust_env=False
        ).json()["document_id"]
        for _ in range(KILLS):
            killer = Thread(target=_kill_after, args=(process, answered, len(answered) + 2 + secrets.randbelow(10)))
            killer.start()
            _collect_until_it_dies(base_url, document_id, answered)
            killer.join()
            process.wait(10)
            process = _start(settings, base_url)
        path = f"{base_url}/api/v1/documents/{document_id}/revocation"
        assert httpx2.post(path, json={}, headers=world.bearer("fr-urssaf"), trust_env=False).status_code == 200
        detail: dict[str, Any] = httpx2.get(
            f"{base_url}/api/v1/documents/{document_id}", headers=world.bearer("fr-urssaf"), trust_env=False
        ).json()
    finally:
        process.kill()
        process.wait(10)
    assert answered
    recorded = {(entry["status_list"], entry["status_index"]) for entry in detail["credentials"]}
    assert len(recorded) == len(detail["credentials"])  # no index twice, over all the lives of the process
    assert {entry["status"] for entry in detail["credentials"]} == {"invalid"}
    received = set()
    for text in answered:
        unverified = formats.parse_issued("dc+sd-jwt", text)
        credential = unverified.verify_issuer(deployment.signers["fr-urssaf"]["seal"].public_key)
        assert credential.status is not None
        received.add((credential.status.uri, credential.status.idx))
    assert len(received) == len(answered)
    assert received <= recorded
