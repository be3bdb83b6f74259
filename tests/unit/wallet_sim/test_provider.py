"""The wallet provider's material: read from files, refused when it does not fit together."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.pki import NOW, holder, new_key, root
from vc.encoding import json
from vc.errors import VcError
from vc.openid4vci import key_attestation, wallet_attestation
from vc.status.reference import StatusReference
from wallet_sim import provider
from wallet_sim.provider import KeyLevels, WalletProvider
from wallet_sim.world import WrongUse
from wallet_sim.world import load as load_world


def written(folder: Path, **changes: Any) -> dict[str, Any]:
    signer = root().leaf()
    pem = signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "provider.key").write_bytes(pem)
    (folder / "other.key").write_bytes(new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    foreign = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "foreign.key").write_bytes(foreign)
    (folder / "provider.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in signer.chain))
    values = {"key": "provider.key", "chain": "provider.pem", "client_id": "wallet", **changes}
    return {name: value for name, value in values.items() if value is not None}


def test_what_it_says_of_an_instance_is_what_ts3_wants(tmp_path: Path) -> None:  # VCI-WIA-10
    material = written(tmp_path, status={"uri": "https://provider.test/status", "idx": 3}, issuer="https://provider.test")
    made, instance = provider.read(material, base=tmp_path), holder()
    pop = wallet_attestation.create_pop(instance, audience="https://as.test", now=NOW, jti="j" * 22)
    found = wallet_attestation.verify(
        [made.attest_instance(instance.public_key, now=NOW)],
        [pop],
        audience="https://as.test",
        now=NOW,
        client_id="wallet",
        challenge_required=False,
        check_challenge=lambda _: None,
    )
    assert (found.client_id, found.issuer) == ("wallet", "https://provider.test")
    assert found.wallet_name == provider.WALLET_NAME
    assert found.wallet_version == provider.WALLET_VERSION
    assert found.certification_information == provider.CERTIFICATION
    assert found.statuses == (StatusReference(uri="https://provider.test/status", idx=3),)
    assert (found.expires, found.status_expires) == (NOW + provider.LIFETIME, NOW + provider.STATUS_KEPT_UP)


def test_what_it_says_of_keys(tmp_path: Path) -> None:
    made = provider.read(written(tmp_path), base=tmp_path)
    keys = [holder().public_key, holder().public_key]
    for levels, said in ((None, provider.LEVELS), (KeyLevels(key_storage=("x",), user_authentication=("x",)), ("x",))):
        text = made.attest_keys(keys, nonce="n", now=NOW, levels=levels)
        found = key_attestation.verify(text, in_jwt_proof=True, check_nonce=lambda _: None, now=NOW)
        assert found.keys == tuple(keys)
        assert found.nonce == "n"
        assert found.key_storage == found.user_authentication == said


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"key": "other.key"},
        {"key": "foreign.key"},
        {"client_id": ""},
        {"client_id": 7},
        {"issuer": 7},
        {"status": {"uri": "https://provider.test"}},
        {"status": "x"},
        {"chain": "provider.key"},
    ],
)
def test_material_that_does_not_fit_together_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        provider.read(written(tmp_path, **changes), base=tmp_path)


def test_a_file_of_its_own_or_the_demos_description(tmp_path: Path) -> None:
    material = written(tmp_path)
    (tmp_path / "own.json").write_bytes(json.dumps({**material, "client_id": "own"}))
    (tmp_path / "demo.json").write_bytes(json.dumps({"wallet_provider": material}))
    (tmp_path / "bad.json").write_bytes(b"{}")
    (tmp_path / "junk.json").write_bytes(b"junk")
    assert provider.load(tmp_path / "own.json").client_id == "own"
    options: dict[str, Any] = {"state": tmp_path, "store": None, "access_ca": None, "trust_root": None}
    for file, client_id in ((None, "wallet"), (tmp_path / "own.json", "own")):
        found = load_world(**options, wallet_provider=file).provider
        assert isinstance(found, WalletProvider)
        assert found.client_id == client_id
    for name in ("bad.json", "junk.json", "none.json"):
        with pytest.raises(WrongUse, match="wallet provider"):
            load_world(**options, wallet_provider=tmp_path / name)
    with pytest.raises((ValueError, VcError)):
        provider.load(tmp_path / "junk.json")


def test_keys_stay_out_of_representations(tmp_path: Path) -> None:
    assert "PrivateKey" not in repr(provider.read(written(tmp_path), base=tmp_path))
