"""Key attestations and the proof type `attestation` (VCI-CRED-7 to -11, EAA-I-7 to -9): whom the issuer believes about keys."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import attested as support
from tests.support import issuer as world
from tests.support.attested import Attested, Instance
from tests.support.issuer_wallet import Answer, IssuerWallet
from tests.support.pki import holder, root
from tests.support.wallet_provider import LIST_HOST
from vc.clock import from_numeric_date
from vc.encoding import base64url, json
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import key_attestation, token

CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
REQUIRED = {"key_storage": ["iso_18045_moderate"], "user_authentication": ["iso_18045_enhanced-basic"]}


class Scene:
    """A wallet with a token at an institution; `required`: its profile asks for attested keys."""

    def __init__(self, world_: Attested, client: TestClient, **document: Any) -> None:
        self.world, self.client = world_, client
        self.wallet: IssuerWallet = support.wallet(client, world_)
        self.instance = Instance(world_, self.wallet.issuer)
        self.document_id = world.submit(client, **document)
        assert self.wallet.token(world.offer(client, document_id=self.document_id)).status_code == 200

    def ask(self, proofs: dict[str, Any]) -> Answer:
        return self.wallet.post("credential", {"credential_configuration_id": CONFIGURATION, "proofs": proofs})

    def attested(self, keys: list[LocalSigner], nonce: str | None = None, **changes: Any) -> Answer:
        """By a proof of type `attestation`."""
        text = self.instance.key_attestation(keys, **{"nonce": nonce or self.wallet.nonce(), "expires": None, **changes})
        return self.ask({"attestation": [text]})

    def beside(
        self, keys: list[LocalSigner], *, signer: LocalSigner | None = None, header: dict[str, Any] | None = None, **changes: Any
    ) -> Answer:
        """By a jwt proof of the first key, with a key attestation of all in its header."""
        nonce = self.wallet.nonce()
        attestation = self.instance.key_attestation(keys, **{"nonce": nonce, **changes})
        proof = self.wallet.proofs([signer or keys[0]], nonce, key_attestation=attestation)[0]
        if header is not None:
            parts = jws.parse(proof)
            kept = {name: value for name, value in {**parts.header, **header}.items() if value is not None and name != "alg"}
            proof = jws.sign(kept, parts.payload, signer or keys[0])
        return self.ask({"jwt": [proof]})


def _scene(directory: Path, **institution: Any) -> Iterator[Scene]:
    institutions = {**world.INSTITUTIONS, "fr-urssaf": {**world.INSTITUTIONS["fr-urssaf"], **institution}}
    built = support.attested(directory, institutions=institutions)
    with world.client_of(built.deployment.worker()) as client:
        yield Scene(built, client)
    built.deployment.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    yield from _scene(tmp_path)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Scene]:
    yield from _scene(tmp_path, key_attestation=REQUIRED)


def _keys(count: int = 1) -> list[LocalSigner]:
    return [holder() for _ in range(count)]


def _bound(answer: Answer) -> list[bytes]:
    assert answer.status_code == 200, answer.text
    texts = [entry["credential"] for entry in answer.json()["credentials"]]
    return [jwk.thumbprint(jwk.parse_public(jws.parse(text.split("~")[0]).claims()["cnf"]["jwk"])) for text in texts]


def _thumbprints(keys: list[LocalSigner]) -> list[bytes]:
    return [jwk.thumbprint(key.public_key) for key in keys]


def _is(answer: Answer, error: str, *, says: str = "", status: int = 400) -> None:
    assert (answer.status_code, answer.json().get("error")) == (status, error), answer.text
    assert says in answer.json()["error_description"]


# --- what works


@pytest.mark.parametrize("count", [1, 3, 10])
def test_one_credential_per_attested_key(strict: Scene, count: int) -> None:
    """VCI-CRED-10, -11: in the order of the attestation."""
    keys = _keys(count)
    assert _bound(strict.attested(keys)) == _thumbprints(keys)


def test_more_keys_than_the_batch_size_are_left_out(scene: Scene) -> None:
    keys = _keys(12)
    assert _bound(scene.attested(keys)) == _thumbprints(keys[:10])


def test_a_jwt_proof_with_attested_keys(strict: Scene) -> None:
    """VCI-CRED-9: the key of the proof, and the others of its attestation after it."""
    keys = _keys(3)
    assert _bound(strict.beside(keys)) == _thumbprints(keys)


@pytest.mark.parametrize("kid", [None, "0", "thumbprint"])
def test_the_attestation_alone_may_name_the_key(strict: Scene, kid: str | None) -> None:
    """VCI-CRED-9, TS3 v1.5: no `jwk` beside the attestation; the first key signed."""
    keys = _keys(2)
    name = base64url.encode(jwk.thumbprint(keys[0].public_key)) if kid == "thumbprint" else kid
    assert _bound(strict.beside(keys, header={"jwk": None, "kid": name})) == _thumbprints(keys)


def test_where_nothing_is_required_plain_proofs_do(scene: Scene) -> None:
    keys = _keys()
    assert _bound(scene.wallet.credential(CONFIGURATION, keys=keys)) == _thumbprints(keys)


def test_the_metadata_say_what_is_asked_for(strict: Scene) -> None:
    """EAA-I-7, VCI-META-13: the same declaration is published and enforced."""
    metadata = strict.client.get("/.well-known/openid-credential-issuer/fr-urssaf").json()
    for configuration in metadata["credential_configurations_supported"].values():
        types = configuration["proof_types_supported"]
        assert set(types) == {"jwt", "attestation"}
        for declared in types.values():
            required = declared["key_attestations_required"]
            assert {name: required[name] for name in REQUIRED} == REQUIRED


# --- levels


@pytest.mark.parametrize(
    ("levels", "good"),
    [
        ({"key_storage": ["iso_18045_moderate"], "user_authentication": ["iso_18045_enhanced-basic"]}, True),
        ({"key_storage": ["iso_18045_high"], "user_authentication": ["iso_18045_moderate"]}, True),
        ({"key_storage": ["iso_18045_basic", "iso_18045_high"], "user_authentication": ["iso_18045_high"]}, True),
        ({"key_storage": ["iso_18045_enhanced-basic"], "user_authentication": ["iso_18045_high"]}, False),
        ({"key_storage": ["iso_18045_high"], "user_authentication": ["iso_18045_basic"]}, False),
        ({"key_storage": [], "user_authentication": ["iso_18045_high"]}, False),
        ({"key_storage": ["iso_18045_high"], "user_authentication": []}, False),
        ({"key_storage": ["very_good"], "user_authentication": ["iso_18045_high"]}, False),
    ],
)
def test_levels(strict: Scene, levels: dict[str, Any], good: bool) -> None:
    """VCI-CRED-8: weaker than asked for is `invalid_proof`, in both proof types."""
    for answer in (strict.attested(_keys(), **levels), strict.beside(_keys(), **levels)):
        if good:
            assert answer.status_code == 200, answer.text
        else:
            _is(answer, "invalid_proof", says="of the key attestation is not one that is accepted here")


def test_a_plain_proof_where_attested_keys_are_asked_for(strict: Scene) -> None:
    _is(strict.wallet.credential(CONFIGURATION), "invalid_proof", says="a proof for this credential carries a key attestation")


def test_one_plain_proof_among_attested_ones(strict: Scene) -> None:
    """VCI-CRED-8, SECURITY I-13: each proof has an attestation, or none is good."""
    nonce, keys = strict.wallet.nonce(), _keys(2)
    attestation = strict.instance.key_attestation(keys[:1], nonce=nonce)
    proofs = [*strict.wallet.proofs(keys[:1], nonce, key_attestation=attestation), *strict.wallet.proofs(keys[1:], nonce)]
    _is(strict.ask({"jwt": proofs}), "invalid_proof")
    assert _bound(strict.ask({"jwt": proofs[:1]})) == _thumbprints(keys[:1])  # the nonce was not spent


# --- whom the issuer believes


def _stranger(scene: Scene) -> LocalSigner:
    return root("Unlisted CA").leaf()


UNTRUSTED: dict[str, tuple[Callable[[Scene], LocalSigner], str]] = {
    "an unlisted provider": (_stranger, "[not_listed]"),
    "an unlisted certificate of the provider's CA": (lambda s: s.instance.provider.authority.leaf(), "[not_listed]"),
    "the provider's status signer": (lambda s: s.instance.provider.status_signer, "[listed_for_other_role]"),
}


@pytest.mark.parametrize("case", UNTRUSTED)
def test_an_untrusted_provider_is_named_with_the_reason_of_the_list(scene: Scene, case: str) -> None:
    """VCI-CRED-7, EAA-I-8; also where no attestation is required: what is shown is judged."""
    make, reason = UNTRUSTED[case]
    signer = make(scene)
    _is(scene.attested(_keys(), signer=signer), "invalid_proof", says=reason)
    _is(_beside(scene, signer), "invalid_proof", says=reason)


def _beside(scene: Scene, provider: LocalSigner, **changes: Any) -> Answer:
    nonce, keys = scene.wallet.nonce(), _keys()
    attestation = scene.instance.key_attestation(keys, nonce=nonce, signer=provider, **changes)
    return scene.ask({"jwt": scene.wallet.proofs(keys, nonce, key_attestation=attestation)})


@pytest.mark.parametrize(("value", "word"), [(1, "revoked"), (2, "suspended")])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_revoked_attestation(scene: Scene, value: int, word: str, wrapped: bool) -> None:
    """EAA-I-8: `key_storage_status` and `status` alike; a neighbour's entry says nothing."""
    end = scene.world.clock() + timedelta(days=30) if wrapped else None
    scene.world.provider.values[7] = value
    for answer in (
        scene.attested(_keys(), status=scene.world.provider.status(7), key_storage_status_expires=end),
        _beside(scene, scene.world.provider.signer, status=scene.world.provider.status(7), key_storage_status_expires=end),
    ):
        _is(answer, "invalid_proof", says=word)
    good = scene.attested(_keys(), status=scene.world.provider.status(8), key_storage_status_expires=end)
    assert good.status_code == 200, good.text


def test_a_trust_list_that_cannot_be_read_is_no_verdict(scene: Scene) -> None:
    """Fail closed, and say so: 503 with the reason, neither "untrusted" nor issued; the nonce is not spent."""
    scene.world.internet.down.add(LIST_HOST)
    nonce = scene.wallet.nonce()
    answer = scene.attested(_keys(), nonce)
    _is(answer, "temporarily_unavailable", says="[list_never_accepted]", status=503)
    assert int(answer.headers["retry-after"]) > 0
    scene.world.internet.down.clear()
    scene.world.clock.advance(minutes=2)
    assert scene.attested(_keys(), nonce).status_code == 200


def test_a_status_list_that_cannot_be_read_is_no_verdict(scene: Scene) -> None:
    scene.world.internet.down.add(scene.world.provider.host)
    answer = scene.attested(_keys(), status=scene.world.provider.status())
    _is(answer, "temporarily_unavailable", says="the status of the attestation cannot be read at present", status=503)


def test_where_no_list_is_read_no_attestation_is_taken(tmp_path: Path) -> None:
    """The proof type is not announced either."""
    built = support.attested(tmp_path)
    (tmp_path / "plain").mkdir()
    plain = world.build(tmp_path / "plain")
    with world.client_of(plain.worker()) as client:
        wallet = IssuerWallet(client, plain.credential_issuer("fr-urssaf"), plain.clock)
        assert wallet.token(world.offer(client)).status_code == 200
        instance, keys, nonce = Instance(built, wallet.issuer), _keys(), wallet.nonce()
        text = instance.key_attestation(keys, nonce=nonce)
        body = {"credential_configuration_id": CONFIGURATION, "proofs": {"attestation": [text]}}
        _is(wallet.post("credential", body), "invalid_proof")
        body["proofs"] = {"jwt": wallet.proofs(keys, nonce, key_attestation=text)}
        _is(wallet.post("credential", body), "invalid_proof", says="no wallet provider is trusted here")
        metadata = client.get("/.well-known/openid-credential-issuer/fr-urssaf").json()
        for configuration in metadata["credential_configurations_supported"].values():
            assert set(configuration["proof_types_supported"]) == {"jwt"}
    built.deployment.close()
    plain.close()


# --- the attestation itself


def _altered(scene: Scene) -> Answer:
    text = scene.instance.key_attestation(_keys(), nonce=scene.wallet.nonce())
    return scene.ask({"attestation": [text[:-6] + "AAAAAA"]})


def _resigned(scene: Scene, header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None) -> Answer:
    """Signed by the listed provider, with another header or other claims; None leaves a member out."""
    parts = jws.parse(scene.instance.key_attestation(_keys(), nonce=scene.wallet.nonce()))
    new_header = {**parts.header, **(header or {})}
    new_claims = {**parts.claims(), **(claims or {})}
    new_header, new_claims = (
        {name: value for name, value in members.items() if value is not None} for members in (new_header, new_claims)
    )
    new_header.pop("alg")
    text = jws.sign(new_header, json.dumps(new_claims), scene.world.provider.signer)
    return scene.ask({"attestation": [text]})


def _foreign_x5c(scene: Scene) -> Answer:
    """The listed certificate around somebody else's signature."""
    parts = jws.parse(scene.instance.key_attestation(_keys(), nonce=scene.wallet.nonce()))
    header = {name: value for name, value in parts.header.items() if name != "alg"}
    return scene.ask({"attestation": [jws.sign(header, parts.payload, holder())]})


BAD: dict[str, Callable[[Scene], Answer]] = {
    "an altered signature": _altered,
    "signed by another key than the certificate's": _foreign_x5c,
    "another typ": lambda s: _resigned(s, {"typ": "JWT"}),
    "the typ of a client attestation": lambda s: _resigned(s, {"typ": "oauth-client-attestation+jwt"}),
    "no certificate": lambda s: _resigned(s, {"x5c": None}),
    "a bare key": lambda s: _resigned(s, {"x5c": None, "jwk": jwk.from_public(s.world.provider.signer.public_key)}),
    "a key to fetch": lambda s: _resigned(s, {"jku": "https://keys.test/jwks"}),
    "the anchor inside": lambda s: _resigned(
        s, {"x5c": jws.x5c((*s.world.provider.signer.chain, s.world.provider.authority.certificate))}
    ),
    "self-signed": lambda s: _resigned(s, {"x5c": jws.x5c((s.world.provider.authority.certificate,))}),
    "no keys": lambda s: _resigned(s, claims={"attested_keys": []}),
    "no member for keys": lambda s: _resigned(s, claims={"attested_keys": None}),
    "a symmetric key": lambda s: _resigned(s, claims={"attested_keys": [{"kty": "oct", "k": "AAAA"}]}),
    "no iat": lambda s: _resigned(s, claims={"iat": None}),
    "made in the future": lambda s: s.attested(_keys(), now=s.world.clock() + timedelta(minutes=5)),
    "expired": lambda s: s.attested(_keys(), expires=s.world.clock() - timedelta(minutes=2)),
    "a status no longer kept up": lambda s: s.attested(
        _keys(), status=s.world.provider.status(), key_storage_status_expires=s.world.clock() - timedelta(minutes=2)
    ),
    "a status that is unreadable": lambda s: _resigned(s, claims={"status": {"status_list": {"idx": "7", "uri": 1}}}),
    "two of them": lambda s: s.ask({"attestation": [s.instance.key_attestation(_keys(), nonce=s.wallet.nonce())] * 2}),
    "none of them": lambda s: s.ask({"attestation": []}),
    "no JWT": lambda s: s.ask({"attestation": ["a.b.c"]}),
    "two proof types": lambda s: s.ask({"attestation": ["a.b.c"], "jwt": ["a.b.c"]}),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_attestations(scene: Scene, case: str) -> None:
    """VCI-CRED-3, -7."""
    _is(BAD[case](scene), "invalid_proof")
    assert not scene.world.internet.requests("keys.test")


@pytest.mark.parametrize("nonce", ["missing", "invented", "spent", "over", "of another institution", "a challenge"])
def test_bad_nonces(scene: Scene, nonce: str) -> None:
    """SECURITY I-9 for attestations that are proofs of their own."""
    value: str | None = scene.wallet.nonce()
    if nonce == "missing":
        value = None
    elif nonce == "invented":
        value = "invented"
    elif nonce == "spent":
        assert scene.attested(_keys(), value).status_code == 200
    elif nonce == "over":
        scene.world.clock.advance(seconds=300)
        assert scene.wallet.token(world.offer(scene.client, document_id=scene.document_id)).status_code == 200
    elif nonce == "of another institution":
        value = scene.client.post(f"{scene.wallet.issuer.replace('urssaf', 'cnam')}/nonce").json()["c_nonce"]
    else:
        value = scene.client.post(f"{scene.wallet.issuer}/challenge").json()["attestation_challenge"]
    text = scene.instance.key_attestation(_keys(), nonce=value, expires=None)
    _is(scene.ask({"attestation": [text]}), "invalid_nonce")


BESIDE: dict[str, tuple[Callable[[Scene], Answer], str]] = {
    "a proof by a key that is not attested": (lambda s: s.beside(_keys(), signer=holder()), "invalid_proof"),
    "an attestation without end": (lambda s: s.beside(_keys(), expires=None), "invalid_proof"),
    "an expired attestation": (lambda s: s.beside(_keys(), expires=s.world.clock() - timedelta(minutes=2)), "invalid_proof"),
    "an attestation for another nonce": (lambda s: s.beside(_keys(), nonce="other"), "invalid_nonce"),
    "a kid that names no attested key": (lambda s: s.beside(_keys(), header={"jwk": None, "kid": "7"}), "invalid_proof"),
    "a kid beside the key": (lambda s: s.beside(_keys(), header={"kid": "0"}), "invalid_proof"),
    "an attestation that is no text": (lambda s: s.beside(_keys(), header={"key_attestation": 7}), "invalid_proof"),
    "an attestation that is no JWT": (lambda s: s.beside(_keys(), header={"key_attestation": "a.b"}), "invalid_proof"),
}


@pytest.mark.parametrize("case", BESIDE)
def test_bad_proofs_with_attestations(scene: Scene, case: str) -> None:
    """VCI-CRED-7, -9."""
    make, error = BESIDE[case]
    _is(make(scene), error)


def test_nothing_is_spent_by_a_refusal(scene: Scene) -> None:
    """SECURITY I-13."""
    nonce, keys = scene.wallet.nonce(), _keys()
    _is(scene.attested(keys, nonce, signer=_stranger(scene)), "invalid_proof")
    assert scene.attested(keys, nonce).status_code == 200


# --- how long what is issued lives


def _end(answer: Answer) -> Any:
    return from_numeric_date(jws.parse(answer.json()["credentials"][0]["credential"].split("~")[0]).claims()["exp"])


def test_a_credential_ends_before_the_status_of_its_keys_does(scene: Scene) -> None:
    """EAA-I-9: in both proof types, rounded down so that it joins nobody; without such an end the usual one counts."""
    now, provider = scene.world.clock(), scene.world.provider
    status: dict[str, Any] = {"status": provider.status(), "key_storage_status_expires": now + timedelta(days=3, minutes=17)}
    answers = [scene.attested(_keys(2), **status), _beside(scene, provider.signer, **status)]
    assert {_end(answer) for answer in answers} == {now + timedelta(days=3)}
    assert _end(scene.attested(_keys())) > now + timedelta(days=80)
    far: dict[str, Any] = {"status": provider.status(), "key_storage_status_expires": now + timedelta(days=900)}
    assert _end(scene.attested(_keys(), **far)) == _end(scene.attested(_keys()))


def test_a_credential_ends_before_the_status_of_its_wallet_does(scene: Scene) -> None:
    """EAA-I-9: what the attestation said when the token was given counts as well; the earlier of the two ends decides."""
    now, provider = scene.world.clock(), scene.world.provider
    challenge = scene.client.post(f"{scene.wallet.issuer}/challenge").json()["attestation_challenge"]
    end = now + timedelta(days=2, minutes=17)
    headers = scene.instance.headers(challenge=challenge, status=provider.status(), client_status_expires=end)
    offered = world.offer(scene.client, document_id=scene.document_id)
    (grant,) = offered["credential_offer"]["grants"].values()
    form = token.create_request(pre_authorized_code=grant["pre-authorized_code"], tx_code=offered["tx_code"])
    answer = scene.client.post(f"{scene.wallet.issuer}/token", data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    scene.wallet.access_token, scene.wallet.client_id = answer.json()["access_token"], scene.instance.client_id
    assert _end(scene.attested(_keys())) == now + timedelta(days=2)
    assert _end(scene.wallet.credential(CONFIGURATION)) == now + timedelta(days=2)
    later: dict[str, Any] = {"status": provider.status(), "key_storage_status_expires": now + timedelta(days=3)}
    assert _end(scene.attested(_keys(), **later)) == now + timedelta(days=2)
    sooner: dict[str, Any] = {"status": provider.status(), "key_storage_status_expires": now + timedelta(days=1)}
    assert _end(scene.attested(_keys(), **sooner)) == now + timedelta(days=1)


def test_keys_whose_status_ends_within_the_hour_get_nothing(scene: Scene) -> None:
    status: dict[str, Any] = {
        "status": scene.world.provider.status(),
        "key_storage_status_expires": scene.world.clock() + timedelta(minutes=59),
    }
    _is(scene.attested(_keys(), **status), "invalid_proof", says="get a fresh attestation")


def test_a_promise_remembers_the_end(tmp_path: Path) -> None:
    """EAA-I-9 for a held document: what is delivered later ends no later."""
    built = support.attested(tmp_path)
    with world.client_of(built.deployment.worker()) as client:
        scene = Scene(built, client, hold=True)
        now, keys = built.clock(), _keys(2)
        status: dict[str, Any] = {
            "status": built.provider.status(),
            "key_storage_status_expires": now + timedelta(days=3, minutes=17),
        }
        promised = scene.attested(keys, **status)
        assert promised.status_code == 202, promised.text
        release = client.post(f"/api/v1/documents/{scene.document_id}/release", json={}, headers=world.bearer("fr-urssaf"))
        assert release.status_code == 200
        given = scene.wallet.post("deferred", {"transaction_id": promised.json()["transaction_id"]})
        assert _bound(given) == _thumbprints(keys)
        assert _end(given) == now + timedelta(days=3)
    built.deployment.close()


def test_levels_are_ordered_as_the_specification_says() -> None:
    """OpenID4VCI 1.0 Appendix D.2."""
    assert key_attestation.LEVELS == ("iso_18045_basic", "iso_18045_enhanced-basic", "iso_18045_moderate", "iso_18045_high")


def test_a_renewed_token_of_the_same_instance_collects_what_was_promised(tmp_path: Path) -> None:
    """VCI-DEF-1, VCI-TOK-10: attested wallet, DPoP, the access token over for days; another instance is turned away."""
    built = support.attested(tmp_path)
    with world.client_of(built.deployment.worker()) as client:
        document_id, key = world.submit(client, hold=True), holder()
        wallet = support.wallet(client, built, dpop_key=holder(), client_id=support.CLIENT_ID)
        instance, stranger = Instance(built, wallet.issuer, key=key), Instance(built, wallet.issuer)

        def ask(who: Instance, form: dict[str, str]) -> Answer:
            challenge = client.post(f"{wallet.issuer}/challenge").json()["attestation_challenge"]
            headers = {**who.headers(challenge=challenge), **wallet.dpop("POST", "token")}
            return client.post(f"{wallet.issuer}/token", data=form, headers=headers)

        offered = world.offer(client, document_id=document_id)
        (grant,) = offered["credential_offer"]["grants"].values()
        form = token.create_request(pre_authorized_code=grant["pre-authorized_code"], tx_code=offered["tx_code"])
        first = ask(instance, form)
        assert first.status_code == 200, first.text
        wallet.access_token = first.json()["access_token"]
        keys, nonce = _keys(2), wallet.nonce()
        proofs = {"attestation": [instance.key_attestation(keys, nonce=nonce)]}
        promised = wallet.post("credential", {"credential_configuration_id": CONFIGURATION, "proofs": proofs})
        assert promised.status_code == 202, promised.text
        built.clock.advance(days=5)
        request = {"transaction_id": promised.json()["transaction_id"]}
        _is(wallet.post("deferred", request), "invalid_token", status=401)
        release = client.post(f"/api/v1/documents/{document_id}/release", json={}, headers=world.bearer("fr-urssaf"))
        assert release.status_code == 200
        renewed = ask(
            instance, token.create_refresh_request(refresh_token=first.json()["refresh_token"], client_id=support.CLIENT_ID)
        )
        assert renewed.status_code == 200, renewed.text
        wallet.access_token = renewed.json()["access_token"]
        assert _bound(wallet.post("deferred", request)) == _thumbprints(keys)
        stolen = token.create_refresh_request(refresh_token=first.json()["refresh_token"], client_id=support.CLIENT_ID)
        _is(ask(stranger, stolen), "invalid_grant")
    built.deployment.close()
