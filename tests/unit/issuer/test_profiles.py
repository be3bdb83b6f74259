"""Profiles: what an institution has no means for is not offered; what a profile demands cannot be left out, nor loosened."""

from typing import Any

import pytest

from issuer.profiles import PROFILES, IssuanceProfile, ProfileName, fitted
from vc.errors import Refused
from vc.openid4vci.offer import PRE_AUTHORIZED
from vc.openid4vci.proof_types import KeyAttestationRequirement

PILOT, HAIP = PROFILES[ProfileName.PILOT], PROFILES[ProfileName.HAIP]
EVERYTHING: dict[str, Any] = {
    "sign_in": True,
    "trust": True,
    "clients": False,
    "access_key": True,
    "encryption_keys": True,
}


def fit(row: IssuanceProfile, **changes: Any) -> IssuanceProfile:
    return fitted(row, **{**EVERYTHING, **changes})


def test_a_bare_pilot_is_the_pre_authorized_code_and_nothing_else() -> None:
    bare = fit(PILOT, sign_in=False, trust=False, access_key=False, encryption_keys=False)
    assert bare.grants == (PRE_AUTHORIZED,)
    assert bare.client_auth == ("none",)
    assert bare.proof_types == ("jwt",)
    assert (bare.pre_authorized, bare.authorization_code, bare.refresh, bare.attested_clients) == (True, False, False, False)
    assert (bare.encryption, bare.signed_metadata, bare.attestation_challenge) == (None, False, False)


def test_everything_a_pilot_can_have() -> None:
    full = fit(PILOT, clients=True, encryption_required=True)
    assert full.grants == (PRE_AUTHORIZED, "authorization_code", "refresh_token")
    assert full.client_auth == ("none", "attest_jwt_client_auth")
    assert full.proof_types == ("jwt", "attestation")
    assert full.anonymous
    assert full.encryption is not None
    assert full.encryption.required
    assert full.signed_metadata


def test_haip_as_its_specification_has_it() -> None:
    """HAIP-VCI-1 to -13."""
    haip = fit(HAIP)
    assert haip.grants == ("authorization_code", "refresh_token")
    assert haip.client_auth == ("attest_jwt_client_auth",)
    assert (haip.dpop_required, haip.dpop_nonce, haip.anonymous) == (True, True, False)
    assert "ES256" in haip.dpop_algorithms
    assert "ES256" in haip.proof_algorithms
    assert haip.key_attestation is not None


@pytest.mark.parametrize("missing", ["sign_in", "trust", "access_key"])
def test_haip_cannot_do_without(missing: str) -> None:
    with pytest.raises(Refused, match="profile_lacks"):
        fit(HAIP, **{missing: False})


def test_public_clients_are_for_the_pilot() -> None:
    assert fit(PILOT, clients=True, trust=False).authorization_code
    with pytest.raises(Refused, match="profile_loosens"):
        fit(HAIP, clients=True)


def requirement(key_storage: str | None, user_authentication: str | None) -> KeyAttestationRequirement:
    return KeyAttestationRequirement(
        key_storage=(key_storage,) if key_storage else (), user_authentication=(user_authentication,) if user_authentication else ()
    )


@pytest.mark.parametrize(
    ("key_storage", "user_authentication", "taken"),
    [
        ("iso_18045_high", "iso_18045_high", True),
        ("iso_18045_moderate", "iso_18045_moderate", True),
        ("iso_18045_high", "iso_18045_basic", False),
        ("iso_18045_enhanced-basic", "iso_18045_high", False),
        ("iso_18045_high", None, False),
        (None, "iso_18045_high", False),
    ],
)
def test_settings_tighten_and_never_loosen(key_storage: str | None, user_authentication: str | None, taken: bool) -> None:
    asked = requirement(key_storage, user_authentication)
    if taken:
        assert fit(HAIP, key_attestation=asked).key_attestation == asked
        return
    with pytest.raises(Refused, match="profile_loosens"):
        fit(HAIP, key_attestation=asked)


def test_a_pilot_may_ask_for_key_attestations() -> None:
    asked = requirement("iso_18045_basic", None)
    assert fit(PILOT).key_attestation is None
    assert fit(PILOT, key_attestation=asked).key_attestation == asked
