"""A token belongs to its scheme: one bound to a key is no Bearer token, even beside a right proof, and the reverse (A-12)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import issuer as world
from tests.support.issuer import Deployment
from tests.support.issuer_wallet import IssuerWallet
from tests.support.pki import holder
from vc.keys.signer import LocalSigner


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    built = world.build(Path(tmp_path_factory.mktemp("issuer")))
    yield built
    built.close()


@pytest.fixture
def wallet(deployment: Deployment) -> Iterator[IssuerWallet]:
    with world.client_of(deployment.worker()) as client:
        yield IssuerWallet(client, deployment.credential_issuer("fr-urssaf"), deployment.clock)


@pytest.mark.parametrize(
    ("bound", "proved", "scheme"),
    [(True, True, "Bearer"), (True, False, "Bearer"), (True, False, "DPoP"), (False, True, "DPoP"), (False, False, "DPoP")],
    ids=["bound, as Bearer with proof", "bound, as Bearer", "bound, no proof", "unbound, as DPoP with proof", "unbound, as DPoP"],
)
@pytest.mark.parametrize("endpoint", ["credential", "notification"])
def test_a_token_under_the_other_scheme_is_no_token(
    wallet: IssuerWallet, endpoint: str, *, bound: bool, proved: bool, scheme: str
) -> None:
    key: LocalSigner = holder()
    wallet.dpop_key = key if bound else None
    assert wallet.token(world.offer(wallet.client)).status_code == 200
    wallet.dpop_key = key if proved else None
    headers = wallet.dpop("POST", endpoint, access_token=wallet.access_token)

    answer = wallet.client.post(
        f"{wallet.issuer}/{endpoint}", json={}, headers={**headers, "authorization": f"{scheme} {wallet.access_token}"}
    )

    assert answer.status_code == 401, answer.text
    assert answer.json()["error"] in ("invalid_token", "invalid_dpop_proof")
    assert answer.headers["www-authenticate"]
    assert answer.headers["cache-control"] == "no-store"
