"""The command line against a verifier, trust lists and status lists served on loopback."""

import io
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from typer.testing import CliRunner, Result

from edge import logs
from tests.support.verifier import World
from tests.support.verifier_scene import Scene
from vc.openid4vp import response
from verifier.cli import app
from verifier.service import build

CLI = CliRunner()


def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
    """A command in this process. The runner closes the streams it made; logs of the served verifier then go elsewhere."""
    try:
        return CLI.invoke(app, list(arguments), input=stdin)
    finally:
        logs.configure(io.StringIO())


def run(*arguments: str, code: int, stdin: bytes | None = None) -> Any:
    """The JSON of a command, or its text; the exit code must be `code`."""
    done = invoke(*arguments, stdin=stdin)
    assert done.exit_code == code, (done.exit_code, done.stdout, done.stderr, done.exception)
    return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout


@contextmanager
def internet(answer: Any) -> Iterator[tuple[str, Any]]:
    """The pretend internet on a loopback port; `answer` is a list to be filled with the world."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            found = answer[0].answer(httpx2.Request("GET", f"http://localhost{self.path}", headers=headers))
            self.send_response(found.status_code)
            for name in ("content-type", "etag"):
                if name in found.headers:
                    self.send_header(name, found.headers[name])
            self.send_header("content-length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}", server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class LiveScene(Scene):
    """The scene in the real present, its lists served for real."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        super().__init__(folder)

    def make_world(self, folder: Path) -> World:
        return World(folder, address=self.address)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveScene]:
    world: list[World] = []
    with internet(world) as (address, _server):
        made = LiveScene(tmp_path_factory.mktemp("cli"), address)
        world.append(made.world)
        yield made


@contextmanager
def served(asgi: ASGIApp) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(asgi, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def state(scene: LiveScene) -> Iterator[Path]:
    """A state directory like that of a demo: the verifier as `verifier.service` builds it, and where to find things."""
    settings = scene.world.settings()
    with served(build(settings, clock=scene.world.clock, random_bytes=secrets.token_bytes)) as port:
        description = {"verifier": f"http://localhost:{port}", "trust_root": "trust-root.json", "ca_files": {"tls": None}}
        (scene.folder / "demo.json").write_text(json.dumps(description), encoding="utf-8")
        yield scene.folder


@pytest.fixture
def phone(scene: LiveScene, state: Path) -> Iterator[TestClient]:
    """What the wallet reaches the verifier by."""
    base = json.loads((state / "demo.json").read_text(encoding="utf-8"))["verifier"]
    with httpx2.Client(base_url=base) as client:
        yield client  # type: ignore[misc]  # the wallet uses only get and post, which both have


# --- check


@pytest.mark.parametrize("place", [2, 3], ids=["dc+sd-jwt", "mso_mdoc"])
def test_a_file_is_checked_against_the_demos_trust_lists(scene: LiveScene, state: Path, tmp_path: Path, place: int) -> None:
    file = tmp_path / "credential"
    file.write_text(scene.wallet.held[place].text, encoding="ascii")

    found = run("check", str(file), "--state", str(state), "--host-country", "DE", "--on", "2026-10-15", "--json", code=2)

    assert found["outcome"] == "review"
    assert {check["id"]: check["result"] for check in found["checks"]}["status"] == "passed"
    assert found["document"]["document_number"] == "FR-A1-2026-0000001"


def test_a_trust_root_can_be_named(scene: LiveScene, state: Path) -> None:
    arguments = [
        "check",
        "-",
        "--trust-root",
        str(state / "trust-root.json"),
        "--host-country",
        "DE",
        "--on",
        "2026-10-15",
        "--json",
    ]

    found = run(*arguments, code=2, stdin=scene.wallet.held[2].text.encode())

    assert found["trust"]["list"]["id"] == "pub-eaa"
    assert found["outcome"] == "review"


def test_without_trust_root_and_demo_nothing_is_determined(scene: LiveScene) -> None:
    found = run("check", "-", "--json", code=2, stdin=scene.wallet.held[2].text.encode())

    assert found["outcome"] == "undetermined"
    assert found["reasons"][0]["code"] == "trust_not_configured"


def test_a_status_list_is_accepted(scene: LiveScene, state: Path) -> None:
    token = scene.urssaf.status_token("jwt", scene.world.now)

    assert run("check", "-", "--state", str(state), "--json", code=0, stdin=token)["outcome"] == "accept"


def test_exit_codes_and_text_of_a_refusal(scene: LiveScene, state: Path) -> None:
    altered = scene.wallet.held[2].text.replace("~", "A~", 1).encode()
    text = run("check", "-", "--state", str(state), code=1, stdin=altered)
    expired = run(
        "check", "-", "--state", str(state), "--at", (scene.world.now + timedelta(days=81)).isoformat(), "--json",
        code=1, stdin=scene.wallet.held[2].text.encode(),
    )  # fmt: skip

    assert text.startswith("outcome: reject\n")
    assert "failed       issuer_signature" in text or "failed       structure" in text
    assert expired["outcome"] == "refresh"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "nowhere"],
        ["check", "-", "--purpose", "tax"],
        ["check", "-", "--host-country", "US"],
        ["check", "-", "--on", "x"],
        ["check", "-", "--at", "x"],
        ["check", "-", "--nonce", "n"],
        ["check", "-", "--transcript", "zz"],
        ["check", "-", "--jsonl", "--purpose", "tax"],
        ["check", "-", "--trust-root", "nowhere"],
        ["check", "-", "--trust-root", __file__],
        ["check", "-", "--state", "nowhere"],
        ["request", "--purpose", "a1-inspection"],
        ["result", "x"],
        ["migrate", "--settings", "nowhere"],
        ["serve", "--settings", "nowhere"],
    ],
)
def test_wrong_use_is_exit_code_3_with_a_sentence(arguments: list[str]) -> None:
    done = invoke(*arguments, stdin=b"")

    assert done.exit_code == 3, done.output
    assert done.stdout == ""
    assert len(done.stderr.strip()) > 10
    assert "Traceback" not in done.stderr


def test_many_lines_in_one_run(scene: LiveScene, state: Path) -> None:
    lines = [
        {"name": "bare", "artefact": scene.wallet.held[2].text, "host_country": "DE", "on": "2026-10-15"},
        {"name": "hostile", "artefact": "~" * 1000},
        {"name": "outside", "artefact": scene.wallet.held[3].text, "host_country": "AT", "on": "2026-10-15"},
        {"name": "unknown day", "artefact": "x", "on": "x"},
    ]
    stdin = b"\n".join([*(json.dumps(line).encode() for line in lines), b"junk", b""])

    out = [json.loads(line) for line in run("check", "-", "--jsonl", "--state", str(state), code=0, stdin=stdin).splitlines()]

    assert [(line["name"], line["outcome"]) for line in out] == [
        ("bare", "review"),
        ("hostile", "reject"),
        ("outside", "reject"),
        ("unknown day", "undetermined"),
        (None, "reject"),
    ]


# --- request and result


@pytest.mark.parametrize("mode", ["direct_post.jwt", "direct_post"])
def test_a_request_and_its_result(scene: LiveScene, state: Path, phone: TestClient, mode: str) -> None:
    made = run(
        "request", "--purpose", "a1-inspection", "--host-country", "DE", "--on", "2026-10-15", "--response-mode", mode,
        "--request-uri-method", "post", "--format", "dc+sd-jwt", "--state", str(state), "--json", code=0,
    )  # fmt: skip
    pending = run("result", made["transaction_id"], "--state", str(state), "--json", code=2)
    assert scene.wallet.answer(phone, made).status_code == 200

    found = run("result", made["transaction_id"], "--wait", "5", "--state", str(state), "--json", code=0)

    assert made["request_uri"].startswith("openid4vp://?")
    assert (pending["state"], pending["outcome"], pending["reasons"]) == ("pending", None, [])
    assert (found["state"], found["outcome"]) == ("answered", "accept")
    assert found["validity"]["cover"]["until"] == "2027-02-28"


def test_a_declined_request_is_refused(scene: LiveScene, state: Path, phone: TestClient) -> None:
    made = run("request", "--purpose", "ehic-care", "--state", str(state), "--json", code=0)
    asked = scene.wallet.fetch(phone, made["request_uri"])
    scene.wallet.post(phone, asked, response.build_error("access_denied", state=asked.state))

    found = run("result", made["transaction_id"], "--state", str(state), "--json", code=1)

    assert (found["state"], found["error"]) == ("failed", {"code": "access_denied"})


def test_waiting_ends(state: Path) -> None:
    made = run("request", "--purpose", "ehic-care", "--state", str(state), "--json", code=0)

    assert run("result", made["transaction_id"], "--wait", "0.3", "--state", str(state), code=2).startswith("outcome: pending")


def test_what_the_verifier_refuses_is_wrong_use(state: Path) -> None:
    for arguments in (["request", "--purpose", "tax"], ["result", "unknown"]):
        done = invoke(*arguments, "--state", str(state), "--json")
        assert done.exit_code == 3
        assert done.stdout == ""


def test_a_verifier_that_is_away_cannot_determine(tmp_path: Path) -> None:
    done = invoke("request", "--purpose", "ehic-care", "--verifier", "http://localhost:9")

    assert done.exit_code == 2
    assert "cannot be reached" in done.stderr


def test_the_person_reads_link_and_id(state: Path) -> None:
    text = run("request", "--purpose", "ehic-care", "--host-country", "IT", "--state", str(state), code=0)

    assert text.splitlines()[0].startswith("openid4vp://?")
    assert text.splitlines()[1].startswith("transaction_id: ")
