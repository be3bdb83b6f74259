"""Requests to a server that demands things: nonces, challenges, fresh attestations; each is met once (VCI-DPOP-3, VCI-WIA-7)."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from edge.outbound import FetchLimits, Outbound
from tests.support.internet import Internet, json_answer
from tests.support.pki import NOW, holder, root
from vc.encoding import base64url, json
from vc.errors import Malformed, Refused, Unreachable
from vc.openid4vci import wallet_attestation
from vc.openid4vci.wallet_attestation import WalletAttestation
from wallet_sim.caller import Caller
from wallet_sim.client import Attester, Client
from wallet_sim.issuance_seams import HONEST_RECEIVING
from wallet_sim.provider import WalletProvider
from wallet_sim.transcript import Transcript, Wire

SERVER = "https://as.test/one"


class Server:
    """An authorization server whose answers are a list; it keeps what it was sent."""

    def __init__(self, *answers: httpx2.Response) -> None:
        self.answers, self.challenges = list(answers), 0
        self.sent: list[httpx2.Request] = []
        internet = Internet()
        internet.function("as.test", self._answer)
        self.wire = Wire(Outbound(FetchLimits(), transport=internet), Transcript(lambda: NOW))
        self.instance = holder()
        self.provider = WalletProvider(signer=root().leaf(), client_id="wallet")

    def caller(self, *, attested: bool = True, challenge: bool = True, dpop: bool = True, **provider: Any) -> Caller:
        attester = Attester(
            wire=self.wire,
            clock=lambda: NOW,
            provider=WalletProvider(signer=self.provider.signer, client_id="wallet", **provider),
            instance=self.instance,
            server=SERVER,
            challenge_endpoint=f"{SERVER}/challenge" if challenge else None,
            seams=HONEST_RECEIVING,
        )
        client = Client(client_id="wallet", attester=attester) if attested else None
        return Caller(self.wire, lambda: NOW, holder() if dpop else None, client)

    def attestation(self, at: int, *, client_id: str | None = "wallet") -> WalletAttestation:
        """What request number `at` shows, checked as a server checks it."""
        headers = self.sent[at].headers
        return wallet_attestation.verify(
            headers.get_list(wallet_attestation.HEADER),
            headers.get_list(wallet_attestation.POP_HEADER),
            audience=SERVER,
            now=NOW,
            client_id=client_id,
            challenge_required=False,
            check_challenge=lambda _: None,
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/challenge"):
            self.challenges += 1
            return json_answer({"attestation_challenge": f"challenge-{self.challenges}"})
        self.sent.append(request)
        return self.answers.pop(0)


def nonce_of(request: httpx2.Request) -> Any:
    return json.loads_object(base64url.decode(request.headers["dpop"].split(".")[1])).get("nonce")


def demand(code: str, **headers: str) -> httpx2.Response:
    return json_answer({"error": code}, 400, **headers)


def test_each_request_shows_one_attestation_and_a_fresh_proof() -> None:
    server = Server(json_answer({}), json_answer({}))
    caller = server.caller()
    for _ in range(2):
        assert caller.authenticated(f"{SERVER}/par", {"client_id": "wallet"}).status == 200
    one, two = server.attestation(0), server.attestation(1)
    assert one.client_id == two.client_id == caller.client_id == "wallet"
    assert one.instance_key == server.instance.public_key
    assert one.pop_jti != two.pop_jti
    assert (one.pop_challenge, two.pop_challenge) == ("challenge-1", "challenge-2")
    assert one.issuer is None
    assert server.sent[0].headers[wallet_attestation.HEADER] == server.sent[1].headers[wallet_attestation.HEADER]


def test_the_issuer_of_an_attestation_is_said_to_old_servers() -> None:  # PROTOCOLS 8, conflict 2
    server = Server(json_answer({}))
    server.caller(issuer="https://provider.test").authenticated(f"{SERVER}/par", {})
    assert server.attestation(0).issuer == "https://provider.test"
    pop = server.sent[0].headers[wallet_attestation.POP_HEADER].split(".")[1]
    assert json.loads_object(base64url.decode(pop))["iss"] == "wallet"


def test_a_challenge_comes_with_any_answer() -> None:
    server = Server(json_answer({}, oauth_client_attestation_challenge="given"), json_answer({}))
    caller = server.caller()
    caller.post(f"{SERVER}/credential", body={})
    caller.authenticated(f"{SERVER}/token", {})
    assert server.attestation(1).pop_challenge == "given"
    assert server.challenges == 0
    assert wallet_attestation.HEADER not in server.sent[0].headers  # resources see no attestation


DEMANDS: list[tuple[httpx2.Response, Callable[[Server], bool]]] = [
    (demand("use_dpop_nonce", dpop_nonce="n"), lambda server: [nonce_of(one) for one in server.sent] == [None, "n"]),
    (
        json_answer({}, 401, dpop_nonce="n", www_authenticate='DPoP error="use_dpop_nonce"'),
        lambda server: [nonce_of(one) for one in server.sent] == [None, "n"],
    ),
    (
        demand("use_attestation_challenge", oauth_client_attestation_challenge="c"),
        lambda server: server.attestation(1).pop_challenge == "c",
    ),
    (
        demand("use_fresh_attestation"),
        lambda server: len({one.headers[wallet_attestation.HEADER] for one in server.sent}) == 2,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "met"), DEMANDS, ids=["nonce", "nonce-of-resource", "challenge", "fresh"])
def test_a_demand_is_met_once(answer: httpx2.Response, met: Callable[[Server], bool]) -> None:
    server = Server(answer, json_answer({}))
    assert server.caller().authenticated(f"{SERVER}/token", {}).status == 200
    assert met(server)


@pytest.mark.parametrize(("answer", "_met"), DEMANDS, ids=["nonce", "nonce-of-resource", "challenge", "fresh"])
def test_and_not_twice(answer: httpx2.Response, _met: Any) -> None:
    again = httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
    server = Server(answer, again)
    assert server.caller().authenticated(f"{SERVER}/token", {}).status == answer.status_code
    assert len(server.sent) == 2


def test_different_demands_are_met_one_after_the_other() -> None:
    server = Server(demand("use_dpop_nonce", dpop_nonce="n"), demand("use_attestation_challenge"), json_answer({}))
    assert server.caller(challenge=False).authenticated(f"{SERVER}/token", {}).status == 200


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"dpop": False}, demand("use_dpop_nonce", dpop_nonce="n")),
        ({}, demand("use_dpop_nonce")),
        ({"attested": False}, demand("use_attestation_challenge", oauth_client_attestation_challenge="c")),
        ({"attested": False}, demand("use_fresh_attestation")),
        ({}, demand("invalid_grant")),
        ({}, httpx2.Response(500)),
    ],
)
def test_what_cannot_be_met_is_not_tried_again(settings: dict[str, Any], answer: httpx2.Response) -> None:
    server = Server(answer)
    assert server.caller(**settings).authenticated(f"{SERVER}/token", {}).status == answer.status_code
    assert len(server.sent) == 1


@pytest.mark.parametrize(
    ("answer", "family"),
    [
        (httpx2.Response(500), Unreachable),
        (json_answer({"error": "invalid_request"}, 400), Refused),
        (json_answer({"attestation_challenge": ""}), Malformed),
    ],
)
def test_without_the_challenge_nothing_is_sent(answer: httpx2.Response, family: type[Exception]) -> None:
    server = Server()
    internet = Internet()
    internet.function("as.test", lambda _: answer)
    server.wire = Wire(Outbound(FetchLimits(), transport=internet), Transcript(lambda: NOW))
    with pytest.raises(family):
        server.caller().authenticated(f"{SERVER}/token", {})
    assert [seen.url for seen in internet.seen] == [f"{SERVER}/challenge"]


def test_the_very_proof_again() -> None:
    server = Server(json_answer({}), json_answer({}))
    caller = server.caller()
    caller.access_token = "token"
    caller.post(f"{SERVER}/credential", body={"a": 1})
    caller.again(f"{SERVER}/credential", body={"a": 1})
    assert server.sent[0].headers["dpop"] == server.sent[1].headers["dpop"]
    assert server.sent[1].headers["authorization"] == "DPoP token"
