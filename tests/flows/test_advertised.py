"""Advertised is enforced: every member of the metadata of every profile has a row here, which breaks it over HTTP and is refused.

A member without a row, and a row without a member, is a failure: nothing can be announced that nobody shows to be enforced.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import breaking_issuer, breaking_server
from tests.support import issuer as issuing
from tests.support.advertised import (
    EVERY,
    HAIP,
    PILOT,
    STRICT,
    Applicant,
    World,
    running,
)
from tests.support.breaking_server import refused
from tests.support.pki import holder

Act = Callable[[Applicant], None]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(Path(tmp_path_factory.mktemp("advertised"))) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Row:
    """`act` breaks the member, or shows that it is kept where it cannot be broken. `at`: the institutions that announce it."""

    act: Act
    at: tuple[str, ...] = EVERY


_PROOFS = "configuration/proof_types_supported"
_KEYS = (HAIP, STRICT)
_PRE_AUTHORIZED = (PILOT, STRICT)
ROWS: dict[str, Row] = {
    "server/issuer": Row(breaking_server.issuer),
    "server/token_endpoint": Row(breaking_server.token_endpoint),
    "server/authorization_endpoint": Row(breaking_server.authorization_endpoint),
    "server/pushed_authorization_request_endpoint": Row(breaking_server.pushed_endpoint),
    "server/require_pushed_authorization_requests": Row(breaking_server.par_required),
    "server/response_types_supported": Row(breaking_server.response_type),
    "server/response_modes_supported": Row(breaking_server.response_mode),
    "server/code_challenge_methods_supported": Row(breaking_server.pkce),
    "server/authorization_response_iss_parameter_supported": Row(breaking_server.iss_in_response),
    "server/grant_types_supported": Row(breaking_server.grants),
    "server/token_endpoint_auth_methods_supported": Row(breaking_server.client_auth),
    "server/client_attestation_signing_alg_values_supported": Row(breaking_server.attestation_algorithms),
    "server/client_attestation_pop_signing_alg_values_supported": Row(breaking_server.pop_algorithms),
    "server/challenge_endpoint": Row(breaking_server.challenge),
    "server/scopes_supported": Row(breaking_server.scopes),
    "server/authorization_details_types_supported": Row(breaking_server.details_type),
    "server/dpop_signing_alg_values_supported": Row(breaking_server.dpop),
    "server/pre-authorized_grant_anonymous_access_supported": Row(breaking_server.anonymous, _PRE_AUTHORIZED),
    "server/status_list_aggregation_endpoint": Row(breaking_server.aggregation),
    "issuer/credential_issuer": Row(breaking_issuer.credential_issuer),
    "issuer/credential_endpoint": Row(breaking_issuer.credential_endpoint),
    "issuer/nonce_endpoint": Row(breaking_issuer.nonce_endpoint),
    "issuer/deferred_credential_endpoint": Row(breaking_issuer.deferred_endpoint),
    "issuer/notification_endpoint": Row(breaking_issuer.notification_endpoint),
    "issuer/batch_credential_issuance/batch_size": Row(breaking_issuer.batch),
    "issuer/credential_request_encryption/jwks": Row(breaking_issuer.request_keys),
    "issuer/credential_request_encryption/enc_values_supported": Row(breaking_issuer.request_enc),
    "issuer/credential_request_encryption/zip_values_supported": Row(breaking_issuer.request_zip),
    "issuer/credential_request_encryption/encryption_required": Row(breaking_issuer.request_required),
    "issuer/credential_response_encryption/alg_values_supported": Row(breaking_issuer.response_alg),
    "issuer/credential_response_encryption/enc_values_supported": Row(breaking_issuer.response_enc),
    "issuer/credential_response_encryption/zip_values_supported": Row(breaking_issuer.response_zip),
    "issuer/credential_response_encryption/encryption_required": Row(breaking_issuer.response_required),
    "issuer/preferred_client_status_period": Row(breaking_issuer.client_status_period),
    "issuer/issuer_info": Row(breaking_issuer.registration, (STRICT,)),
    "issuer/display": Row(breaking_issuer.display),
    "issuer/credential_configurations_supported": Row(breaking_issuer.configurations),
    "configuration/format": Row(breaking_issuer.kind_of_credential),
    "configuration/vct": Row(breaking_issuer.kind_of_credential),
    "configuration/doctype": Row(breaking_issuer.kind_of_credential),
    "configuration/scope": Row(breaking_issuer.scope),
    "configuration/cryptographic_binding_methods_supported": Row(breaking_issuer.binding),
    "configuration/credential_signing_alg_values_supported": Row(breaking_issuer.signing_algorithm),
    "configuration/proof_types_supported": Row(breaking_issuer.proof_types),
    f"{_PROOFS}/jwt/proof_signing_alg_values_supported": Row(breaking_issuer.jwt_algorithms),
    f"{_PROOFS}/jwt/key_attestations_required": Row(breaking_issuer.key_attestation_missing, _KEYS),
    f"{_PROOFS}/jwt/key_attestations_required/key_storage": Row(breaking_issuer.key_storage, _KEYS),
    f"{_PROOFS}/jwt/key_attestations_required/user_authentication": Row(breaking_issuer.user_authentication, _KEYS),
    f"{_PROOFS}/attestation/proof_signing_alg_values_supported": Row(breaking_issuer.attestation_proof_algorithms),
    f"{_PROOFS}/attestation/key_attestations_required": Row(breaking_issuer.key_attestation_missing, _KEYS),
    f"{_PROOFS}/attestation/key_attestations_required/key_storage": Row(breaking_issuer.key_storage, _KEYS),
    f"{_PROOFS}/attestation/key_attestations_required/user_authentication": Row(breaking_issuer.user_authentication, _KEYS),
    f"{_PROOFS}/jwt/key_attestations_required/preferred_key_storage_status_period": Row(breaking_issuer.key_status_period, _KEYS),
    f"{_PROOFS}/attestation/key_attestations_required/preferred_key_storage_status_period": Row(
        breaking_issuer.key_status_period, _KEYS
    ),
    "configuration/credential_metadata/display": Row(breaking_issuer.display),
    "configuration/credential_metadata/claims": Row(breaking_issuer.claims),
    "configuration/credential_metadata/credential_reuse_policy": Row(breaking_issuer.reuse_policy, (STRICT,)),
}


def advertised(world: World, institution: str) -> set[str]:
    """The members of both metadata documents, as the keys of the table name them."""
    issuer = world.issuer_metadata(institution)
    found = {f"server/{name}" for name in world.server_metadata(institution)}
    for name, value in issuer.items():
        split = name in ("credential_request_encryption", "credential_response_encryption", "batch_credential_issuance")
        found |= {f"issuer/{name}/{inner}" for inner in value} if split else {f"issuer/{name}"}
    for configuration in issuer["credential_configurations_supported"].values():
        found |= {f"configuration/{name}" for name in configuration if name != "credential_metadata"}
        found |= {f"configuration/credential_metadata/{name}" for name in configuration["credential_metadata"]}
        for kind, declared in configuration["proof_types_supported"].items():
            at = f"configuration/proof_types_supported/{kind}"
            found |= {f"{at}/{name}" for name in declared}
            found |= {f"{at}/key_attestations_required/{name}" for name in declared.get("key_attestations_required", {})}
    return found


@pytest.mark.parametrize("institution", EVERY)
def test_every_member_that_is_advertised_has_a_row_and_every_row_a_member(world: World, institution: str) -> None:
    assert advertised(world, institution) == {name for name, row in ROWS.items() if institution in row.at}


@pytest.mark.parametrize(
    ("institution", "member"), [(institution, member) for member, row in ROWS.items() for institution in row.at]
)
def test_what_is_advertised_is_enforced(world: World, institution: str, member: str) -> None:
    ROWS[member].act(world.applicant(institution))


# --- what the profiles enforce without a member of the metadata to say so ----------------------------------------------------


def test_haip_takes_no_request_without_dpop(world: World) -> None:
    """HAIP-VCI-3: neither at the token endpoint nor as a bearer token later."""
    at = world.applicant(HAIP)
    code = at.code()
    key, at.dpop_key = at.dpop_key, None
    refused(at.redeem_own(code), "invalid_dpop_proof")
    at.dpop_key = key
    at.entitle()
    at.dpop_key = None
    refused(at.ask(), "invalid_token", 401)


def test_haip_demands_a_fresh_nonce_in_dpop_proofs(world: World) -> None:
    """VCI-DPOP-3: at the authorization server and at the resource, each answer bringing the next one."""
    at = world.applicant(HAIP)
    at.shows({**at.attestation(), **at.dpop("POST", "par", nonce="invented")})
    answer = at.push(at.configuration_id, dpop_proof=False)
    refused(answer, "use_dpop_nonce")
    assert answer.headers["dpop-nonce"]
    at.entitle()
    stale = {"authorization": f"DPoP {at.access_token}", **at.dpop("POST", "credential", access_token=at.access_token, nonce="old")}
    answer = at.client.post(f"{at.issuer}/credential", json=at.body(), headers=stale)
    refused(answer, "use_dpop_nonce", 401)
    assert answer.headers["dpop-nonce"]
    assert "use_dpop_nonce" in answer.headers["www-authenticate"]


def test_haip_offers_no_pre_authorized_code(world: World) -> None:
    """HAIP has none; the institution cannot make such an offer by mistake."""
    at = world.applicant(HAIP)
    url = f"/api/v1/documents/{world.documents[HAIP]}/offers"
    answer = at.client.post(url, json={"grants": ["pre-authorized_code"]}, headers=issuing.bearer(HAIP))
    assert answer.status_code in (400, 409, 422), answer.text
    made = issuing.offer(at.client, HAIP, document_id=world.documents[HAIP])
    assert list(made["credential_offer"]["grants"]) == ["authorization_code"]


@pytest.mark.parametrize("institution", EVERY)
def test_who_keeps_every_rule_gets_everything_that_is_advertised(world: World, institution: str) -> None:
    """The other side of the table: none of the refusals above comes from a broken wallet."""
    at = world.applicant(institution).entitle()
    keys = [holder() for _ in range(at.described.batch_size)]
    assert len(at.credentials(at.ask(at.body(at.jwt_proofs(keys))))) == len(keys)
    assert len(at.credentials(at.ask(at.body(at.attestation_proof(keys), proof_type="attestation")))) == len(keys)
    assert at.refresh_token
    assert at.refresh().status_code == 200
    assert at.credentials(at.ask())
