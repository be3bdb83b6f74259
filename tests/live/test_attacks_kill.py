"""An issuer worker killed at any instant (SECURITY O-1, O-2, O-5, R-18): nothing answered is lost, nothing is used twice.

The victim is a second worker on the database of a served demo. Three kills by default; `PORTADOC_KILLS=200` for a long run.
"""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.live.conftest import free_ports
from tests.live.running import ROOT, Demo
from tests.support.pki import holder
from vc.openid4vci import proof
from vc.status import token as status_tokens
from vc.status.bits import StatusValue
from vc.x509.certificate import public_key

KILLS = int(os.environ.get("PORTADOC_KILLS", "3"))
INSTITUTION = "fr-urssaf"
CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


@dataclass(slots=True)
class Received:
    """What the client was answered before the kill."""

    credentials: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Credential id → document id and status index."""
    revoked: set[str] = field(default_factory=set)
    spent: list[tuple[dict[str, str], str]] = field(default_factory=list)
    """Redeemed token requests with the access token they gave."""


class Client:
    """Institution and wallet at once, speaking to one worker; everything it sends is good."""

    def __init__(self, demo: Demo, port: int) -> None:
        self.issuer: str = f"{demo.description['issuer']}/{INSTITUTION}"
        self.base = f"http://localhost:{port}"
        self.http = httpx2.Client(timeout=10, trust_env=False)
        self.api = {
            "authorization": "Bearer "
            + next(one["api_token"] for one in demo.description["institutions"] if one["id"] == INSTITUTION)
        }
        self.document = json.loads((demo.state / "samples" / "a1.json").read_bytes())

    def call(self, path: str, *, status: int, **request: Any) -> Any:
        answer = self.http.post(self.base + path, **request)
        assert answer.status_code == status, answer.text
        return answer.json()

    def prepare(self) -> tuple[str, dict[str, str]]:
        """A document on record, and the token request for its offer."""
        body = {name: self.document[name] for name in ("document_data", "identity")}
        document_id: str = self.call("/api/v1/documents", status=201, json=body, headers=self.api)["document_id"]
        offer = self.call(f"/api/v1/documents/{document_id}/offers", status=201, json={}, headers=self.api)
        grant = offer["credential_offer"]["grants"][GRANT]
        form = {"grant_type": GRANT, "pre-authorized_code": grant["pre-authorized_code"], "tx_code": offer["tx_code"]}
        return document_id, form

    def collect(self, token: str, *, copies: int = 2) -> list[str]:
        nonce = self.call(f"/{INSTITUTION}/nonce", status=200)["c_nonce"]
        now = datetime.now(UTC).replace(microsecond=0)
        proofs = [proof.create_jwt(holder(), audience=self.issuer, nonce=nonce, issued_at=now) for _ in range(copies)]
        answer = self.call(
            f"/{INSTITUTION}/credential",
            status=200,
            json={"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": proofs}},
            headers={"authorization": f"Bearer {token}"},
        )
        return [entry["credential"] for entry in answer["credentials"]]

    def work(self, received: Received) -> None:
        """Issue and revoke until the worker is gone."""
        try:
            for round_number in range(10_000):
                document_id, form = self.prepare()
                token = self.call(f"/{INSTITUTION}/token", status=200, data=form)["access_token"]
                received.spent.append((form, token))
                for text in self.collect(token):
                    payload = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
                    received.credentials[payload["jti"]] = document_id, payload["status"]["status_list"]["idx"]
                if round_number % 2:
                    self.call(f"/api/v1/documents/{document_id}/revocation", status=200, json={"reason": "fraud"}, headers=self.api)
                    received.revoked.add(document_id)
        except httpx2.TransportError:
            return
        finally:
            self.http.close()

    def read(self, document_id: str) -> dict[str, Any]:
        answer = self.http.get(f"{self.base}/api/v1/documents/{document_id}", headers=self.api)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def every_document(self) -> Iterator[str]:
        cursor: str | None = ""
        while cursor is not None:
            answer = self.http.get(f"{self.base}/api/v1/documents?limit=200{cursor}", headers=self.api).json()
            yield from (entry["document_id"] for entry in answer["documents"])
            cursor = None if answer["next_cursor"] is None else f"&cursor={answer['next_cursor']}"


@contextmanager
def victim(demo: Demo, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A second worker on the demo's database; killed at the end, if it has not been."""
    settings = json.loads((demo.state / "issuer.json").read_bytes())
    settings["listen"]["port"] = port
    path = demo.state / "issuer-victim.json"
    path.write_text(json.dumps(settings))
    with (folder / "victim.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "issuer", "--settings", str(path)], cwd=ROOT, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and process.poll() is None:
                try:
                    httpx2.get(f"http://localhost:{port}/healthz", trust_env=False)
                    break
                except httpx2.TransportError:
                    time.sleep(0.05)
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def received(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Received:
    """What was answered by workers that were killed, each at a random instant of its work."""
    found, folder, port = Received(), tmp_path_factory.mktemp("victim"), free_ports(1)
    for _ in range(KILLS):
        with victim(demo, folder, port) as process:
            workers = [threading.Thread(target=Client(demo, port).work, args=(found,)) for _ in range(2)]
            for worker in workers:
                worker.start()
            answered, deadline = len(found.credentials), time.monotonic() + 30
            while len(found.credentials) == answered and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(random.uniform(0.0, 1.0))
            os.kill(process.pid, signal.SIGKILL)
            for worker in workers:
                worker.join()
    assert found.credentials, "no kill came late enough to lose anything"
    assert "Traceback" not in (folder / "victim.log").read_text()
    return found


@pytest.fixture(scope="module")
def survivor(demo: Demo) -> Iterator[Client]:
    """A client of the worker that lived on."""
    client = Client(demo, urlsplit(demo.description["issuer"]).port or 0)
    yield client
    client.http.close()


def test_every_answered_credential_is_on_record_with_its_index(received: Received, survivor: Client) -> None:
    for document_id in {document_id for document_id, _ in received.credentials.values()}:
        recorded = {entry["credential_id"]: entry["status_index"] for entry in survivor.read(document_id)["credentials"]}
        answered = {name: index for name, (owner, index) in received.credentials.items() if owner == document_id}
        assert answered.items() <= recorded.items()


def test_no_status_index_was_given_out_twice(received: Received, survivor: Client) -> None:
    entries = [entry for document_id in survivor.every_document() for entry in survivor.read(document_id)["credentials"]]
    assert len(entries) >= len(received.credentials)
    assert len({(entry["status_list"], entry["status_index"]) for entry in entries}) == len(entries)


def test_acknowledged_withdrawals_are_in_the_list_and_the_others_are_not(received: Received, survivor: Client) -> None:
    by_document = {document_id: survivor.read(document_id) for document_id, _ in received.credentials.values()}
    (uri,) = {entry["status_list"] for document in by_document.values() for entry in document["credentials"]}
    unverified = status_tokens.parse_jwt(survivor.http.get(uri, headers={"accept": "application/statuslist+jwt"}).text)
    published = status_tokens.verify(unverified, public_key(unverified.chain[0]), uri=uri, now=datetime.now(UTC))
    for document_id, index in received.credentials.values():
        state = by_document[document_id]["state"]
        assert state == "revoked" or document_id not in received.revoked
        assert (published.status(index) is StatusValue.INVALID) == (state == "revoked")


def test_what_a_killed_worker_gave_out_works_and_what_it_took_is_spent(received: Received, survivor: Client) -> None:
    form, _ = received.spent[-1]
    answer = survivor.http.post(f"{survivor.base}/{INSTITUTION}/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    alive = [token for _, token in received.spent if _usable(survivor, token)]
    withdrawn = len(received.revoked)
    assert len(alive) >= len(received.spent) - withdrawn - 2 * KILLS  # a withdrawal may have been committed and not answered


def _usable(survivor: Client, token: str) -> bool:
    answer = survivor.http.post(
        f"{survivor.base}/{INSTITUTION}/notification",
        json={"notification_id": "none", "event": "credential_accepted"},
        headers={"authorization": f"Bearer {token}"},
    )
    return answer.status_code == 400 and answer.json()["error"] == "invalid_notification_id"
