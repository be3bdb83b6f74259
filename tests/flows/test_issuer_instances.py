"""Attested wallets in the authorization code flow under the HAIP profile: the instance and its DPoP key hold everything together.

HAIP-VCI-3, -9, -10; VCI-DPOP-3, VCI-TOK-10, VCI-AUTHZ-10; SECURITY A-11 to A-14, R-4.
"""

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import attested as support
from tests.support.attested import Attested, Instance
from tests.support.issuer import BASE_URL, bearer, client_of, offer, submit
from tests.support.issuer_sign_in import IDS, SignInWallet, browser, go, institution, is_page, query
from tests.support.issuer_wallet import Answer
from tests.support.pki import holder
from tests.support.upstream import Upstream
from tests.support.wallet_provider import WalletProvider
from vc.openid4vci import credential, dpop

NONCE = "dpop-nonce"


@dataclass
class Scene:
    """A HAIP institution with two workers; the wallet at the first."""

    world: Attested
    upstream: Upstream
    workers: list[Any]
    client: TestClient

    def wallet(self, **options: Any) -> "HaipWallet":
        issuer = self.world.deployment.credential_issuer("fr-urssaf")
        instance = Instance(self.world, issuer)
        made = HaipWallet(client=self.client, issuer=issuer, clock=self.world.clock, instance=instance, dpop_key=holder())
        made.client_id, made.attest = instance.client_id, made.attested
        made.dpop_nonce = self.client.post(f"{issuer}/nonce").headers[NONCE]
        for name, value in options.items():
            setattr(made, name, value)
        return made

    def code(self, wallet: SignInWallet, *configuration_ids: str, **options: Any) -> str:
        back = self.signed_in(wallet, wallet.push(*configuration_ids, **options))
        assert back.status_code == 303, back.text
        return query(back.headers["location"])["code"]

    def signed_in(self, wallet: SignInWallet, pushed: Answer) -> Answer:
        """The person signs in and says that the wallet is theirs."""
        person = browser(self.workers[1])
        asked = go(person, self.upstream, wallet.authorize_url(pushed))
        return person.get(agreeing(asked))


def agreeing(asked: Answer, *, place: str = "wallet.example") -> str:
    """The address behind the yes of the page that asks."""
    assert asked.status_code == 200, asked.text
    assert f'<p id="host"><strong>{place}</strong></p>' in asked.text
    return html.unescape(asked.text.split('id="return-to-wallet" href="')[1].split('"')[0])


@dataclass
class HaipWallet(SignInWallet):
    """Shows its attestation wherever it authenticates, and attested keys."""

    instance: Instance | None = None

    def attested(self) -> dict[str, str]:
        assert self.instance is not None
        challenge = self.client.post(f"{self.issuer}/challenge").json()["attestation_challenge"]
        return self.instance.headers(challenge=challenge)

    def collect(self, configuration_id: str) -> Answer:
        assert self.instance is not None
        key, nonce = holder(), self.nonce()
        words = self.instance.key_attestation([key], nonce=nonce)
        proofs = self.proofs([key], nonce, key_attestation=words)
        return self.post("credential", credential.create_request(configuration_id=configuration_id, identifier=None, proofs=proofs))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    facts = {"fr-urssaf": institution(issuance_profile="haip", clients=[])}
    world = support.attested(tmp_path, institutions=facts, access=True)
    workers = [world.deployment.worker() for _ in range(2)]
    with client_of(workers[0]) as client:
        yield Scene(world, Upstream(world.internet, world.clock), workers, client)
    world.deployment.close()


def test_an_attested_wallet_collects_and_renews(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet()
    redeemed = wallet.redeem(scene.code(wallet, *IDS))
    assert redeemed.status_code == 200, redeemed.text
    assert redeemed.json()["token_type"] == "DPoP"
    for configuration in IDS:
        collected = wallet.collect(configuration)
        assert collected.status_code == 200, collected.text
    assert wallet.refresh().status_code == 200
    assert wallet.collect(IDS[0]).status_code == 200


def test_haip_offers_are_by_sign_in_alone(scene: Scene) -> None:
    offered = offer(scene.client)
    assert set(offered["credential_offer"]["grants"]) == {"authorization_code"}
    wallet = scene.wallet()
    state = offered["credential_offer"]["grants"]["authorization_code"]["issuer_state"]
    assert wallet.redeem(scene.code(wallet, IDS[0], issuer_state=state)).status_code == 200
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code", "pre-authorized_code": "x"}
    refused = scene.client.post("/fr-urssaf/token", data=form)
    assert refused.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("endpoint", ["par", "token"])
def test_without_attestation_nobody_is_known(scene: Scene, endpoint: str) -> None:
    """HAIP-VCI-9, SECURITY A-14."""
    submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0]) if endpoint == "token" else ""
    wallet.attest = dict
    refused = wallet.push(IDS[0]) if endpoint == "par" else wallet.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert "a wallet attestation and its proof of possession are needed" in refused.json()["error_description"]


@pytest.mark.parametrize("endpoint", ["par", "code", "refresh"])
def test_an_attestation_is_shown_once_with_its_proof(scene: Scene, endpoint: str) -> None:
    """VCI-WIA-6, -11: what authenticated one request authenticates no other, whatever it is for."""
    submit(scene.client)
    wallet = scene.wallet()
    codes = [scene.code(wallet, IDS[0]) for _ in range(2)]
    if endpoint == "refresh":
        wallet.redeem(codes[0])
    headers = wallet.attested()
    wallet.attest = lambda: headers
    steps: dict[str, Callable[[], Any]] = {
        "par": lambda: wallet.push(IDS[0]),
        "code": lambda: wallet.redeem(codes.pop()),
        "refresh": wallet.refresh,
    }
    ask = steps[endpoint]
    assert ask().status_code in (200, 201)
    again = ask()
    assert (again.status_code, again.json()["error"]) == (400, "use_attestation_challenge")


def test_client_id_is_the_attested_one(scene: Scene) -> None:
    """VCI-AUTHZ-10."""
    refused = scene.wallet().push(IDS[0], client_id="https://another.example")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_a_code_is_not_good_for_another_instance(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0])
    other = scene.wallet(dpop_key=wallet.dpop_key, verifier=wallet.verifier)
    refused = other.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert wallet.redeem(code).status_code == 200


def test_a_refresh_token_of_another_instance_ends_the_family(scene: Scene) -> None:
    """SECURITY A-13: same wallet solution, same DPoP key, another instance."""
    submit(scene.client)
    wallet = scene.wallet()
    wallet.redeem(scene.code(wallet, IDS[0]))
    other = scene.wallet(dpop_key=wallet.dpop_key, refresh_token=wallet.refresh_token)
    refused = other.refresh()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert wallet.refresh().json()["error"] == "invalid_grant"
    assert wallet.collect(IDS[0]).status_code == 401


def test_a_refresh_asks_again_whether_the_wallet_is_believed(scene: Scene) -> None:
    """SECURITY R-4: a provider that left the list gets nothing more, for old grants neither."""
    submit(scene.client)
    wallet = scene.wallet()
    wallet.redeem(scene.code(wallet, IDS[0]))
    scene.world.lists.withdraw(scene.world.provider)
    scene.world.clock.advance(seconds=120)
    wallet.dpop_nonce = scene.client.post(f"{wallet.issuer}/nonce").headers[NONCE]
    refused = wallet.refresh()
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert isinstance(scene.world.provider, WalletProvider)


def test_a_withdrawn_document_is_not_renewed(scene: Scene) -> None:
    """SECURITY R-4."""
    document_id = submit(scene.client)
    wallet = scene.wallet()
    wallet.redeem(scene.code(wallet, IDS[0]))
    scene.client.post(f"/api/v1/documents/{document_id}/revocation", json={}, headers=bearer("fr-urssaf"))
    assert wallet.refresh().json()["error"] == "invalid_grant"


def test_a_person_is_asked_before_an_unknown_web_address_gets_a_code(scene: Scene) -> None:
    """Somebody sends the link of their own wallet to another person: who signs in must say yes, in the same browser, once."""
    submit(scene.client)
    wallet = scene.wallet()
    person, other = browser(scene.workers[1]), browser(scene.workers[0])
    asked = go(person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0])))
    url = agreeing(asked)
    assert "code=" not in asked.text
    is_page(other.get(url), 403)
    is_page(person.get(url[:-3] + "abc"), 400)
    is_page(person.get(url.partition("?")[0]), 400)
    back = person.get(url)
    assert back.status_code == 303
    is_page(person.get(url), 400)
    assert wallet.redeem(query(back.headers["location"])["code"]).status_code == 200


def test_an_answer_that_comes_late_is_none(scene: Scene) -> None:
    submit(scene.client)
    wallet = scene.wallet()
    person = browser(scene.workers[1])
    url = agreeing(go(person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0]))))
    scene.world.clock.advance(seconds=600)
    is_page(person.get(url), 400, wallet=wallet)


def test_a_document_withdrawn_while_the_person_is_asked(scene: Scene) -> None:
    document_id = submit(scene.client)
    wallet = scene.wallet()
    person = browser(scene.workers[1])
    url = agreeing(go(person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0]))))
    scene.client.post(f"/api/v1/documents/{document_id}/revocation", json={}, headers=bearer("fr-urssaf"))
    is_page(person.get(url), 400)


def test_the_app_of_the_person_is_not_asked_about(scene: Scene) -> None:
    """A scheme that is a domain name of its maker leads to the wallet on this device (RFC 8252 §7.1)."""
    submit(scene.client)
    wallet = scene.wallet(redirect_uri="com.example.wallet:/back")
    back = go(browser(scene.workers[1]), scene.upstream, wallet.authorize_url(wallet.push(IDS[0])))
    assert back.status_code == 303
    assert back.headers["location"].startswith("com.example.wallet:/back?")


def test_a_scheme_that_is_no_domain_is_asked_about(scene: Scene) -> None:
    """RFC 8252 §7.1, §8.4: browsers open web addresses under short schemes, so that such a one may lead to anybody."""
    submit(scene.client)
    wallet = scene.wallet(redirect_uri="googlechromes://elsewhere.example/back")
    person = browser(scene.workers[1])
    asked = go(person, scene.upstream, wallet.authorize_url(wallet.push(IDS[0])))
    back = person.get(agreeing(asked, place="googlechromes://elsewhere.example"))
    assert back.headers["location"].startswith("googlechromes://elsewhere.example/back?")


# --- DPoP with nonces ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["none", "invented", "old", "of the future"])
def test_a_nonce_is_demanded_and_given_at_every_endpoint(scene: Scene, bad: str) -> None:
    """VCI-DPOP-3: 400 at the authorization server, 401 at the resource, each with a nonce that is good next."""
    submit(scene.client)
    wallet = scene.wallet()
    wrong = {"none": None, "invented": "AAAAAAAAAAAAAAAA", "old": wallet.dpop_nonce, "of the future": None}[bad]
    if bad == "old":
        scene.world.clock.advance(seconds=301)
    if bad == "of the future":
        scene.world.clock.advance(hours=1)
        wrong = scene.client.post(f"{wallet.issuer}/nonce").headers[NONCE]
        scene.world.clock.advance(hours=-1)

    def told(send: Any, status: int) -> Answer:
        wallet.dpop_nonce = wrong
        refused = send()
        assert (refused.status_code, refused.json()["error"]) == (status, "use_dpop_nonce"), refused.text
        wallet.dpop_nonce = refused.headers[NONCE]
        good = send()
        assert NONCE in good.headers
        return good

    pushed = told(lambda: wallet.push(IDS[0]), 400)
    back = scene.signed_in(wallet, pushed)
    code = query(back.headers["location"])["code"]
    assert told(lambda: wallet.redeem(code), 400).status_code == 200
    assert told(wallet.refresh, 400).status_code == 200
    collected = told(lambda: wallet.collect(IDS[0]), 401)
    assert collected.status_code == 200, collected.text
    wallet.dpop_nonce = wrong
    refused = wallet.collect(IDS[0])
    assert 'DPoP error="use_dpop_nonce"' in refused.headers["www-authenticate"]


def test_a_nonce_of_one_worker_is_good_at_the_other(scene: Scene) -> None:
    """And after a restart: the secret is in the database."""
    wallet = scene.wallet()
    wallet.client = TestClient(scene.workers[1], base_url=BASE_URL)
    assert wallet.push(IDS[0]).status_code == 201
    with client_of(scene.world.deployment.worker()) as third:
        wallet.client = third
        assert wallet.push(IDS[0]).status_code == 201


def test_without_dpop_there_is_no_token(scene: Scene) -> None:
    """HAIP-VCI-3."""
    submit(scene.client)
    wallet = scene.wallet()
    code = scene.code(wallet, IDS[0], dpop_proof=False)
    key, wallet.dpop_key = wallet.dpop_key, None
    refused = wallet.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    wallet.dpop_key = key
    assert wallet.redeem(code).status_code == 200


def test_the_token_is_good_with_its_key_alone(scene: Scene) -> None:
    """SECURITY A-12."""
    submit(scene.client)
    wallet = scene.wallet()
    wallet.redeem(scene.code(wallet, IDS[0]))
    key = wallet.dpop_key
    wallet.dpop_key = None
    assert wallet.credential(IDS[0]).status_code == 401
    wallet.dpop_key = holder()
    refused = wallet.collect(IDS[0])
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_dpop_proof")
    wallet.dpop_key = key
    assert wallet.collect(IDS[0]).status_code == 200


def test_what_dpop_does_not_concern_carries_no_nonce(scene: Scene) -> None:
    for path in ("/.well-known/openid-credential-issuer/fr-urssaf", "/fr-urssaf/status"):
        assert NONCE not in scene.client.get(path).headers
    assert dpop.NONCE_AGE.total_seconds() == 300
