"""Ordering a test PID: what the provider's faults become; no personal data in the transcript."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from edge.outbound import FetchLimits, Outbound
from tests.support.internet import Internet, json_answer
from vc.errors import Refused, Unreachable, VcError
from wallet_sim import pid
from wallet_sim.world import World, WrongUse

DEMO = {"issuer": "https://issuer.example", "institutions": [{"id": "p", "types": ["pid"], "api_token": "secret"}]}


def world(answer: Any, demo: dict[str, Any] | None = None) -> World:
    internet = Internet()
    internet.function("issuer.example", answer)
    return World(
        demo=DEMO if demo is None else demo,
        store=Path("wallet.json"),
        anchors=(),
        trust_root=None,
        outbound=Outbound(FetchLimits(), transport=internet),
    )


def test_the_provider_is_asked_with_its_own_token() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if request.url.path.endswith("/documents"):
            return json_answer({"document_id": "d1"}, 201)
        return json_answer({"credential_offer_uri": "openid-credential-offer://?x", "tx_code": "1234"}, 201)

    offer = pid.offer_for(world(answer), {"family_name": "Doe"}, "both")
    assert (offer.link, offer.tx_code) == ("openid-credential-offer://?x", "1234")
    assert [request.url.path for request in asked] == ["/api/v1/documents", "/api/v1/documents/d1/offers"]
    assert all(request.headers["authorization"] == "Bearer secret" for request in asked)
    assert "1234" not in repr(offer)


@pytest.mark.parametrize(
    ("answer", "family", "code"),
    [
        (json_answer({"code": "x", "detail": "no", "errors": [{"pointer": "/a", "detail": "b"}]}, 422), Refused, "pid_provider"),
        (json_answer({}, 503), Unreachable, "pid_provider"),
        (httpx2.Response(200, content=b"<html>"), VcError, "json"),
    ],
)  # fmt: skip
def test_a_provider_that_does_not_offer(answer: httpx2.Response, family: type[VcError], code: str) -> None:
    with pytest.raises(family) as caught:
        pid.offer_for(world(lambda _: answer), {"family_name": "Doe"}, "dc+sd-jwt")
    assert caught.value.code == code


def test_without_a_demo_there_is_no_provider() -> None:
    with pytest.raises(WrongUse, match="--state"):
        pid.offer_for(world(lambda _: httpx2.Response(404), {}), {"family_name": "Doe"}, "both")
