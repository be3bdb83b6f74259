"""Every row of the error table (PROTOCOLS 1.10) over HTTP, and the rows of SECURITY 2.2 and 2.3 for what exists here.

After each refusal the right request still works: nothing is spent, nothing half made.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import issuer as world
from tests.support.issuer import Deployment
from tests.support.issuer_wallet import Answer, IssuerWallet
from tests.support.pki import holder, root
from vc.encoding import base64url
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import dpop, proof, token

CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
_FORM = {"content-type": "application/x-www-form-urlencoded"}
GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    built = world.build(Path(tmp_path_factory.mktemp("issuer")))
    yield built
    built.close()


@pytest.fixture(scope="module")
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


@pytest.fixture(scope="module")
def document_id(client: TestClient) -> str:
    return world.submit(client)


@pytest.fixture
def offered(client: TestClient, document_id: str) -> dict[str, Any]:
    return world.offer(client, document_id=document_id)


@pytest.fixture
def wallet(client: TestClient, deployment: Deployment) -> IssuerWallet:
    return IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)


@pytest.fixture
def holding(wallet: IssuerWallet, offered: dict[str, Any]) -> IssuerWallet:
    """A wallet with an access token."""
    assert wallet.token(offered).status_code == 200
    return wallet


def _refused(answer: Answer, status: int, error: str) -> None:
    """The specification's code in the protocol's shape, never cached, with nothing else in it (conformance: no unknown members)."""
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert answer.json().keys() <= {"error", "error_description"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    description = answer.json().get("error_description", "")
    assert all(" " <= character <= "~" and character not in '"\\' for character in description)  # VCI-NOT-3
    if status in (401, 403):
        assert answer.headers["www-authenticate"].split(" ")[0] in ("Bearer", "DPoP")


def _code(offered: dict[str, Any]) -> str:
    (grant,) = offered["credential_offer"]["grants"].values()
    code: str = grant["pre-authorized_code"]
    return code


# --- token endpoint ------------------------------------------------------------------------------------------------------------


def _form(offered: dict[str, Any], **changes: str | None) -> dict[str, str]:
    fields = {"grant_type": GRANT, "pre-authorized_code": _code(offered), "tx_code": offered["tx_code"], **changes}
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"pre-authorized_code": None}, 400, "invalid_request"),
        ({"pre-authorized_code": "invented"}, 400, "invalid_grant"),
        ({"pre-authorized_code": "\u20ac"}, 400, "invalid_grant"),
        ({"pre-authorized_code": None, "pre_authorized_code": "draft-name"}, 400, "invalid_request"),
        ({"tx_code": None}, 400, "invalid_request"),
        ({"tx_code": "000 000"}, 400, "invalid_grant"),
        ({"authorization_details": "{"}, 400, "invalid_authorization_details"),
        ({"authorization_details": "[]"}, 400, "invalid_authorization_details"),
        (
            {"authorization_details": '[{"type":"openid_credential","credential_configuration_id":"ehic_dc4eu-1_sd_jwt"}]'},
            400,
            "invalid_authorization_details",
        ),
    ],
)
def test_token_requests_that_are_refused(
    wallet: IssuerWallet, offered: dict[str, Any], changes: dict[str, str | None], status: int, error: str
) -> None:
    """VCI-TOK-1, -2, -11; SECURITY A-1, A-2, A-3."""
    _refused(wallet.client.post(f"{wallet.issuer}/token", data=_form(offered, **changes)), status, error)
    assert wallet.token(offered).status_code == 200


def test_an_unexpected_transaction_code_is_refused(wallet: IssuerWallet, document_id: str) -> None:
    """VCI-TOK-2."""
    offered = world.offer(wallet.client, document_id=document_id, tx_code=False)
    _refused(wallet.token(offered, tx_code="123456"), 400, "invalid_request")
    assert wallet.token(offered, tx_code=None).status_code == 200


def test_one_wrong_guess_then_the_right_code(wallet: IssuerWallet, offered: dict[str, Any]) -> None:
    """SECURITY R-1: the guess does not spend the code."""
    _refused(wallet.token(offered, tx_code=_other(offered["tx_code"])), 400, "invalid_grant")
    assert wallet.token(offered).status_code == 200


def test_after_five_wrong_guesses_the_right_code_is_dead_too(wallet: IssuerWallet, offered: dict[str, Any]) -> None:
    """VCI-TOK-3, VCI-TOK-11, SECURITY A-2; the answer does not change with the last guess."""
    answers = [wallet.token(offered, tx_code=_other(offered["tx_code"], by)) for by in range(1, 11)]
    for answer in (*answers, wallet.token(offered)):
        _refused(answer, 400, "invalid_grant")


def _other(tx_code: str, by: int = 1) -> str:
    return f"{(int(tx_code) + by) % 10**6:06d}"


def test_a_code_is_good_once_at_its_institution_in_its_time(
    client: TestClient, deployment: Deployment, wallet: IssuerWallet, offered: dict[str, Any], document_id: str
) -> None:
    """VCI-OFF-6, SECURITY A-1."""
    other = IssuerWallet(client, deployment.credential_issuer("fr-cnam"), deployment.clock)
    _refused(other.token(offered), 400, "invalid_grant")
    assert wallet.token(offered).status_code == 200
    _refused(wallet.token(offered), 400, "invalid_grant")
    late = world.offer(client, document_id=document_id)
    deployment.clock.advance(minutes=15)
    _refused(wallet.token(late), 400, "invalid_grant")
    deployment.clock.advance(minutes=-15)


@pytest.mark.parametrize(
    "send",
    [
        lambda c, url, form: c.post(url, json=form),
        lambda c, url, form: c.post(url, content=_encoded(form)),
        lambda c, url, form: c.post(url, content=_encoded(form), headers={"content-type": "text/plain"}),
        lambda c, url, form: c.post(f"{url}?{_encoded(form)}"),
        lambda c, url, form: c.post(f"{url}?{_encoded(form)}", data=form),
        lambda c, url, form: c.post(url, content=f"{_encoded(form)}&{_encoded(form)}", headers=_FORM),
        lambda c, url, form: c.post(url, content=f"{_encoded(form)}&grant_type={GRANT}", headers=_FORM),
        lambda c, url, form: c.post(url, content=_encoded(form) + "&x=%00", headers=_FORM),
        lambda c, url, form: c.post(url, content=_encoded(form) + "&x=%ff", headers=_FORM),
        lambda c, url, form: c.post(url, content="&".join(f"a{n}=1" for n in range(200)), headers=_FORM),
        lambda c, url, form: c.post(url, content=b"\xff\xfe\x00", headers=_FORM),
    ],
    ids=["json", "no type", "text", "query", "query too", "twice", "one twice", "null", "not utf-8", "many", "binary"],
)
def test_a_token_request_that_is_no_form(
    wallet: IssuerWallet, offered: dict[str, Any], send: Callable[[TestClient, str, dict[str, str]], Answer]
) -> None:
    """SECURITY A-4, H-3, H-4, H-6, H-7."""
    _refused(send(wallet.client, f"{wallet.issuer}/token", _form(offered)), 400, "invalid_request")
    assert wallet.token(offered).status_code == 200


def _encoded(form: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in form.items())


# --- DPoP ----------------------------------------------------------------------------------------------------------------------


def _dpop_header(key: LocalSigner, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jws.sign({"typ": "dpop+jwt", "jwk": jwk.from_public(key.public_key), **header}, json.dumps(claims).encode(), key)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": "openid4vci-proof+jwt"}, {}),
        ({"jwk": None}, {}),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, {}),
        ({"crit": ["x"], "x": 1}, {}),
        ({}, {"jti": None}),
        ({}, {"htm": "GET"}),
        ({}, {"htm": None}),
        ({}, {"htu": "https://issuer.test/fr-cnam/token"}),
        ({}, {"htu": "https://evil.test/fr-urssaf/token"}),
        ({}, {"htu": None}),
        ({}, {"iat": None}),
        ({}, {"iat": "now"}),
        ({}, {"iat": 0}),
        ({}, {"iat": 4_000_000_000}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_dpop_proofs_that_are_refused_at_the_token_endpoint(
    wallet: IssuerWallet, offered: dict[str, Any], header: dict[str, Any], claims: dict[str, Any]
) -> None:
    """VCI-DPOP-1, -2, SECURITY A-11: 400 here; the code is not spent by it."""
    right = {"jti": secrets.token_hex(8), "htm": "POST", "htu": f"{wallet.issuer}/token", "iat": int(wallet.now.timestamp())}
    wrong = {name: value for name, value in {**right, **claims}.items() if value is not None}
    headers = {"dpop": _dpop_header(holder(), header, wrong)}
    _refused(wallet.client.post(f"{wallet.issuer}/token", data=_form(offered), headers=headers), 400, "invalid_dpop_proof")
    headers = {"dpop": _dpop_header(holder(), {}, right)}
    assert wallet.client.post(f"{wallet.issuer}/token", data=_form(offered), headers=headers).status_code == 200


def test_dpop_signed_by_another_key_or_with_none(wallet: IssuerWallet, offered: dict[str, Any]) -> None:
    """SECURITY A-11."""
    good = dpop.create(holder(), method="POST", url=f"{wallet.issuer}/token", now=wallet.now, jti="1")
    head, body, signature = good.split(".")
    none = base64url.encode(json.dumps({**json.loads(base64url.decode(head)), "alg": "none"}).encode())
    other = dpop.create(holder(), method="POST", url=f"{wallet.issuer}/token", now=wallet.now, jti="1").split(".")
    for text in (f"{head}.{body}.{other[2]}", f"{none}.{body}.", f"{head}.{body}", "x", f"{other[0]}.{body}.{signature}"):
        answer = wallet.client.post(f"{wallet.issuer}/token", data=_form(offered), headers={"dpop": text})
        _refused(answer, 400, "invalid_dpop_proof")


def test_two_dpop_headers_are_refused(wallet: IssuerWallet, offered: dict[str, Any]) -> None:
    """VCI-DPOP-2, SECURITY H-6."""
    text = dpop.create(holder(), method="POST", url=f"{wallet.issuer}/token", now=wallet.now, jti="1")
    headers = [("dpop", text), ("dpop", text), *_FORM.items()]
    answer = wallet.client.post(f"{wallet.issuer}/token", content=_encoded(_form(offered)), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


def test_a_dpop_proof_is_good_once(wallet: IssuerWallet, client: TestClient, document_id: str) -> None:
    """SECURITY A-11: replayed at the token endpoint 400, at the resource 401."""
    wallet.dpop_key = holder()
    text = dpop.create(wallet.dpop_key, method="POST", url=f"{wallet.issuer}/token", now=wallet.now, jti="once")
    first, second = (world.offer(client, document_id=document_id) for _ in range(2))
    assert client.post(f"{wallet.issuer}/token", data=_form(first), headers={"dpop": text}).status_code == 200
    _refused(client.post(f"{wallet.issuer}/token", data=_form(second), headers={"dpop": text}), 400, "invalid_dpop_proof")
    assert wallet.token(second).status_code == 200  # the code was not spent
    headers = wallet.authorization("notification")
    assert client.post(f"{wallet.issuer}/notification", json={}, headers=headers).json()["error"] == "invalid_notification_request"
    _refused(client.post(f"{wallet.issuer}/notification", json={}, headers=headers), 401, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "change", [{"access_token": "another"}, {"access_token": None}, {"method": "GET"}, {"url": "https://issuer.test/x"}]
)
def test_dpop_proofs_that_are_refused_at_the_resource(
    wallet: IssuerWallet, offered: dict[str, Any], change: dict[str, Any]
) -> None:
    """VCI-DPOP-1: `ath` is needed there."""
    wallet.dpop_key = holder()
    wallet.token(offered)
    arguments = {"method": "POST", "url": f"{wallet.issuer}/credential", "access_token": wallet.access_token, **change}
    headers = {
        "authorization": f"DPoP {wallet.access_token}",
        "dpop": dpop.create(wallet.dpop_key, now=wallet.now, jti=secrets.token_hex(8), **arguments),
    }
    answer = wallet.client.post(f"{wallet.issuer}/credential", json={}, headers=headers)
    _refused(answer, 401, "invalid_dpop_proof")
    assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
    assert wallet.credential(CONFIGURATION).status_code == 200


# --- access token --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["credential", "deferred", "notification"])
def test_tokens_that_are_no_tokens(client: TestClient, deployment: Deployment, holding: IssuerWallet, endpoint: str) -> None:
    """VCI-CRED-13, VCI-NOT-2, SECURITY I-1, I-2: 401 before the body is looked at."""
    good = holding.access_token
    url = f"{holding.issuer}/{endpoint}"
    attempts: list[dict[str, Any]] = [
        {},
        {"headers": {"authorization": ""}},
        {"headers": {"authorization": "Bearer"}},
        {"headers": {"authorization": "Bearer "}},
        {"headers": {"authorization": f"Bearer {good[:-1]}"}},
        {"headers": {"authorization": f"Bearer {good}x"}},
        {"headers": {"authorization": "Bearer invented"}},
        {"headers": {"authorization": f"Basic {good}"}},
        {"headers": {"authorization": good}},
        {"headers": {"authorization": f"DPoP {good}"}},
        {"headers": {"authorization": f"Bearer {world.token_of('fr-urssaf')}"}},
        {"params": {"access_token": good}},
        {"cookies": {"access_token": good}},
        {"json": {"access_token": good}},
    ]
    for attempt in attempts:
        cookies = attempt.pop("cookies", {})
        client.cookies.update(cookies)
        _refused(client.post(url, **{"json": {}, **attempt}), 401, "invalid_token")
        client.cookies.clear()
    elsewhere = url.replace("fr-urssaf", "fr-cnam")
    _refused(client.post(elsewhere, json={}, headers={"authorization": f"Bearer {good}"}), 401, "invalid_token")
    deployment.clock.advance(minutes=5)
    _refused(client.post(url, json={}, headers={"authorization": f"Bearer {good}"}), 401, "invalid_token")
    deployment.clock.advance(minutes=-5)


# --- credential endpoint -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_credential_request"),
        ({"credential_configuration_id": CONFIGURATION, "credential_identifier": "x"}, "invalid_credential_request"),
        ({"credential_identifier": "x"}, "invalid_credential_request"),
        ({"credential_configuration_id": 1}, "invalid_credential_request"),
        ({"credential_configuration_id": None}, "invalid_credential_request"),
        ({"credential_configuration_id": ["x"]}, "invalid_credential_request"),
        ({"credential_configuration_id": "unknown"}, "unknown_credential_configuration"),
        ({"credential_configuration_id": "ehic_dc4eu-1_sd_jwt"}, "unknown_credential_configuration"),  # another institution's
        ({"credential_configuration_id": CONFIGURATION}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": {}}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": []}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": []}}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": "x"}}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [1]}}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": ["x"], "attestation": ["y"]}}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": {"attestation": ["y"]}}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": ["x"] * 150}}, "invalid_proof"),
        ({"credential_configuration_id": CONFIGURATION, "proof": {"proof_type": "jwt", "jwt": "x"}}, "invalid_proof"),
        ({"format": "vc+sd-jwt", "vct": "urn:eudi:pda1:1", "proof": {}}, "invalid_credential_request"),
        ({"format": "mso_mdoc", "doctype": "eu.europa.ec.eudi.pda1.1"}, "invalid_credential_request"),
        (
            {"credential_configuration_id": CONFIGURATION, "credential_response_encryption": {"jwk": {}, "enc": "A128GCM"}},
            "invalid_encryption_parameters",
        ),
        ({"credential_configuration_id": CONFIGURATION, "credential_response_encryption": 5}, "invalid_encryption_parameters"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_credential_requests_that_are_refused(holding: IssuerWallet, body: dict[str, Any], error: str) -> None:
    """VCI-CRED-1..3, VCI-ENC-2, OLD-01, OLD-02, SECURITY I-3, I-4, I-14, I-18, H-5."""
    _refused(holding.post("credential", body), 400, error)
    assert holding.credential(CONFIGURATION).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 20_000 + b"}",
        b"[" * 100_000,
        b'{"a":"\\ud800"}',
        b'{"a":"\\u0000"}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        "{}".encode("utf-16"),
        b"{} {}",
    ],
    ids=lambda value: repr(value[:20]),
)
@pytest.mark.parametrize(
    ("endpoint", "error"),
    [
        ("credential", "invalid_credential_request"),
        ("deferred", "invalid_credential_request"),
        ("notification", "invalid_notification_request"),
    ],
)
def test_bodies_that_are_no_json(holding: IssuerWallet, endpoint: str, error: str, content: bytes) -> None:
    """SECURITY H-3, H-4."""
    headers = {"content-type": "application/json", **holding.authorization(endpoint)}
    _refused(holding.client.post(f"{holding.issuer}/{endpoint}", content=content, headers=headers), 400, error)


@pytest.mark.parametrize(
    ("content_type", "error"),
    [
        ("", "invalid_credential_request"),
        ("text/plain", "invalid_credential_request"),
        ("application/x-www-form-urlencoded", "invalid_credential_request"),
        ("application/jwt", "invalid_encryption_parameters"),
    ],
)
def test_credential_requests_of_another_media_type(holding: IssuerWallet, content_type: str, error: str) -> None:
    """VCI-CRED-15, SECURITY H-7."""
    headers = {"content-type": content_type, **holding.authorization("credential")}
    _refused(holding.client.post(f"{holding.issuer}/credential", content=b"{}", headers=headers), 400, error)


def test_a_token_is_good_for_what_was_offered_only(
    client: TestClient, deployment: Deployment, wallet: IssuerWallet, document_id: str
) -> None:
    """VCI-TOK-7, VCI-CRED-13, SECURITY R-5: a known configuration outside the offer is insufficient scope."""
    wallet.token(world.offer(client, document_id=document_id, formats=["mso_mdoc"]))
    answer = wallet.credential(CONFIGURATION)
    _refused(answer, 403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert wallet.credential("eu.europa.ec.eudi.pda1_mdoc").status_code == 200


def _signed(key: LocalSigner, header: dict[str, Any], claims: dict[str, Any]) -> str:
    whole = {"typ": "openid4vci-proof+jwt", "jwk": jwk.from_public(key.public_key), **header}
    return jws.sign({name: value for name, value in whole.items() if value is not None}, json.dumps(claims).encode(), key)


_OFF_CURVE = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}


@pytest.mark.parametrize(
    ("header", "claims", "error"),
    [
        ({"typ": None}, {}, "invalid_proof"),
        ({"typ": "JWT"}, {}, "invalid_proof"),
        ({"typ": "dpop+jwt"}, {}, "invalid_proof"),
        ({"typ": "kb+jwt"}, {}, "invalid_proof"),
        ({"jwk": None}, {}, "invalid_proof"),
        ({"jwk": jwk.from_public(holder().public_key)}, {}, "invalid_proof"),  # not the signer's
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, {}, "invalid_proof"),
        ({"jwk": _OFF_CURVE}, {}, "invalid_proof"),
        ({"kid": "1"}, {}, "invalid_proof"),  # key and kid
        ({"jwk": None, "kid": "https://evil.test/key"}, {}, "invalid_proof"),
        ({"jwk": None, "jku": "https://evil.test/keys"}, {}, "invalid_proof"),
        ({"jwk": None, "x5u": "https://evil.test/x.pem"}, {}, "invalid_proof"),
        ({"crit": ["exp"], "exp": 1}, {}, "invalid_proof"),
        ({"alg": "none"}, {}, "invalid_proof"),
        ({"alg": "HS256"}, {}, "invalid_proof"),
        ({"alg": ["ES256"]}, {}, "invalid_proof"),
        ({}, {"aud": None}, "invalid_proof"),
        ({}, {"aud": "https://evil.test"}, "invalid_proof"),
        ({}, {"aud": "https://issuer.test"}, "invalid_proof"),
        ({}, {"aud": "https://issuer.test/fr-urssaf/"}, "invalid_proof"),
        ({}, {"aud": "https://issuer.test/fr-cnam"}, "invalid_proof"),
        ({}, {"aud": ["https://issuer.test/fr-cnam"]}, "invalid_proof"),
        ({}, {"iss": "somebody"}, "invalid_proof"),
        ({}, {"iat": None}, "invalid_proof"),
        ({}, {"iat": "today"}, "invalid_proof"),
        ({}, {"iat": 0}, "invalid_proof"),
        ({}, {"iat": 4_000_000_000}, "invalid_proof"),
        ({}, {"nonce": None}, "invalid_nonce"),
        ({}, {"nonce": ""}, "invalid_nonce"),
        ({}, {"nonce": 7}, "invalid_nonce"),
        ({}, {"nonce": "invented"}, "invalid_nonce"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_proofs_that_are_refused(holding: IssuerWallet, header: dict[str, Any], claims: dict[str, Any], error: str) -> None:
    """VCI-CRED-4..6, SECURITY I-5..I-12."""
    nonce = holding.nonce()
    right = {"aud": holding.issuer, "iat": int(holding.now.timestamp()), "nonce": nonce}
    wrong = {name: value for name, value in {**right, **claims}.items() if value is not None}
    bad = _signed(holder(), header, wrong)
    request = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [bad]}}
    _refused(holding.post("credential", request), 400, error)
    assert holding.credential(CONFIGURATION, nonce=nonce).status_code == 200  # the nonce was not spent


def test_proofs_with_an_empty_or_zero_signature(holding: IssuerWallet) -> None:
    """SECURITY I-5."""
    (good,) = holding.proofs([holder()], holding.nonce())
    body = good.rpartition(".")[0]
    for signature in ("", "A" * 86, good.rpartition(".")[2][:-4]):
        request = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [f"{body}.{signature}"]}}
        _refused(holding.post("credential", request), 400, "invalid_proof")


def test_a_private_key_in_a_proof_is_refused(holding: IssuerWallet) -> None:
    """SECURITY I-6."""
    key = holder()
    number = key.private_key.private_numbers().private_value.to_bytes(32, "big")
    header = {"jwk": {**jwk.from_public(key.public_key), "d": base64url.encode(number)}}
    bad = _signed(key, header, {"aud": holding.issuer, "iat": int(holding.now.timestamp()), "nonce": holding.nonce()})
    _refused(
        holding.post("credential", {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [bad]}}), 400, "invalid_proof"
    )


def test_a_certificate_in_a_proof_gives_its_key_and_nothing_else(holding: IssuerWallet) -> None:
    """VCI-CRED-4: `x5c` is one of the three ways to name the key."""
    key = root().leaf()
    claims = {"aud": holding.issuer, "iat": int(holding.now.timestamp()), "nonce": holding.nonce()}
    good = _signed(key, {"jwk": None, "x5c": jws.x5c(key.chain)}, claims)
    request = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [good]}}
    assert holding.post("credential", request).status_code == 200


def test_nonces_spent_expired_or_of_another_institution(client: TestClient, deployment: Deployment, holding: IssuerWallet) -> None:
    """VCI-NONCE-3, -4, SECURITY I-9."""
    spent = holding.nonce()
    assert holding.credential(CONFIGURATION, nonce=spent).status_code == 200
    _refused(holding.credential(CONFIGURATION, nonce=spent), 400, "invalid_nonce")
    foreign = IssuerWallet(client, deployment.credential_issuer("fr-cnam"), deployment.clock).nonce()
    _refused(holding.credential(CONFIGURATION, nonce=foreign), 400, "invalid_nonce")
    old = holding.nonce()
    deployment.clock.advance(minutes=5)
    holding.token(world.offer(client))
    _refused(holding.credential(CONFIGURATION, nonce=old), 400, "invalid_nonce")
    deployment.clock.advance(minutes=-5)


def test_a_batch_shares_a_nonce_once(holding: IssuerWallet) -> None:
    """SECURITY R-3: the same batch again is `invalid_nonce`, so that the wallet fetches a new one."""
    nonce, keys = holding.nonce(), [holder() for _ in range(3)]
    assert len(holding.credential(CONFIGURATION, keys=keys, nonce=nonce).json()["credentials"]) == 3
    _refused(holding.credential(CONFIGURATION, keys=keys, nonce=nonce), 400, "invalid_nonce")


@pytest.mark.parametrize("bad_at", [0, 1, 2])
def test_one_bad_proof_in_a_batch_and_none_is_issued(holding: IssuerWallet, document_id: str, bad_at: int) -> None:
    """SECURITY I-13, I-22: also when only the last one is bad; the good ones work afterwards."""
    before = _issued(holding.client, document_id)
    nonce = holding.nonce()
    proofs = holding.proofs([holder() for _ in range(3)], nonce)
    bent = [*proofs]
    bent[bad_at] = holding.proofs([holder()], nonce, audience="https://evil.test")[0]
    request = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": bent}}
    _refused(holding.post("credential", request), 400, "invalid_proof")
    assert _issued(holding.client, document_id) == before
    request = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": proofs}}
    assert len(holding.post("credential", request).json()["credentials"]) == 3
    assert _issued(holding.client, document_id) == before + 3


def _issued(client: TestClient, document_id: str) -> int:
    found = client.get(f"/api/v1/documents/{document_id}", headers=world.bearer("fr-urssaf")).json()
    return len(found["credentials"])


def test_batches_over_the_size_or_with_a_key_twice(holding: IssuerWallet) -> None:
    """VCI-META-8, VCI-CRED-3, VCI-CRED-10."""
    _refused(holding.credential(CONFIGURATION, keys=[holder() for _ in range(11)]), 400, "invalid_proof")
    key = holder()
    _refused(holding.credential(CONFIGURATION, keys=[key, holder(), key]), 400, "invalid_proof")


def test_a_token_is_good_for_a_bounded_number_of_credentials(tmp_path: Path) -> None:
    deployment = world.build(tmp_path, credentials_per_grant=3)
    with world.client_of(deployment.worker()) as client:
        wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)
        wallet.token(world.offer(client))
        assert wallet.credential(CONFIGURATION, keys=[holder(), holder()]).status_code == 200
        nonce = wallet.nonce()
        _refused(wallet.credential(CONFIGURATION, keys=[holder(), holder()], nonce=nonce), 400, "credential_request_denied")
        assert wallet.credential(CONFIGURATION, nonce=nonce).status_code == 200  # rolled back: the nonce was not spent
    deployment.close()


def test_unknown_members_are_ignored(holding: IssuerWallet) -> None:
    """VCI-CRED-12, VCI-AUTHZ-8."""
    request = {
        "credential_configuration_id": CONFIGURATION,
        "proofs": {"jwt": holding.proofs([holder()], holding.nonce())},
        "from_the_future": {"a": [1]},
    }
    assert holding.post("credential", request).status_code == 200


# --- nonce and notification ----------------------------------------------------------------------------------------------------


def test_nonces_differ_and_are_not_cached(wallet: IssuerWallet) -> None:
    """VCI-NONCE-1, -2: no token, no body needed; 192 random bits."""
    answers = [wallet.client.post(f"{wallet.issuer}/nonce") for _ in range(20)]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    values = {answer.json()["c_nonce"] for answer in answers}
    assert len(values) == 20
    assert {len(base64url.decode(value)) for value in values} == {24}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_notification_request"),
        ({"notification_id": "x"}, "invalid_notification_request"),
        ({"event": "credential_accepted"}, "invalid_notification_request"),
        ({"notification_id": 1, "event": "credential_accepted"}, "invalid_notification_request"),
        ({"notification_id": "ID", "event": "credential_lost"}, "invalid_notification_request"),
        ({"notification_id": "ID", "event": "credential_failure", "event_description": 'a"b'}, "invalid_notification_request"),
        ({"notification_id": "ID", "event": "credential_failure", "event_description": "a\nb"}, "invalid_notification_request"),
        ({"notification_id": "invented", "event": "credential_accepted"}, "invalid_notification_id"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_notifications_that_are_refused(holding: IssuerWallet, body: dict[str, Any], error: str) -> None:
    """VCI-NOT-2, -3, SECURITY I-16."""
    mine = holding.credential(CONFIGURATION).json()["notification_id"]
    told = {name: mine if value == "ID" else value for name, value in body.items()}
    _refused(holding.post("notification", told), 400, error)


def test_a_notification_of_another_media_type_is_refused(holding: IssuerWallet) -> None:
    """VCI-NOT-2: also when it reads like one."""
    told = json.dumps(
        {"notification_id": holding.credential(CONFIGURATION).json()["notification_id"], "event": "credential_accepted"}
    )
    for media_type, status in (("text/plain", 400), ("application/json", 204)):
        headers = {**holding.authorization("notification"), "content-type": media_type}
        assert holding.client.post(f"{holding.issuer}/notification", content=told, headers=headers).status_code == status


def test_a_notification_id_belongs_to_the_token_it_came_with(
    client: TestClient, deployment: Deployment, holding: IssuerWallet
) -> None:
    """SECURITY I-16."""
    mine = holding.credential(CONFIGURATION).json()["notification_id"]
    other = IssuerWallet(client, holding.issuer, deployment.clock)
    other.token(world.offer(client))
    _refused(other.post("notification", {"notification_id": mine, "event": "credential_deleted"}), 400, "invalid_notification_id")


def test_refusals_are_counted_for_the_institution(tmp_path: Path) -> None:
    deployment = world.build(tmp_path)
    with world.client_of(deployment.worker()) as client:
        wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)
        for _ in range(3):
            client.post(f"{wallet.issuer}/token", data={"grant_type": "password"})
        client.post(f"{wallet.issuer}/credential", json={})
        counted = client.get("/api/v1/statistics", headers=world.bearer("fr-urssaf")).json()["refusals"]
        assert [(entry["endpoint"], entry["code"], entry["count"]) for entry in counted] == [
            ("credential", "invalid_token", 1),
            ("token", "unsupported_grant_type", 3),
        ]
        assert client.get("/api/v1/statistics", headers=world.bearer("fr-cnam")).json() == {"refusals": []}
    deployment.close()


def test_wallet_requests_made_by_the_wallets_own_code_are_the_ones_tested(wallet: IssuerWallet, offered: dict[str, Any]) -> None:
    """The bent requests above differ from a right one in the bent place only."""
    assert _form(offered) == token.create_request(pre_authorized_code=_code(offered), tx_code=offered["tx_code"])
    key, claims = holder(), {"aud": wallet.issuer, "iat": int(wallet.now.timestamp()), "nonce": "n"}
    made = jws.parse(proof.create_jwt(key, audience=wallet.issuer, nonce="n", issued_at=wallet.now))
    bent = jws.parse(_signed(key, {}, claims))
    assert (made.header, made.claims()) == (bent.header, bent.claims())
