"""Copies of one batch (VCI-CRED-10, EAA-I-4, -5, SECURITY P-3): one per proved key, the same content, and nothing that joins them.

Both formats, by jwt proofs and by one attestation.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support import attested as support
from tests.support import issuer as world
from tests.support.attested import Attested, Instance
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder
from vc import formats
from vc.encoding import base64url, cbor
from vc.jose import jws
from vc.keys import jwk
from vc.keys.signer import LocalSigner

SD_JWT, MDOC = "pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc"
COUNT = 10


@pytest.fixture(scope="module")
def attested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attested]:
    built = support.attested(Path(tmp_path_factory.mktemp("batch")))
    built.clock.advance(minutes=17, seconds=23)
    yield built
    built.deployment.close()


@pytest.fixture(scope="module")
def client(attested: Attested) -> Iterator[TestClient]:
    with world.client_of(attested.deployment.worker()) as opened:
        yield opened


@pytest.fixture(params=["jwt", "attestation"])
def proof_type(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def _collect(world_: Attested, client: TestClient, configuration: str, proof_type: str, keys: list[LocalSigner]) -> list[str]:
    wallet: IssuerWallet = support.wallet(client, world_)
    assert wallet.token(world.offer(client)).status_code == 200
    nonce = wallet.nonce()
    if proof_type == "jwt":
        proofs = wallet.proofs(keys, nonce)
    else:
        proofs = [Instance(world_, wallet.issuer).key_attestation(keys, nonce=nonce)]
    answer = wallet.post("credential", {"credential_configuration_id": configuration, "proofs": {proof_type: proofs}})
    assert answer.status_code == 200, answer.text
    return [entry["credential"] for entry in answer.json()["credentials"]]


def test_sd_jwt_copies(attested: Attested, client: TestClient, proof_type: str) -> None:
    keys = [holder() for _ in range(COUNT)]
    texts = _collect(attested, client, SD_JWT, proof_type, keys)
    claims = [jws.parse(text.split("~")[0]).claims() for text in texts]
    bound = [jwk.thumbprint(jwk.parse_public(copy["cnf"]["jwk"])) for copy in claims]
    assert bound == [jwk.thumbprint(key.public_key) for key in keys]
    disclosed = [[json.loads(base64url.decode(part)) for part in text.split("~")[1:-1]] for text in texts]
    salts = [entry[0] for copy in disclosed for entry in copy]
    assert len(set(salts)) == len(salts) >= 2 * COUNT
    digests = [digest for copy in claims for digest in copy["_sd"]]
    assert len(set(digests)) == len(digests)
    for unique in ("sub", "jti"):
        assert len({copy[unique] for copy in claims}) == COUNT
    _check_indices([copy["status"]["status_list"]["idx"] for copy in claims])
    _check_times([(copy["iat"], copy["exp"]) for copy in claims])
    datasets = {json.dumps(sorted(entry[1:] for entry in copy)) for copy in disclosed}
    assert len(datasets) == 1
    always = {json.dumps({**copy, **dict.fromkeys(("_sd", "sub", "jti", "cnf", "status"))}, sort_keys=True) for copy in claims}
    assert len(always) == 1


def test_mdoc_copies(attested: Attested, client: TestClient, proof_type: str) -> None:
    keys = [holder() for _ in range(COUNT)]
    texts = _collect(attested, client, MDOC, proof_type, keys)
    unverified = [formats.parse_issued("mso_mdoc", text) for text in texts]
    read = [one.verify_issuer(one.chain[0].public_key()) for one in unverified]  # type: ignore[arg-type]  # EC in this world
    assert [jwk.thumbprint(copy.holder) for copy in read if copy.holder is not None] == [
        jwk.thumbprint(key.public_key) for key in keys
    ]
    _check_indices([copy.status.idx for copy in read if copy.status is not None])
    _check_times([(int(c.issued_at.timestamp()), int(c.valid_until.timestamp())) for c in read if c.issued_at and c.valid_until])
    items = [_items(text) for text in texts]
    randoms = [item["random"] for copy in items for item in copy]
    assert len(set(randoms)) == len(randoms) >= 2 * COUNT
    datasets = {repr(sorted((item["elementIdentifier"], repr(item["elementValue"])) for item in _common(copy))) for copy in items}
    assert len(datasets) == 1
    numbered = {tuple(sorted((item["digestID"], item["elementIdentifier"]) for item in copy)) for copy in items}
    assert len(numbered) == COUNT  # which number an element has says nothing either


def _common(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What all copies have alike: everything but the names of the copy itself."""
    return [item for item in items if not str(item["elementValue"]).startswith("urn:uuid:")]


def _items(text: str) -> list[dict[str, Any]]:
    signed = cbor.loads(base64url.decode(text))
    return [cbor.loads(item.value) for space in signed["nameSpaces"].values() for item in space]


def _check_indices(indices: list[int]) -> None:
    """TSL-13: distinct, and not predictable: random over 2^20, ten neighbours within a thousand do not happen."""
    assert len(set(indices)) == len(indices) == COUNT
    assert max(indices) - min(indices) > 1000
    assert sorted(indices) != indices


def _check_times(times: list[tuple[int, int]]) -> None:
    """EAA-I-5, ISSU_11a, _36: alike in all copies, and alike in all batches of an hour."""
    assert len(times) == COUNT
    assert len(set(times)) == 1
    issued, end = times[0]
    assert (issued % 3600, end % 86_400) == (0, 0)


def test_two_batches_of_two_people_have_the_same_times(attested: Attested, client: TestClient) -> None:
    """EAA-I-5: the times tell no batch from another of the same hour."""
    found = set()
    for minutes in (0, 20):
        attested.clock.advance(minutes=minutes)
        (text,) = _collect(attested, client, SD_JWT, "jwt", [holder()])
        claims = jws.parse(text.split("~")[0]).claims()
        found.add((claims["iat"], claims["exp"]))
    assert len(found) == 1
