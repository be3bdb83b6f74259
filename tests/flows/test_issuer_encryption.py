"""Encrypted credential requests and responses (VCI-ENC-1 to -6, SECURITY I-14): what is offered is taken, and nothing else."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.testclient import TestClient

from issuer.settings import parse
from tests.support import issuer as world
from tests.support.issuer import Deployment
from tests.support.issuer_wallet import Answer, IssuerWallet
from tests.support.pki import holder, new_key
from vc.encoding import base64url
from vc.jose import jwe
from vc.keys import jwk
from vc.keys.signer import LocalSigner
from vc.openid4vci import credential, deferred, encryption
from vc.openid4vci.encryption import RequestEncryption, ResponseEncryption

CONFIGURATION = "pda1_dc4eu-2_sd_jwt"
JWT = {"content-type": "application/jwt"}


class Scene:
    """A wallet with a token, at an institution with an encryption key; it encrypts what it is told to."""

    def __init__(self, client: TestClient, deployment: Deployment, *, hold: bool = False) -> None:
        self.client, self.deployment = client, deployment
        self.wallet = IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)
        self.document_id = world.submit(client, hold=hold)
        assert self.wallet.token(world.offer(client, document_id=self.document_id)).status_code == 200
        self.key = new_key()

    def announced(self) -> RequestEncryption:
        """The current key and the ways of the institution; the metadata say the same (`test_the_metadata_announce_it`)."""
        institution = self.deployment.settings.institutions["fr-urssaf"]
        assert institution.profile.encryption is not None
        current = institution.encryption_keys[0]
        return RequestEncryption(key=current.private.public_key(), kid=current.kid, offer=institution.profile.encryption)

    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get("/.well-known/openid-credential-issuer/fr-urssaf").json()
        return found

    def response(self, *, enc: str = "A256GCM", zip: bool = False, kid: str | None = "wallet-1") -> ResponseEncryption:
        return ResponseEncryption(key=self.key.public_key(), kid=kid, enc=enc, zip=zip)

    def request(self, *, response: ResponseEncryption | None = None, configuration: str = CONFIGURATION) -> dict[str, Any]:
        """A right request with a fresh nonce."""
        proofs = self.wallet.proofs([holder()], self.wallet.nonce())
        return credential.create_request(configuration_id=configuration, proofs=proofs, response_encryption=response)

    def send(self, content: str | bytes, *, to: str = "credential", headers: dict[str, str] = JWT) -> Answer:
        return self.client.post(f"{self.wallet.issuer}/{to}", content=content, headers={**headers, **self.wallet.authorization(to)})

    def sealed(self, body: dict[str, Any], **ways: Any) -> str:
        return encryption.seal_request(body, self.announced(), **ways)

    def opened(self, answer: Answer, asked: ResponseEncryption) -> dict[str, Any]:
        assert answer.headers["content-type"] == "application/jwt", answer.text
        assert answer.headers["cache-control"] == "no-store"
        return encryption.open_response(answer.text, self.key, asked)


def _is(answer: Answer, error: str, status: int = 400) -> None:
    """The error is plain JSON always (VCI-ENC-4)."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    assert answer.json()["error"] == error, answer.text
    assert answer.json().keys() <= {"error", "error_description"}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    built = world.build(Path(tmp_path_factory.mktemp("issuer")), encryption=True)
    yield built
    built.close()


@pytest.fixture(scope="module")
def client(deployment: Deployment) -> Iterator[TestClient]:
    with world.client_of(deployment.worker()) as opened:
        yield opened


@pytest.fixture
def scene(client: TestClient, deployment: Deployment) -> Scene:
    return Scene(client, deployment)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An institution that requires encryption."""
    institutions = {"fr-urssaf": {**world.INSTITUTIONS["fr-urssaf"], "encryption": "required"}}
    built = world.build(Path(tmp_path_factory.mktemp("strict")), encryption=True, institutions=institutions)
    with world.client_of(built.worker()) as opened:
        yield Scene(opened, built)
    built.close()


# --- what is offered works


def test_the_metadata_announce_it(scene: Scene) -> None:
    """VCI-META-9, -10: the current key first, by its kid, and the ways that are taken."""
    metadata, announced = scene.metadata(), scene.announced()
    assert metadata["credential_request_encryption"]["jwks"]["keys"][0]["kid"] == announced.kid
    found = encryption.parse_request_metadata(metadata["credential_request_encryption"])
    assert (found.key, found.kid, found.offer.zip) == (announced.key, announced.kid, announced.offer.zip)
    assert set(found.offer.enc_values) == set(announced.offer.enc_values)
    assert encryption.parse_response_metadata(metadata["credential_response_encryption"]) == found.offer


@pytest.mark.parametrize("zip", [False, True])
@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_both_ways(scene: Scene, enc: str, zip: bool) -> None:
    """VCI-ENC-1: every way the metadata announce, in both directions; `kid` and `alg` are those of the wallet's key."""
    asked = scene.response(enc=enc, zip=zip)
    answer = scene.send(scene.sealed(scene.request(response=asked), enc=enc, zip=zip))
    assert answer.status_code == 200, answer.text
    header = json.loads(base64url.decode(answer.text.split(".")[0]))
    assert (header["alg"], header["enc"], header["kid"], header.get("zip")) == ("ECDH-ES", enc, "wallet-1", "DEF" if zip else None)
    body = scene.opened(answer, asked)
    assert body.keys() == {"credentials", "notification_id"}


def test_a_key_without_a_name(scene: Scene) -> None:
    asked = scene.response(kid=None)
    answer = scene.send(scene.sealed(scene.request(response=asked)))
    assert "kid" not in json.loads(base64url.decode(answer.text.split(".")[0]))
    assert scene.opened(answer, asked)["credentials"]


def test_an_encrypted_request_may_ask_for_a_plain_answer(scene: Scene) -> None:
    answer = scene.send(scene.sealed(scene.request()))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_a_plain_request_gets_a_plain_answer(scene: Scene) -> None:
    assert scene.wallet.post("credential", scene.request()).status_code == 200


def test_an_older_key_is_taken_until_it_is_removed(tmp_path: Path) -> None:
    """Rotation: the first key is announced, those after it are still good; one that is gone is unknown."""
    built = world.build(tmp_path, encryption=True)
    with world.client_of(built.worker()) as opened:
        before = Scene(opened, built)
        old = before.announced()
        body = before.sealed(before.request())
    entry = next(one for one in built.raw["institutions"] if one["id"] == "fr-urssaf")
    newer = world._written(tmp_path, "newer", LocalSigner(new_key()))["key"]
    for keys, status in ([{"key": newer}, *entry["keys"]["encryption"]], 200), ([{"key": newer}], 400):
        entry["keys"]["encryption"] = keys
        built.settings = parse(built.raw, base=tmp_path)
        with world.client_of(built.worker()) as opened:
            after = Scene(opened, built)
            assert after.announced().kid != old.kid
            body = encryption.seal_request(after.request(), old)
            answer = after.send(body)
            assert answer.status_code == status, answer.text
            if status == 400:
                _is(answer, "invalid_encryption_parameters")
            assert after.send(after.sealed(after.request())).status_code == 200
    built.close()


# --- what is not


def _asking(**changes: Any) -> Callable[[Scene], Answer]:
    """A request whose `credential_response_encryption` is changed; None leaves a member out."""

    def send(scene: Scene) -> Answer:
        body = scene.request(response=scene.response())
        asked = body["credential_response_encryption"]
        for name, value in changes.items():
            target = asked["jwk"] if name.startswith("jwk_") else asked
            target.pop(name.removeprefix("jwk_"), None)
            if value is not None:
                target[name.removeprefix("jwk_")] = value
        return scene.send(scene.sealed(body))

    return send


def _sealed(change: Callable[[RequestEncryption], RequestEncryption], **ways: Any) -> Callable[[Scene], Answer]:
    return lambda scene: scene.send(encryption.seal_request(scene.request(), change(scene.announced()), **ways))


def _other_key(announced: RequestEncryption) -> RequestEncryption:
    return RequestEncryption(key=new_key().public_key(), kid=announced.kid, offer=announced.offer)


def _other_kid(announced: RequestEncryption) -> RequestEncryption:
    return RequestEncryption(key=announced.key, kid="unknown", offer=announced.offer)


def _headed(**changes: Any) -> Callable[[Scene], Answer]:
    """A JWE whose protected header was changed after it was made."""

    def send(scene: Scene) -> Answer:
        parts = scene.sealed(scene.request()).split(".")
        header = {**json.loads(base64url.decode(parts[0])), **changes}
        kept = {name: value for name, value in header.items() if value is not None}
        return scene.send(".".join([base64url.encode(json.dumps(kept).encode()), *parts[1:]]))

    return send


BAD: dict[str, Callable[[Scene], Answer]] = {
    "a plain request that asks for encryption": lambda s: s.wallet.post("credential", s.request(response=s.response())),
    "asked with nothing": lambda s: s.send(s.sealed({**s.request(), "credential_response_encryption": {}})),
    "asked with text": lambda s: s.send(s.sealed({**s.request(), "credential_response_encryption": "yes"})),
    "asked with null": lambda s: s.send(s.sealed({**s.request(), "credential_response_encryption": None})),
    "no key": _asking(jwk=None),
    "a key that is none": _asking(jwk={"kty": "EC"}),
    "a symmetric key": _asking(jwk={"kty": "oct", "k": "AAAA", "alg": "ECDH-ES"}),
    "a key off the curve": _asking(jwk_x=base64url.encode(bytes(32))),
    "a private key": _asking(jwk_d=base64url.encode(bytes(31) + b"\x01")),
    "a key for signatures": _asking(jwk_use="sig"),
    "no alg": _asking(jwk_alg=None),
    "another alg": _asking(jwk_alg="ECDH-ES+A256KW"),
    "alg of the draft": _asking(jwk_alg=None, alg="ECDH-ES"),
    "no enc": _asking(enc=None),
    "an enc that is not offered": _asking(enc="A128CBC-HS256"),
    "an enc that is a list": _asking(enc=["A256GCM"]),
    "another zip": _asking(zip="GZIP"),
    "for another key": _sealed(_other_key),
    "for an unknown kid": _sealed(_other_kid),
    "without kid": _headed(kid=None),
    "with another kid": _headed(kid="A" * 43),
    "alg none": _headed(alg="none"),
    "alg RSA": _headed(alg="RSA-OAEP-256"),
    "alg dir": _headed(alg="dir"),
    "an enc that is not announced": _headed(enc="A192GCM"),
    "crit": _headed(crit=["exp"]),
    "an altered tag": lambda s: s.send(s.sealed(s.request())[:-4] + "AAAA"),
    "no JWE": lambda s: s.send("not.a.jwe"),
    "nothing": lambda s: s.send(""),
    "bytes": lambda s: s.send(b"\xff\xfe"),
    "a JWS": lambda s: s.send(s.wallet.proofs([holder()], "nonce")[0]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(scene: Scene, case: str) -> None:
    """VCI-ENC-2, -3: `invalid_encryption_parameters`, itself never encrypted; and nothing was spent."""
    _is(BAD[case](scene), "invalid_encryption_parameters")
    asked = scene.response()
    assert scene.opened(scene.send(scene.sealed(scene.request(response=asked))), asked)["credentials"]


def test_other_errors_are_not_encrypted_either(scene: Scene) -> None:
    """VCI-ENC-4, also where an encrypted answer was asked for."""
    body = scene.request(response=scene.response(), configuration="unknown")
    _is(scene.send(scene.sealed(body)), "unknown_credential_configuration")
    body = scene.request(response=scene.response())
    body["proofs"]["jwt"] = scene.wallet.proofs([holder()], "invented")
    _is(scene.send(scene.sealed(body)), "invalid_nonce")


@pytest.mark.parametrize("media", ["application/jose", "text/plain", "application/x-www-form-urlencoded", ""])
def test_another_media_type(scene: Scene, media: str) -> None:
    """VCI-CRED-15."""
    headers = {"content-type": media} if media else {"content-type": "application/octet-stream"}
    _is(scene.send(scene.sealed(scene.request()), headers=headers), "invalid_credential_request")


def test_a_bomb_does_not_inflate(scene: Scene) -> None:
    """VCI-ENC-6, SECURITY I-14: well-formed, but forty kilobytes that would be forty megabytes."""
    announced, bomb = scene.announced(), json.dumps(scene.request())[:-1].encode() + b" " * 40_000_000 + b"}"
    token = jwe.encrypt(bomb, to=announced.key, kid=announced.kid, enc="A256GCM", zip=True)
    assert len(token) < 60_000
    _is(scene.send(token), "invalid_encryption_parameters")
    assert scene.wallet.post("credential", scene.request()).status_code == 200


def test_required_means_required(strict: Scene) -> None:
    """VCI-ENC-3, -5: neither a plain request nor one that wants a plain answer."""
    metadata = strict.metadata()
    assert metadata["credential_request_encryption"]["encryption_required"] is True
    assert metadata["credential_response_encryption"]["encryption_required"] is True
    _is(strict.wallet.post("credential", strict.request()), "invalid_encryption_parameters")
    _is(strict.wallet.post("credential", strict.request(response=strict.response())), "invalid_encryption_parameters")
    _is(strict.send(strict.sealed(strict.request())), "invalid_encryption_parameters")
    _is(strict.wallet.post("deferred", deferred.create_request("x")), "invalid_encryption_parameters")
    asked = strict.response()
    assert strict.opened(strict.send(strict.sealed(strict.request(response=asked))), asked)["credentials"]


def test_where_no_key_is_kept_nothing_is_offered_or_taken(tmp_path: Path) -> None:
    built = world.build(tmp_path)
    with world.client_of(built.worker()) as opened:
        scene = Scene(opened, built)
        metadata = scene.metadata()
        assert not {"credential_request_encryption", "credential_response_encryption"} & metadata.keys()
        key = new_key()
        token = jwe.encrypt(b"{}", to=key.public_key(), kid="x", enc="A256GCM")
        _is(scene.send(token), "invalid_encryption_parameters")
        _is(scene.wallet.post("credential", scene.request(response=scene.response())), "invalid_encryption_parameters")
        assert scene.wallet.post("credential", scene.request()).status_code == 200
    built.close()


# --- deferred


def test_a_promise_and_its_delivery_are_encrypted_as_each_request_asks(client: TestClient, deployment: Deployment) -> None:
    """VCI-DEF-1, VCI-ENC-4: 202 too; the key of the first request is forgotten, the deferred request names its own or none."""
    scene = Scene(client, deployment, hold=True)
    asked = scene.response()
    first = scene.send(scene.sealed(scene.request(response=asked)))
    assert first.status_code == 202
    transaction_id = scene.opened(first, asked)["transaction_id"]
    assert scene.wallet.post("deferred", deferred.create_request(transaction_id)).json()["transaction_id"] == transaction_id
    scene.key = new_key(ec.SECP256R1())
    again = scene.response(kid="wallet-2", enc="A128GCM")
    body = deferred.create_request(transaction_id, response_encryption=again)
    waiting = scene.send(scene.sealed(body), to="deferred")
    assert (waiting.status_code, scene.opened(waiting, again)) == (202, {"transaction_id": transaction_id, "interval": 5})
    _is(scene.wallet.post("deferred", body), "invalid_encryption_parameters")  # VCI-ENC-2
    unknown = deferred.create_request("unknown", response_encryption=again)
    _is(scene.send(scene.sealed(unknown), to="deferred"), "invalid_transaction_id")
    release = client.post(f"/api/v1/documents/{scene.document_id}/release", json={}, headers=world.bearer("fr-urssaf"))
    assert release.status_code == 200
    given = scene.send(scene.sealed(body), to="deferred")
    assert (given.status_code, set(scene.opened(given, again))) == (200, {"credentials", "notification_id"})


def test_the_wallet_key_is_no_holder_key(scene: Scene) -> None:
    """The key answers are encrypted to never gets into a credential."""
    asked = scene.response()
    body = scene.opened(scene.send(scene.sealed(scene.request(response=asked))), asked)
    payload = json.loads(base64url.decode(body["credentials"][0]["credential"].split(".")[1]))
    assert jwk.thumbprint(jwk.parse_public(payload["cnf"]["jwk"])) != jwk.thumbprint(scene.key.public_key())
