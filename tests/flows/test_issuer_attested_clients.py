"""Wallet attestation as client authentication (VCI-WIA-1 to -11, SECURITY A-14), at every endpoint that takes it.

After each refusal the right request still works: nothing is spent, nothing half made.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from issuer.store import grants as store
from issuer.store.engine import reading
from tests.support import attested as support
from tests.support import issuer as world
from tests.support.attested import Attested, Instance
from tests.support.internet import Internet
from tests.support.issuer_wallet import Answer
from tests.support.pki import holder, root
from tests.support.wallet_provider import LIST_HOST
from vc.encoding import base64url, json
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import token, wallet_attestation
from vc.openid4vci.wallet_attestation import CHALLENGE_HEADER, HEADER, POP_HEADER

SIGN_IN = {
    "issuer": "https://login.test",
    "client_id": "issuer",
    "client_secret": "not-a-real-secret",
    "claims": {"family_name": "family_name", "given_name": "given_name", "birth_date": "birthdate"},
}
Headers = list[tuple[str, str]]


@dataclass
class Scene:
    """An attested wallet instance before one of the endpoints that authenticate clients."""

    world: Attested
    client: TestClient
    endpoint: str
    instance: Instance = field(init=False)
    issuer: str = field(init=False)

    def __post_init__(self) -> None:
        self.issuer = self.world.deployment.credential_issuer("fr-urssaf")
        self.instance = Instance(self.world, self.issuer)
        self.document_id = world.submit(self.client)
        self.fresh()

    def fresh(self) -> None:
        """Something new to ask for."""
        offered = world.offer(self.client, document_id=self.document_id)
        code = offered["credential_offer"]["grants"]["urn:ietf:params:oauth:grant-type:pre-authorized_code"]["pre-authorized_code"]
        self.form = {
            "token": token.create_request(pre_authorized_code=code, tx_code=offered["tx_code"]),
            "par": {
                "response_type": "code",
                "client_id": self.instance.client_id,
                "redirect_uri": "https://wallet.example/back",
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                "code_challenge_method": "S256",
                "scope": next(iter(self.scopes())),
            },
        }[self.endpoint]

    def scopes(self) -> list[str]:
        found = self.client.get("/.well-known/oauth-authorization-server/fr-urssaf").json()
        scopes: list[str] = found["scopes_supported"]
        return scopes

    def challenge(self) -> str:
        answer = self.client.post(f"{self.issuer}/challenge")
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["attestation_challenge"]
        return found

    def send(self, headers: dict[str, str] | Headers, **form: str) -> Answer:
        return self.client.post(f"{self.issuer}/{self.endpoint}", data={**self.form, **form}, headers=headers)

    def shown(self, **changes: Any) -> Answer:
        """With a fresh challenge unless it says otherwise; `form` are further parameters."""
        form = changes.pop("form", {})
        return self.send(self.instance.headers(**{"challenge": self.challenge(), **changes}), **form)

    @property
    def done(self) -> int:
        return {"token": 200, "par": 201}[self.endpoint]

    def headers(self, **changes: Any) -> tuple[str, str]:
        made = self.instance.headers(challenge=self.challenge(), **changes)
        return made[HEADER], made[POP_HEADER]


def _pair(attestation: str, pop: str) -> Headers:
    return [(HEADER, attestation), (POP_HEADER, pop)]


@pytest.fixture(scope="module")
def attested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attested]:
    institutions = {**world.INSTITUTIONS, "fr-urssaf": {**world.INSTITUTIONS["fr-urssaf"], "sign_in": SIGN_IN}}
    built = support.attested(Path(tmp_path_factory.mktemp("attested")), institutions=institutions)
    yield built
    built.deployment.close()


@pytest.fixture(scope="module")
def client(attested: Attested) -> Iterator[TestClient]:
    with world.client_of(attested.deployment.worker()) as opened:
        yield opened


@pytest.fixture(params=["token", "par"])
def scene(attested: Attested, client: TestClient, request: pytest.FixtureRequest) -> Scene:
    return Scene(attested, client, request.param)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Scene]:
    """A world of its own, for tests that bend time, lists or keys."""
    built = support.attested(tmp_path)
    with world.client_of(built.deployment.worker()) as opened:
        yield Scene(built, opened, "token")
    built.deployment.close()


def _is(answer: Answer, status: int, error: str, *, says: str = "") -> None:
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert answer.json().keys() <= {"error", "error_description"}
    assert says in answer.json().get("error_description", "")
    assert answer.headers["cache-control"] == "no-store"


# --- what works


def test_an_attested_instance_is_known(scene: Scene) -> None:
    """VCI-WIA-1 to -4: at PAR and token; the client is the `sub` of the attestation."""
    assert scene.shown().status_code == scene.done


@pytest.mark.parametrize("issuer", ["https://wallet-provider.test", None])
def test_iss_is_optional(scene: Scene, issuer: str | None) -> None:
    """PROTOCOLS 8, conflict 2: draft-07 demands it, later ones have none."""
    assert scene.shown(issuer=issuer, pop={"issuer": scene.instance.client_id}).status_code == scene.done


def test_client_id_may_be_named_beside(scene: Scene) -> None:
    """VCI-WIA-5."""
    assert scene.shown(form={"client_id": scene.instance.client_id}).status_code == scene.done


def test_the_token_remembers_the_instance(alone: Scene) -> None:
    """VCI-TOK-10: what was attested stays with the grant."""
    answer = alone.shown()
    with reading(alone.world.deployment.engines[0]) as connection:
        grant = store.find_grant(connection, "fr-urssaf", answer.json()["access_token"], alone.world.clock())
    assert grant is not None
    assert grant.client_id == alone.instance.client_id
    assert grant.instance_thumbprint == base64url.encode(jwk.thumbprint(alone.instance.key.public_key))


def test_a_status_of_the_wallet_is_looked_up(alone: Scene) -> None:
    later = alone.world.clock() + timedelta(days=30)
    status = {"status": alone.world.provider.status(), "client_status_expires": later}
    assert alone.shown(**status).status_code == 200
    assert alone.world.internet.requests(alone.world.provider.host)


# --- challenges


def test_a_challenge_is_fresh_and_never_cached(scene: Scene) -> None:
    """VCI-WIA-6."""
    answers = [scene.client.post(f"{scene.issuer}/challenge") for _ in range(2)]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    found = {answer.json()["attestation_challenge"] for answer in answers}
    assert len(found) == 2
    assert all(len(base64url.decode(challenge)) >= 16 for challenge in found)
    assert scene.client.get(f"{scene.issuer}/challenge").status_code == 405


def test_no_challenge_then_the_one_that_is_given(scene: Scene) -> None:
    """VCI-WIA-7: the error brings a challenge, and with that it works."""
    refused = scene.shown(challenge=None)
    _is(refused, 400, "use_attestation_challenge")
    assert scene.send(scene.instance.headers(challenge=refused.headers[CHALLENGE_HEADER])).status_code == scene.done


def test_where_no_challenge_can_be_given_the_wallet_is_told_to_wait(tmp_path: Path) -> None:
    """SECURITY H-19: challenges are limited per minute wherever they are given out; a refusal stays one of the protocol."""
    built = support.attested(tmp_path, nonces_per_minute=1)
    with world.client_of(built.deployment.worker()) as opened:
        scene = Scene(built, opened, "token")
        _is(scene.send(scene.instance.headers()), 400, "use_attestation_challenge")
        late = scene.send(scene.instance.headers())
        _is(late, 429, "temporarily_unavailable")
        assert late.headers["retry-after"] == "60"
        assert CHALLENGE_HEADER not in late.headers
    built.deployment.close()


@pytest.mark.parametrize("kind", ["invented", "a c_nonce", "of another institution", "spent"])
def test_a_challenge_that_is_not_good(scene: Scene, kind: str) -> None:
    """SECURITY A-14."""
    if kind == "invented":
        challenge = "invented"
    elif kind == "a c_nonce":
        challenge = scene.client.post(f"{scene.issuer}/nonce").json()["c_nonce"]
    elif kind == "of another institution":
        challenge = scene.client.post(f"{scene.issuer.replace('urssaf', 'cnam')}/challenge").json()["attestation_challenge"]
    else:
        challenge = scene.challenge()
        assert scene.shown(challenge=challenge).status_code == scene.done
        scene.fresh()
    refused = scene.shown(challenge=challenge)
    _is(refused, 400, "use_attestation_challenge")
    assert scene.send(scene.instance.headers(challenge=refused.headers[CHALLENGE_HEADER])).status_code == scene.done


def test_a_challenge_ends(alone: Scene) -> None:
    challenge = alone.challenge()
    alone.world.clock.advance(seconds=300)
    _is(alone.shown(challenge=challenge), 400, "use_attestation_challenge")


def test_a_challenge_proves_no_holder_key(alone: Scene) -> None:
    """The two kinds of nonces are kept apart the other way round as well."""
    wallet = support.wallet(alone.client, alone.world)
    assert wallet.token(world.offer(alone.client, document_id=alone.document_id)).status_code == 200
    _is(wallet.credential("pda1_dc4eu-2_sd_jwt", nonce=alone.challenge()), 400, "invalid_nonce")


# --- bad attestations and proofs


def _altered(text: str) -> str:
    return text[:-6] + ("AAAAAA" if not text.endswith("AAAAAA") else "BBBBBB")


def _rewritten(text: str, signer: LocalSigner | None, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Signed again with other members; None leaves one out. Without signer: `alg` none."""
    parts = jws.parse(text)
    new_header = {name: value for name, value in {**parts.header, **(header or {})}.items() if value is not None}
    new_claims = {name: value for name, value in {**parts.claims(), **claims}.items() if value is not None}
    if signer is None:
        encoded = [base64url.encode(json.dumps(value)) for value in ({**new_header, "alg": "none"}, new_claims)]
        return ".".join([*encoded, ""])
    new_header.pop("alg", None)
    return jws.sign(new_header, json.dumps(new_claims), signer)


def _attestation(change: Callable[[Scene, str], str]) -> Callable[[Scene], Headers]:
    def make(scene: Scene) -> Headers:
        attestation, pop = scene.headers()
        return _pair(change(scene, attestation), pop)

    return make


def _pop(change: Callable[[Scene, str], str]) -> Callable[[Scene], Headers]:
    def make(scene: Scene) -> Headers:
        attestation, pop = scene.headers()
        return _pair(attestation, change(scene, pop))

    return make


def _made(**changes: Any) -> Callable[[Scene], Headers]:
    return lambda scene: _pair(*scene.headers(**changes))


def _seconds(scene: Scene, seconds: int) -> int:
    return int((scene.world.clock() + timedelta(seconds=seconds)).timestamp())


BAD: dict[str, Callable[[Scene], Headers]] = {
    "attestation missing": lambda s: [(POP_HEADER, s.headers()[1])],
    "proof missing": lambda s: [(HEADER, s.headers()[0])],
    "two in one header": lambda s: _pair(*(f"{text}, {text}" for text in s.headers())),
    "joined as in old drafts": lambda s: [(HEADER, "~".join(s.headers()))],
    "attestation: bad signature": _attestation(lambda s, text: _altered(text)),
    "attestation: by another key": _attestation(lambda s, text: _rewritten(text, holder())),
    "attestation: alg none": _attestation(lambda s, text: _rewritten(text, None)),
    "attestation: no certificate": _attestation(lambda s, text: _rewritten(text, s.instance.provider.signer, header={"x5c": None})),
    "attestation: typ": _attestation(lambda s, text: _rewritten(text, s.instance.provider.signer, header={"typ": "JWT"})),
    "attestation: no sub": _attestation(lambda s, text: _rewritten(text, s.instance.provider.signer, sub=None)),
    "attestation: no cnf": _attestation(lambda s, text: _rewritten(text, s.instance.provider.signer, cnf=None)),
    "attestation: private key in cnf": _attestation(
        lambda s, text: _rewritten(
            text, s.instance.provider.signer, cnf={"jwk": {**jwk.from_public(s.instance.key.public_key), "d": "AAAA"}}
        )
    ),
    "attestation: no exp": _attestation(lambda s, text: _rewritten(text, s.instance.provider.signer, exp=None)),
    "attestation: a day long": _attestation(
        lambda s, text: _rewritten(text, s.instance.provider.signer, exp=_seconds(s, 24 * 3600))
    ),
    "attestation: from the future": _attestation(
        lambda s, text: _rewritten(text, s.instance.provider.signer, iat=_seconds(s, 300))
    ),
    "attestation: unreadable status": _attestation(lambda s, text: _rewritten(text, s.instance.provider.signer, status={})),
    "attestation: no JWT": _attestation(lambda s, text: "a.b.c"),
    "attestation: a proof": lambda s: _pair(s.headers()[1], s.headers()[1]),
    "proof: bad signature": _pop(lambda s, text: _altered(text)),
    "proof: by another key": lambda s: _pair(*s.headers(pop_key=holder())),
    "proof: by the provider": lambda s: _pair(*s.headers(pop_key=s.instance.provider.signer)),
    "proof: alg none": _pop(lambda s, text: _rewritten(text, None)),
    "proof: typ": _pop(lambda s, text: _rewritten(text, s.instance.key, header={"typ": "JWT"})),
    "proof: crit": _pop(lambda s, text: _rewritten(text, s.instance.key, header={"crit": ["exp"], "exp": 1})),
    "proof: for another server": _made(pop={"audience": "https://elsewhere.test"}),
    "proof: for another institution of ours": lambda s: _pair(*s.headers(pop={"audience": s.issuer.replace("urssaf", "cnam")})),
    "proof: for the endpoint": lambda s: _pair(*s.headers(pop={"audience": f"{s.issuer}/{s.endpoint}"})),
    "proof: aud as a list": _pop(lambda s, text: _rewritten(text, s.instance.key, aud=[s.issuer])),
    "proof: no aud": _pop(lambda s, text: _rewritten(text, s.instance.key, aud=None)),
    "proof: of another client": _made(pop={"issuer": "https://other-wallet.example"}),
    "proof: no jti": _pop(lambda s, text: _rewritten(text, s.instance.key, jti=None)),
    "proof: no iat": _pop(lambda s, text: _rewritten(text, s.instance.key, iat=None)),
    "proof: stale": _pop(lambda s, text: _rewritten(text, s.instance.key, iat=_seconds(s, -300))),
    "proof: from the future": _pop(lambda s, text: _rewritten(text, s.instance.key, iat=_seconds(s, 300))),
    "proof: no JWT": _pop(lambda s, text: ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_attestations_and_proofs(scene: Scene, case: str) -> None:
    """VCI-WIA-1 to -4, -10; SECURITY A-14: `invalid_client`, 401, also where nobody would have to say who they are."""
    refused = scene.send(BAD[case](scene))
    _is(refused, 401, "invalid_client")
    assert scene.shown().status_code == scene.done


@pytest.mark.parametrize("name", [HEADER, POP_HEADER])
def test_a_header_that_comes_twice(scene: Scene, name: str) -> None:
    """VCI-WIA-1, SECURITY H-6: never "last wins"."""
    headers = dict(_pair(*scene.headers()))
    _is(scene.send([*headers.items(), (name, headers[name])]), 401, "invalid_client")
    assert scene.shown().status_code == scene.done


def test_an_expired_attestation_asks_for_a_fresh_one(scene: Scene) -> None:
    """VCI-WIA-7."""
    now = scene.world.clock()
    _is(scene.shown(now=now - timedelta(hours=6), expires=now - timedelta(minutes=2)), 400, "use_fresh_attestation", says="expired")
    over = {"status": scene.world.provider.status(), "client_status_expires": now - timedelta(minutes=2)}
    _is(scene.shown(**over), 400, "use_fresh_attestation", says="no longer kept up")
    assert scene.shown().status_code == scene.done


def test_another_client_id_beside(scene: Scene) -> None:
    """VCI-WIA-5, VCI-AUTHZ-10."""
    _is(scene.shown(form={"client_id": "https://other-wallet.example"}), 401, "invalid_client")
    assert scene.shown().status_code == scene.done


def test_a_proof_is_shown_once(scene: Scene) -> None:
    """VCI-WIA-11: with a challenge of its own the proof would be new; the same `jti` is a replay all the same."""
    jti: dict[str, Any] = {"pop": {"jti": "the same"}}
    first = scene.shown(**jti)
    assert first.status_code == scene.done
    scene.fresh()
    _is(scene.shown(**jti), 401, "invalid_client", says="used before")
    other = Instance(scene.world, scene.issuer)  # another key may use the same text
    assert scene.send(other.headers(challenge=scene.challenge(), **jti)).status_code == scene.done


def test_one_proof_at_two_workers_at_once(alone: Scene) -> None:
    """SECURITY A-14, R-18: one success, whichever worker it was."""
    headers = alone.instance.headers(challenge=alone.challenge())
    forms = []
    for _ in range(6):
        alone.fresh()
        forms.append(dict(alone.form))
    with world.client_of(alone.world.deployment.worker()) as other:
        clients = [alone.client, other]

        def redeem(number: int) -> int:
            url = f"{alone.issuer}/token"
            return clients[number % 2].post(url, data=forms[number], headers=headers).status_code

        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(redeem, range(6))).count(200) == 1


# --- whom the issuer believes


def test_a_challenge_comes_before_any_question_about_the_provider(scene: Scene) -> None:
    """VCI-WIA-6: lists are asked about those only who answer a challenge of ours."""
    stranger = root("Unlisted CA").leaf()
    _is(scene.shown(signer=stranger, challenge="invented"), 400, "use_attestation_challenge")
    _is(scene.shown(signer=stranger), 401, "invalid_client")


def test_an_unlisted_provider_is_told_why(scene: Scene) -> None:
    """VCI-WIA-4: never "untrusted" without a reason."""
    _is(scene.shown(signer=root("Unlisted CA").leaf()), 401, "invalid_client", says="list wallet edition 1 [not_listed]")
    _is(scene.shown(signer=scene.world.provider.status_signer), 401, "invalid_client", says="[listed_for_other_role]")
    assert scene.shown().status_code == scene.done


@pytest.mark.parametrize(("value", "word"), [(1, "revoked"), (2, "suspended")])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_revoked_wallet(alone: Scene, value: int, word: str, wrapped: bool) -> None:
    """EAA-I-8, SECURITY A-14: `client_status` and `status` alike."""
    end = alone.world.clock() + timedelta(days=30) if wrapped else None
    alone.world.provider.values[7] = value
    revoked = {"status": alone.world.provider.status(7), "client_status_expires": end}
    _is(alone.shown(**revoked), 401, "invalid_client", says=word)
    assert alone.shown(**{**revoked, "status": alone.world.provider.status(8)}).status_code == 200


def test_a_provider_that_left_the_list(alone: Scene) -> None:
    assert alone.shown().status_code == 200
    alone.fresh()
    alone.world.lists.withdraw(alone.world.provider)
    alone.world.clock.advance(minutes=2)
    _is(alone.shown(), 401, "invalid_client", says="list wallet edition 2 [not_listed]")


@pytest.mark.parametrize("host", [LIST_HOST, "wallet-provider.test"])
def test_what_cannot_be_read_is_no_verdict(alone: Scene, host: str) -> None:
    """Fail closed, and say so: 503 and the reason, neither "untrusted" nor let in; what was asked for can still be had."""
    internet: Internet = alone.world.internet
    internet.down.add(host)
    answer = alone.shown(status=alone.world.provider.status())
    _is(answer, 503, "temporarily_unavailable", says="at present")
    assert int(answer.headers["retry-after"]) > 0
    internet.down.clear()
    alone.world.clock.advance(minutes=2)
    assert alone.shown(status=alone.world.provider.status()).status_code == 200


def test_where_no_list_is_read_nothing_is_offered_or_taken(alone: Scene, tmp_path: Path) -> None:
    """No challenge endpoint, no method in the metadata, and what is shown all the same is refused rather than ignored."""
    (tmp_path / "plain").mkdir()
    plain = world.build(tmp_path / "plain")
    with world.client_of(plain.worker()) as client:
        issuer = plain.credential_issuer("fr-urssaf")
        assert client.post(f"{issuer}/challenge").status_code == 404
        metadata = client.get("/.well-known/oauth-authorization-server/fr-urssaf").json()
        assert "challenge_endpoint" not in metadata
        assert "attest_jwt_client_auth" not in metadata["token_endpoint_auth_methods_supported"]
        offered = world.offer(client)
        (grant,) = offered["credential_offer"]["grants"].values()
        form = token.create_request(pre_authorized_code=grant["pre-authorized_code"], tx_code=offered["tx_code"])
        refused = client.post(f"{issuer}/token", data=form, headers=alone.instance.headers())
        _is(refused, 401, "invalid_client", says="attestations are not taken here")
        assert client.post(f"{issuer}/token", data=form).status_code == 200
    plain.close()


def test_the_metadata_announce_what_is_taken(scene: Scene) -> None:
    """VCI-WIA-6, -8."""
    metadata = scene.client.get("/.well-known/oauth-authorization-server/fr-urssaf").json()
    assert wallet_attestation.METHOD in metadata["token_endpoint_auth_methods_supported"]
    assert metadata["challenge_endpoint"] == f"{scene.issuer}/challenge"
    for name in ("client_attestation_signing_alg_values_supported", "client_attestation_pop_signing_alg_values_supported"):
        assert "ES256" in metadata[name]
