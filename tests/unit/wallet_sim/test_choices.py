"""What the wallet chooses by metadata alone: proofs, copies, encryption, grant (VCI-OFF-10, VCI-CRED-11, VCI-ENC-2, EAA-I-4)."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.pki import NOW, holder, new_key, root
from vc.encoding import base64url, json
from vc.errors import Refused
from vc.keys.ec import BY_CRV
from vc.openid4vci import authorization_server, encryption, key_attestation, metadata, offer
from vc.openid4vci.encryption import EncryptionOffer
from vc.openid4vci.metadata import ClaimDescription, KeyAttestationRequirement, ReuseOption, ReusePolicy
from vc.openid4vci.offer import AUTHORIZATION_CODE, PRE_AUTHORIZED
from wallet_sim import issuer as issuers
from wallet_sim import proofs
from wallet_sim.envelope import Envelope, envelope
from wallet_sim.issuance import DEFAULT_COPIES, copies
from wallet_sim.issuance_seams import HONEST_RECEIVING
from wallet_sim.issuer import ByCode, PreAuthorized
from wallet_sim.proofs import Plan
from wallet_sim.provider import WalletProvider

ISSUER = "https://issuer.test/one"
PROVIDER = WalletProvider(signer=root().leaf(), client_id="wallet")
ANY, LEVELS = KeyAttestationRequirement(), KeyAttestationRequirement(key_storage=("iso_18045_high",))


def configuration(**changes: Any) -> metadata.CredentialConfiguration:
    values: dict[str, Any] = {
        "format": "dc+sd-jwt", "type_id": "urn:x", "scope": "x", "signing": BY_CRV["P-256"],
        "claims": [ClaimDescription(path=("a",))], "display": [{"name": "x", "locale": "en"}],
    }  # fmt: skip
    return metadata.parse_configuration("x", metadata.build_configuration(**{**values, **changes}))


def described(**members: Any) -> metadata.IssuerMetadata:
    value = {"credential_issuer": ISSUER, "credential_endpoint": f"{ISSUER}/c", "credential_configurations_supported": {}}
    return metadata.parse({**value, **members}, credential_issuer=ISSUER)


@pytest.mark.parametrize(
    ("types", "requirement", "provider", "wish", "chosen"),
    [
        (("jwt",), None, None, None, Plan(kind="jwt", attested=False, levels=False)),
        (("jwt", "attestation"), None, PROVIDER, None, Plan(kind="jwt", attested=False, levels=False)),
        (("jwt", "attestation"), ANY, PROVIDER, None, Plan(kind="jwt", attested=True, levels=False)),
        (("jwt", "attestation"), LEVELS, PROVIDER, None, Plan(kind="jwt", attested=True, levels=True)),
        (("jwt", "attestation"), None, PROVIDER, "attestation", Plan(kind="attestation", attested=True, levels=False)),
        (("attestation",), LEVELS, PROVIDER, None, Plan(kind="attestation", attested=True, levels=True)),
        (("jwt", "attestation"), ANY, None, None, None),
        (("attestation",), None, None, None, None),
        (("jwt",), None, PROVIDER, "attestation", None),
        ((), None, PROVIDER, None, None),
    ],
)
def test_the_kind_of_proof(types: tuple[str, ...], requirement: Any, provider: Any, wish: Any, chosen: Plan | None) -> None:
    asked = configuration(proof_types=types, key_attestation=requirement)
    if chosen is None:
        with pytest.raises(Refused, match="binding_unsupported"):
            proofs.plan(asked, provider, wish=wish)
    else:
        assert proofs.plan(asked, provider, wish=wish) == chosen


def test_a_proof_of_another_algorithm_is_not_made() -> None:
    with pytest.raises(Refused, match="binding_unsupported"):
        proofs.plan(configuration(proof_algorithms=["ES384"]), PROVIDER)


def made(plan: Plan, count: int, **changes: Any) -> tuple[list[str], list[ec.EllipticCurvePrivateKey]]:
    keys = [new_key() for _ in range(count)]
    values: dict[str, Any] = {
        "provider": PROVIDER, "audience": ISSUER, "nonce": "n", "client_id": "wallet", "now": NOW, "seams": HONEST_RECEIVING,
    }  # fmt: skip
    return proofs.make(plan, keys, **{**values, **changes}), keys


def header(text: str) -> dict[str, Any]:
    return json.loads_object(base64url.decode(text.partition(".")[0]))


def test_all_keys_of_a_batch_are_in_one_attestation() -> None:  # VCI-CRED-11
    (proof,), keys = made(Plan(kind="jwt", attested=True, levels=False), 3)
    attested = key_attestation.verify(header(proof)["key_attestation"], in_jwt_proof=True, check_nonce=lambda _: None, now=NOW)
    assert attested.keys == tuple(key.public_key() for key in keys)
    (alone,), keys = made(Plan(kind="attestation", attested=True, levels=False), 2)
    found = key_attestation.verify(alone, in_jwt_proof=False, check_nonce=lambda _: None, now=NOW)
    assert found.keys == tuple(key.public_key() for key in keys)
    assert found.nonce == "n"


def test_without_attestation_each_key_speaks_for_itself() -> None:
    texts, _ = made(Plan(kind="jwt", attested=False, levels=False), 3)
    assert len(texts) == 3
    assert all("key_attestation" not in header(text) for text in texts)


@pytest.mark.parametrize(
    ("batch_size", "preferred", "wished", "count"),
    [
        (1, None, None, 1),
        (10, None, None, DEFAULT_COPIES),
        (10, 5, None, 5),
        (10, 5, 8, 5),
        (10, 5, 2, 2),
        (4, 5, None, 4),
        (10, None, 20, 10),
        (10, None, 0, 1),
    ],
)
def test_the_number_of_copies(batch_size: int, preferred: int | None, wished: int | None, count: int) -> None:  # EAA-I-4
    policy = ReusePolicy(options=(ReuseOption(details=("once_only",), batch_size=preferred),))
    assert copies(configuration(reuse_policy=policy), batch_size, wished) == count


OFFER, NEEDED = EncryptionOffer(enc_values=("A128GCM", "A256GCM")), EncryptionOffer(required=True)
KEY = holder()
REQUEST = {"credential_request_encryption": encryption.request_metadata(OFFER, [("k", KEY.public_key)])}
RESPONSE = {"credential_response_encryption": encryption.response_metadata(OFFER)}


def test_the_answer_is_asked_for_encrypted_whenever_the_request_can_be() -> None:
    both, again = (envelope(described(**REQUEST, **RESPONSE)) for _ in range(2))
    assert both.to is not None
    assert both.back is not None
    assert again.key is not None
    assert both.key is not None
    assert both.key.public_key() != again.key.public_key()  # one key, one answer
    one_way = envelope(described(**REQUEST))
    assert (one_way.to is None, one_way.back) == (False, None)
    assert envelope(described(**RESPONSE)) == Envelope()  # VCI-ENC-2: it cannot be asked for
    assert envelope(described()) == Envelope()
    assert envelope(described(**REQUEST, **RESPONSE), encrypted=False) == Envelope()


def test_an_answer_that_must_be_and_cannot_be_encrypted_is_not_asked_for() -> None:
    needed = {"credential_response_encryption": encryption.response_metadata(NEEDED)}
    with pytest.raises(Refused, match="encryption_unsupported"):
        envelope(described(**needed))


def server(*grants: str) -> authorization_server.AuthorizationServerMetadata:
    value = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/t", "grant_types_supported": list(grants)}
    return authorization_server.parse(value, issuer=ISSUER)


def offered(**grants: Any) -> offer.CredentialOffer:
    value = {"credential_issuer": ISSUER, "credential_configuration_ids": ["x"], "grants": grants}
    return offer.parse(value)


BOTH = offered(**{AUTHORIZATION_CODE: {"issuer_state": "s"}, PRE_AUTHORIZED: {"pre-authorized_code": "c"}})


@pytest.mark.parametrize(
    ("asked", "grants", "wish", "chosen"),
    [
        (BOTH, (PRE_AUTHORIZED, AUTHORIZATION_CODE), None, PreAuthorized(code="c", tx_code=None)),
        (BOTH, (PRE_AUTHORIZED, AUTHORIZATION_CODE), AUTHORIZATION_CODE, ByCode(issuer_state="s")),
        (BOTH, (AUTHORIZATION_CODE,), None, ByCode(issuer_state="s")),
        (offered(), (AUTHORIZATION_CODE,), None, ByCode()),  # VCI-OFF-10
        (offered(), (PRE_AUTHORIZED,), None, None),
        (BOTH, (AUTHORIZATION_CODE,), PRE_AUTHORIZED, None),
        (BOTH, ("urn:other",), None, None),
        (offered(**{"urn:other": {}}), (AUTHORIZATION_CODE,), None, None),
    ],
)
def test_the_grant(asked: offer.CredentialOffer, grants: tuple[str, ...], wish: str | None, chosen: Any) -> None:
    if chosen is None:
        with pytest.raises(Refused, match="grant_unsupported"):
            issuers._grant(asked, server(*grants), wish)
    else:
        assert issuers._grant(asked, server(*grants), wish) == chosen
