"""People sign in at two real OpenID Providers, and their wallets get the document about them: a national login from a package, and
our verifier, to which they present the PID."""

import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from demo.build import Addresses
from tests.live.running import Demo
from tests.live.services import browser, changed_demo, edit, national_login, started

LOGIN, PRESSED, WITH_PID = "fr-urssaf", "be-social-security", "fr-cnam"
"""Institutions: with the national login, with one that wants a button pressed, with our verifier."""
PDA1 = ["pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc"]
EHIC = ["ehic_dc4eu-1_sd_jwt", "eu.europa.ec.eudi.ehic_mdoc"]
PERSON = {"family_name": "MARTIN", "given_name": "Camille", "birthdate": "1988-04-17"}
CLAIMS = {"family_name": "family_name", "given_name": "given_name", "birth_date": "birthdate"}


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo in which two institutions use the national login; the others let people present the PID."""
    with ExitStack() as stack:

        def change(state: Path, addresses: Addresses) -> None:
            made = {name: _login(stack, f"{addresses.issuer}/{name}", ask=name == PRESSED) for name in (LOGIN, PRESSED)}

            def sign_in(settings: dict[str, Any]) -> None:
                for institution in settings["institutions"]:
                    if institution["id"] in made:
                        institution["sign_in"] = made[institution["id"]]

            edit(state / "issuer.json", sign_in)

        yield stack.enter_context(changed_demo(tmp_path_factory.mktemp("upstreams"), change))


def _login(stack: ExitStack, credential_issuer: str, *, ask: bool) -> dict[str, Any]:
    """A login started for one institution; gives the institution's `sign_in`."""
    client = {"client_id": credential_issuer, "client_secret": secrets.token_urlsafe(32)}
    asked = {**client, "redirect_uri": f"{credential_issuer}/sign-in/callback", "person": PERSON, "ask": ask}
    return {**client, "issuer": stack.enter_context(national_login(asked)), "scopes": ["openid", "profile"], "claims": CLAIMS}


@pytest.fixture(scope="module")
def pid(upstreams: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wallet with the PID of the person."""
    path = tmp_path_factory.mktemp("wallet") / "wallet.json"
    upstreams.json("wallet", "get-pid", "--identity", str(upstreams.state / "samples" / "a1.json"), "--store", str(path))
    return path


@pytest.fixture(scope="module")
def ehic(upstreams: Demo) -> str:
    """The one card of the person, on record where people present the PID."""
    return put_on_record(upstreams, WITH_PID, "ehic")


def issuer(demo: Demo, institution: str) -> str:
    return f"{demo.description['issuer']}/{institution}"


def put_on_record(demo: Demo, institution: str, sample: str) -> str:
    """The institution has the document of the sample, with itself as its issuer."""
    document = json.loads((demo.state / "samples" / f"{sample}.json").read_bytes())
    told = next(one for one in demo.description["institutions"] if one["id"] == institution)
    body = {"document_data": document["document_data"], "identity": document["identity"]}
    if told["country"] != "FR":
        body["document_data"] |= {"issuing_country": told["country"]}
        for name in ("issuing_authority", "authentic_source"):
            body["document_data"][name] = {"id": f"{told['country']}:TEST", "name": _name_of(demo, institution)}
        body["document_data"]["issuing_authority"]["country"] = told["country"]
    headers = {"authorization": f"Bearer {told['api_token']}"}
    url = f"{demo.description['issuer']}/api/v1/documents"
    answer = httpx2.post(url, json=body, headers=headers, trust_env=False)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["document_id"])


def _name_of(demo: Demo, institution: str) -> str:
    settings = json.loads((demo.state / "issuer.json").read_bytes())
    return str(next(one["name"] for one in settings["institutions"] if one["id"] == institution))


def wanted(configurations: list[str]) -> list[str]:
    return [part for name in configurations for part in ("--configuration", name)]


def outcome(demo: Demo, store: Path, purpose: str) -> str:
    """What an inspector learns when the wallet shows what it got, with the PID beside it."""
    request = demo.json("verifier", "request", "--purpose", purpose, "--host-country", "DE")
    demo.run("wallet", "present", request["request_uri"], "--store", str(store))
    return str(json.loads(demo.run("verifier", "result", request["transaction_id"], "--wait", "5", "--json").out)["outcome"])


def address(process: subprocess.Popen[str]) -> str:
    """The address the wallet wants a browser to open."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"https?://\S+", line):
            return found[0]
    raise AssertionError(f"no address was told: {process.stdout.read() if process.stdout else ''}")


def test_a_national_login_leads_to_the_document(upstreams: Demo, pid: Path) -> None:
    """Issuer → OpenID Provider from a package → credential, in both formats, and an inspector accepts it."""
    put_on_record(upstreams, LOGIN, "a1")
    came = upstreams.json("wallet", "request", issuer(upstreams, LOGIN), *wanted(PDA1), "--store", str(pid))

    assert sorted(one["configuration_id"] for one in came["credentials"]) == sorted(PDA1)
    assert {one["issuer"] for one in came["credentials"]} == {issuer(upstreams, LOGIN)}
    assert outcome(upstreams, pid, "a1-inspection") == "accept"


@pytest.mark.usefixtures("ehic")
def test_presenting_the_pid_leads_to_the_document(upstreams: Demo, pid: Path) -> None:
    """Issuer → our verifier as OpenID Provider → the wallet shows the PID → credential, in both formats."""
    came = upstreams.json("wallet", "request", issuer(upstreams, WITH_PID), *wanted(EHIC), "--store", str(pid))

    assert sorted(one["configuration_id"] for one in came["credentials"]) == sorted(EHIC)
    assert outcome(upstreams, pid, "ehic-care") == "accept"


@pytest.mark.usefixtures("ehic")
def test_whom_no_document_is_about_gets_none(upstreams: Demo, tmp_path: Path) -> None:
    """The PID is good, and it is somebody else's."""
    identity = json.loads((upstreams.state / "samples" / "ehic.json").read_bytes())["identity"]
    (tmp_path / "other.json").write_text(json.dumps({**identity, "family_name": "DURAND", "birth_date": "1990-01-02"}))
    store = str(tmp_path / "wallet.json")
    upstreams.json("wallet", "get-pid", "--identity", str(tmp_path / "other.json"), "--store", store)
    refused = upstreams.run("wallet", "request", issuer(upstreams, WITH_PID), *wanted(EHIC[:1]), "--store", store, "--json")

    assert refused.code == 1, refused.out
    lines = (upstreams.state / "logs" / "issuer.log").read_text(encoding="utf-8").splitlines()
    assert any(json.loads(line).get("page") == "no_document" for line in lines if line.startswith("{"))
    assert "ehic" not in json.dumps(upstreams.json("wallet", "list", "--store", store))


@pytest.mark.usefixtures("ehic")
def test_a_real_browser_goes_all_the_way_with_the_pid(upstreams: Demo, pid: Path, tmp_path: Path) -> None:
    """Same device: the sign-in page in a real browser, its link handed to the wallet, and the browser lands at the wallet."""
    collecting = ("wallet", "request", issuer(upstreams, WITH_PID), *wanted(EHIC[:1]), "--browser", "print")
    with browser() as page, started(upstreams, *collecting, "--store", str(tmp_path / "other.json")) as process:
        page.goto(address(process))
        link = page.locator("#wallet-link").get_attribute("href")
        assert link is not None
        told = upstreams.json("wallet", "present", link, "--store", str(pid))
        page.goto(told["answer"]["redirect_uri"])
        expect(page.locator("h1")).to_have_text("Back to the wallet")
        out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert [one["configuration_id"] for one in json.loads(out)["credentials"]] == EHIC[:1]


def test_a_real_browser_goes_all_the_way_with_a_national_login(upstreams: Demo, tmp_path: Path) -> None:
    """A page of somebody else, with a button to press."""
    put_on_record(upstreams, PRESSED, "a1")
    collecting = ("wallet", "request", issuer(upstreams, PRESSED), *wanted(PDA1[:1]), "--browser", "print")
    with browser() as page, started(upstreams, *collecting, "--store", str(tmp_path / "wallet.json")) as process:
        page.goto(address(process))
        page.locator("#sign-in").click()
        expect(page.locator("h1")).to_have_text("Back to the wallet")
        out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert [one["configuration_id"] for one in json.loads(out)["credentials"]] == PDA1[:1]
