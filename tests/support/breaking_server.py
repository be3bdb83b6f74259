"""One broken rule for each member of the authorization server metadata, over HTTP; see `tests/flows/test_advertised.py`."""

from typing import Any

from tests.support.advertised import (
    UNLISTED,
    Applicant,
    attestation_with,
    forged,
)
from tests.support.issuer_sign_in import browser, query
from tests.support.issuer_wallet import Answer
from tests.support.pki import holder
from vc.encoding import json
from vc.openid4vci import authorization, token
from vc.openid4vci.wallet_attestation import CHALLENGE_HEADER, HEADER, POP_HEADER
from vc.status import token as status_token
from vc.x509.certificate import public_key


def refused(answer: Answer, error: str, status: int = 400) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error, answer.text


def issuer(at: Applicant) -> None:
    """The audience of everything that is shown to it."""
    refused(at.push_own(headers=at.attestation(pop={"audience": f"{at.issuer}/"})), "invalid_client", 401)


def token_endpoint(at: Applicant) -> None:
    assert at.client.get(at.server.token_endpoint).status_code == 405
    refused(at.client.post(at.server.token_endpoint, data={}), "invalid_request")


def grants(at: Applicant) -> None:
    for grant in ("password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code"):
        assert grant not in at.server.grant_types
        refused(at.redeem_own("code", grant_type=grant), "unsupported_grant_type")
    if "urn:ietf:params:oauth:grant-type:pre-authorized_code" not in at.server.grant_types:
        form = token.create_request(pre_authorized_code="code", client_id=at.client_id)
        answer = at.client.post(f"{at.issuer}/token", data=form, headers={**at.attestation(), **at.dpop("POST", "token")})
        refused(answer, "unsupported_grant_type")


def authorization_endpoint(at: Applicant) -> None:
    """Requests of nobody are shown to the person, never redirected (VCI-AUTHZ-9)."""
    answer = browser(at.world.app).get(f"{at.issuer}/authorize", params={"client_id": at.client_id, "request_uri": "urn:other:1"})
    assert answer.status_code == 400
    assert "location" not in answer.headers


def pushed_endpoint(at: Applicant) -> None:
    """A request_uri is good for one client and once (VCI-AUTHZ-7)."""
    pushed = at.push_own()
    url = at.authorize_url(pushed)
    other = at.authorize_url(pushed, client_id="https://another.example")
    assert browser(at.world.app).get(other).status_code == 400
    assert "code" in query(at.sign_in(url))
    assert browser(at.world.app).get(url).status_code == 400


def par_required(at: Applicant) -> None:
    form = authorization.create_pushed(
        client_id=at.client_id or "",
        redirect_uri=at.redirect_uri,
        code_challenge=authorization.challenge_of(at.verifier),
        state="state",
        scopes=[at.configuration_id],
    )
    answer = browser(at.world.app).get(f"{at.issuer}/authorize", params=form)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def response_type(at: Applicant) -> None:
    refused(at.push_own(response_type="token"), "unsupported_response_type")
    refused(at.push_own(response_type="code id_token"), "unsupported_response_type")


def response_mode(at: Applicant) -> None:
    refused(at.push_own(response_mode="fragment"), "invalid_request")


def pkce(at: Applicant) -> None:
    refused(at.push_own(code_challenge_method="plain"), "invalid_request")
    refused(at.push_own(code_challenge_method=None), "invalid_request")
    refused(at.push_own(code_challenge=None), "invalid_request")
    code = at.code()
    refused(at.redeem_own(code, code_verifier="w" * 43), "invalid_grant")


def iss_in_response(at: Applicant) -> None:
    """The promise is kept for an error as for a code (RFC 9207); `code` asserts it for the latter."""
    back = at.sign_in(at.authorize_url(at.push_own()), refuse=True)
    assert query(back)["iss"] == at.issuer
    assert query(back)["error"] == "access_denied"
    at.code()


def client_auth(at: Applicant) -> None:
    unknown: dict[str, Any] = {"headers": {}, "client_id": "https://unknown.example/wallet"}
    refused(at.push_own(**unknown), "invalid_client", 401)
    code = at.code()
    refused(at.redeem_own(code, **unknown), "invalid_client", 401)
    if "none" not in at.server.client_auth_methods:
        refused(at.push_own(headers={}), "invalid_client", 401)
        refused(at.push_own(headers={}, client_secret="secret"), "invalid_client", 401)


def attestation_algorithms(at: Applicant) -> None:
    good = at.attestation()
    for alg in UNLISTED:
        made = forged(good[HEADER], alg, at.instance.provider.signer.private_key)
        refused(at.push_own(headers=attestation_with(at.attestation(), attestation=made)), "invalid_client", 401)


def pop_algorithms(at: Applicant) -> None:
    for alg in UNLISTED:
        good = at.attestation()
        made = forged(good[POP_HEADER], alg, at.instance.key.private_key)
        refused(at.push_own(headers=attestation_with(good, pop=made)), "invalid_client", 401)


def challenge(at: Applicant) -> None:
    """VCI-WIA-6, -7: none, an invented one, one of yesterday; each time a fresh one comes with the answer."""
    old = at.challenge()
    at.world.attested.clock.advance(hours=1)
    for challenge in (None, "invented", old):
        answer = at.push_own(headers=at.attestation(challenge=challenge))
        refused(answer, "use_attestation_challenge")
        assert at.push_own(headers=at.attestation(challenge=answer.headers[CHALLENGE_HEADER])).status_code == 201


def scopes(at: Applicant) -> None:
    refused(at.push_own(scope="nothing_of_the_kind"), "invalid_scope")
    assert at.push_own(scope=f"nothing_of_the_kind {at.configuration_id}").status_code == 201  # VCI-AUTHZ-2


def details_type(at: Applicant) -> None:
    other = json.dumps([{"type": "account_information", "credential_configuration_id": at.configuration_id}]).decode()
    answer = at.push_own(scope=None, authorization_details=other)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_authorization_details", "invalid_scope")


def _dpop_algorithms(at: Applicant) -> None:
    assert at.dpop_key is not None
    for alg in UNLISTED:
        good = at.dpop("POST", "par")["dpop"]
        made = forged(good, alg, at.dpop_key.private_key)
        at.shows({**at.attestation(), "dpop": made})
        refused(at.push(at.configuration_id, dpop_proof=False), "invalid_dpop_proof")


def dpop(at: Applicant) -> None:
    _dpop_algorithms(at)
    _dpop_binds(at)


def _dpop_binds(at: Applicant) -> None:
    """What DPoP is for: the code, the token and its use are bound to one key (VCI-DPOP-4, -5)."""
    code = at.code()
    mine, at.dpop_key = at.dpop_key, holder()
    refused(at.redeem_own(code), "invalid_dpop_proof")
    at.dpop_key = mine
    at.entitle()
    request = at.body()
    at.dpop_key = holder()
    refused(at.ask(request), "invalid_dpop_proof", 401)


def anonymous(at: Applicant) -> None:
    """Allowed for the pre-authorized code, and for nothing else (VCI-TOK-6, VCI-META-22)."""
    offered = at.offered()
    at.client_id = None
    assert at.token(offered).status_code == 200
    refused(at.push_own(headers={}, client_id="anybody"), "invalid_client", 401)
    refused(at.push_own(headers={}, client_id=None), "invalid_request")


def aggregation(at: Applicant) -> None:
    """The lists it names are served and are the institution's own."""
    at.credentials(at.entitle().ask())
    uri = at.world.server_metadata(at.institution)["status_list_aggregation_endpoint"]
    lists = at.client.get(uri).json()["status_lists"]
    assert lists
    for one in lists:
        opened = status_token.parse_jwt(at.client.get(one).text)
        status_token.verify(opened, public_key(opened.chain[0]), uri=one, now=at.now)
    assert at.client.get(f"{lists[0]}0000").status_code == 404
