"""The lists behind the AuthZEN door: `true` for what is trusted and for nothing else, with the reason when it is not."""

from datetime import datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.support.pki import NOW, root
from tests.support.trust import PDA1, Institution, ListOperator, institution
from trust_list import authzen
from trust_list.accept import accept
from trust_list.snapshot import TrustSnapshot, listing, snapshot
from vc.encoding import json
from vc.errors import Malformed
from vc.jose import jws
from vc.keys.signer import LocalSigner

BASE = "https://pdp.test"
PROPERTIES = {"format": "dc+sd-jwt", "type_id": "urn:eudi:pda1:1", "attestation_type": "pda1", "issuing_country": "FR"}


@pytest.fixture(scope="module")
def known(operator: ListOperator, urssaf: Institution) -> TrustSnapshot:
    trusted = operator.root()
    accepted = accept("pub-eaa", operator.seal(operator.lote(urssaf.draft(), sequence=5)), root=trusted, state=None, now=NOW)
    return snapshot({"pub-eaa": listing(accepted, checked_at=NOW)}, trusted)


def question(signer: LocalSigner, **changes: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "subject": {"type": "key", "id": "did:example:issuer"},
        "resource": {"type": "x5c", "id": "did:example:issuer", "key": jws.x5c(signer.chain)},
        "action": {"name": "pub-eaa-provider", "properties": PROPERTIES},
    }
    return {**asked, **changes}


def answered(asked: dict[str, Any], known: TrustSnapshot, now: datetime = NOW) -> dict[str, Any]:
    return authzen.answer(json.dumps(asked), known, now=now)


def test_a_listed_issuer_is_believed(known: TrustSnapshot, urssaf: Institution) -> None:
    told = answered(question(urssaf.seal), known)
    assert told["decision"] is True
    assert told["context"]["outcome"] == "TRUSTED"
    assert told["context"]["reason"] == {}
    assert told["context"]["entity"] == {"id": "NTRFR-000000010", "name": "Urssaf-like (test)", "country": "FR"}
    assert (told["context"]["list"]["seq"], told["context"]["snapshot"]) == (5, known.digest)


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ({"name": "pub-eaa-provider", "properties": {**PROPERTIES, "issuing_country": "SE"}}, "OUT_OF_SCOPE"),
        ({"name": "pub-eaa-provider", "properties": {**PROPERTIES, "attestation_type": "ehic"}}, "OUT_OF_SCOPE"),
        ({"name": "pub-eaa-provider"}, "UNKNOWN_ISSUER"),
        ({"name": "pub-eaa-provider", "properties": {**PROPERTIES, "issuing_country": None}}, "INDETERMINATE"),
        ({"name": "pub-eaa-provider", "properties": {**PROPERTIES, "issued_at": "2026-11-23T00:00:00Z"}}, "NOT_YET_NOTIFIED"),
        ({"name": "pub-eaa-status", "properties": {"entity_id": "NTRFR-000000010"}}, "UNKNOWN_ISSUER"),
        ({"name": "pid-provider", "properties": PROPERTIES}, "INDETERMINATE"),
    ],
    ids=["country", "type", "nothing-said", "no-country", "before-listing", "other-role", "list-not-known"],
)  # fmt: skip
def test_everything_else_is_false_with_a_reason(known: TrustSnapshot, urssaf: Institution, action: Any, outcome: str) -> None:
    told = answered(question(urssaf.seal, action=action), known)
    assert (told["decision"], told["context"]["outcome"]) == (False, outcome)
    assert told["context"]["reason"]
    assert told["context"]["reason"].keys() == told["context"]["next"].keys()


def test_a_status_service_is_asked_by_its_own_action(known: TrustSnapshot, urssaf: Institution) -> None:
    action = {"name": "pub-eaa-status", "properties": {"entity_id": "NTRFR-000000010"}}
    assert answered(question(urssaf.status, action=action), known)["decision"] is True
    assert answered(question(urssaf.status), known)["decision"] is False


def test_a_chain_that_brings_its_own_authority_is_not_believed(known: TrustSnapshot) -> None:
    stranger = institution(root("Test seal CA"), "Urssaf-like (test)", "FR", "NTRFR-000000010", PDA1)
    assert answered(question(stranger.seal), known)["decision"] is False


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda q: q.pop("subject"), "/subject"),
        (lambda q: q["subject"].update(type="user"), "/subject/type"),
        (lambda q: q["resource"].update(type="jwk"), "/resource/type"),
        (lambda q: q["resource"].update(id="another"), "/resource/id"),
        (lambda q: q["resource"].update(key=[]), "/resource/key"),
        (lambda q: q["resource"].update(key=["no certificate"]), ""),
        (lambda q: q["action"].update(name="root"), "/action/name"),
        (lambda q: q["action"].update(properties={"issuingCountry": "FR"}), "/action/properties/issuingCountry"),
        (lambda q: q["action"].update(properties={"issued_at": "yesterday"}), "/action/properties/issued_at"),
    ],
    ids=["no-subject", "user", "jwk", "two-ids", "no-key", "no-certificate", "no-action", "misspelt", "time"],
)
def test_what_is_no_question_is_refused(known: TrustSnapshot, urssaf: Institution, change: Any, pointer: str) -> None:
    asked = json.loads_object(json.dumps(question(urssaf.seal)))
    change(asked)
    with pytest.raises(Malformed) as caught:
        answered(asked, known)
    assert caught.value.pointer == pointer


def test_members_of_others_are_passed_over(known: TrustSnapshot, urssaf: Institution) -> None:
    asked = question(urssaf.seal, context={"their": "own"})
    asked["subject"]["properties"] = {"more": 1}
    assert answered(asked, known)["decision"] is True


@pytest.fixture
def client(known: TrustSnapshot) -> TestClient:
    return TestClient(Starlette(routes=authzen.routes(lambda: known, base_url=BASE, clock=lambda: NOW)))


def test_the_metadata_names_the_endpoint(client: TestClient, urssaf: Institution) -> None:
    told = client.get("/.well-known/authzen-configuration").json()
    assert told["policy_decision_point"] == BASE
    path = told["access_evaluation_endpoint"].removeprefix(BASE)
    answer = client.post(path, json=question(urssaf.seal), headers={"x-request-id": "a-1"})
    assert (answer.status_code, answer.json()["decision"], answer.headers["x-request-id"]) == (200, True, "a-1")


def test_bad_requests_over_http(client: TestClient, urssaf: Institution) -> None:
    wrong = client.post(authzen.EVALUATION, json=question(urssaf.seal, action={"name": "root"}))
    assert (wrong.status_code, wrong.json()["error"].split(":")[0]) == (400, "/action/name")
    assert client.post(authzen.EVALUATION, content=b"[]", headers={"content-type": "application/json"}).status_code == 400
    assert client.post(authzen.EVALUATION, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert "x-request-id" not in client.get(authzen.METADATA).headers
