"""What an institution says of itself as credential issuer and authorization server (VCI-META).

Every member comes from the declaration that is enforced: `institution.profile`, its keys, the settings and the catalogue.
"""

from collections.abc import Collection, Mapping
from typing import Any

from issuer import entitlements, publishing
from issuer.institutions import Institution
from issuer.settings import Settings
from vc.documents.catalogue import DOCUMENT_TYPES, Configuration
from vc.openid4vci import authorization_server as authorization
from vc.openid4vci import encryption, metadata, registration_certificate
from vc.openid4vci.metadata import ClaimDescription

DEFAULT_LOCALE = "en"


def credential_issuer(institution: Institution, settings: Settings) -> dict[str, Any]:
    """Credential Issuer Metadata (OpenID4VCI 1.0 §12.2), in every language there is."""
    issuer, profile = institution.credential_issuer, institution.profile
    offer = profile.encryption
    # Only the current one: whoever still encrypts to an older one read it before the rotation, and is served until it is removed.
    keys = [(key.kid, key.private.public_key()) for key in institution.encryption_keys[:1]]
    certificate = institution.registration_certificate
    return metadata.build(
        credential_issuer=issuer,
        credential_endpoint=f"{issuer}/credential",
        nonce_endpoint=f"{issuer}/nonce",
        deferred_credential_endpoint=f"{issuer}/deferred",
        notification_endpoint=f"{issuer}/notification",
        batch_size=settings.batch_size if settings.batch_size > 1 else None,
        credential_request_encryption=None if offer is None else encryption.request_metadata(offer, keys),
        credential_response_encryption=None if offer is None else encryption.response_metadata(offer),
        issuer_info=None if certificate is None else [registration_certificate.element(certificate)],  # EAA-I-2
        preferred_client_status_period=settings.credential_days * 86_400 if profile.attested_clients else None,  # EAA-I-9
        display=[{"name": institution.name}],
        configurations={
            name: _configuration(institution, settings, configuration)
            for name, configuration in entitlements.configurations(institution).items()
        },
        allow_http_loopback=True,  # whether base_url may be http is decided by the settings
    )


def _configuration(institution: Institution, settings: Settings, configuration: Configuration) -> dict[str, Any]:
    declared, profile = DOCUMENT_TYPES[configuration.document_type], institution.profile
    return metadata.build_configuration(
        format=configuration.format,
        type_id=configuration.type_id,
        scope=configuration.scope,
        signing=institution.signer_for(configuration.format).curve,
        claims=[
            ClaimDescription(path=claim.path, mandatory=claim.mandatory, labels=claim.labels)
            for claim in configuration.profile.claims
        ],
        display=[{"name": name, "locale": locale} for locale, name in sorted(declared.labels.items())],
        proof_types=profile.proof_types,
        proof_algorithms=profile.proof_algorithms,
        key_attestation=profile.key_attestation,
        reuse_policy=institution.reuse_policy,
    )


def authorization_server(institution: Institution) -> dict[str, Any]:
    """Authorization Server Metadata (RFC 8414); the institution is its own server (VCI-META-7)."""
    issuer, profile = institution.credential_issuer, institution.profile
    by_code = profile.authorization_code
    built = authorization.build(
        issuer=issuer,
        token_endpoint=f"{issuer}/token",
        scopes=[configuration.scope for configuration in entitlements.configurations(institution).values()],
        grants=profile.grants,
        authorization_endpoint=f"{issuer}/authorize" if by_code else None,
        pushed_authorization_request_endpoint=f"{issuer}/par" if by_code else None,
        challenge_endpoint=f"{issuer}/challenge" if profile.attestation_challenge else None,
        client_auth_methods=profile.client_auth,
        attestation_algorithms=profile.attestation_algorithms,
        dpop_algorithms=profile.dpop_algorithms,
        anonymous=profile.anonymous,
        allow_http_loopback=True,
    )
    # Token Status List §9.2
    return {**built, "status_list_aggregation_endpoint": publishing.aggregation_uri(institution)}


def locales(described: object) -> frozenset[str]:
    """Every locale that occurs in a `display` of `described`."""
    if isinstance(described, Mapping):
        own = {entry["locale"] for entry in described.get("display", []) if "locale" in entry}
        return frozenset(own.union(*(locales(value) for value in described.values())))
    if isinstance(described, list):
        return frozenset().union(*(locales(value) for value in described))
    return frozenset()


def in_languages(described: Any, wanted: Collection[str]) -> Any:
    """`described` with each `display` cut down to the locales `wanted` (VCI-META-18).

    An array that has none of them keeps its English entry, so that nothing loses its name; entries without locale stay.
    """
    if isinstance(described, list):
        return [in_languages(value, wanted) for value in described]
    if not isinstance(described, Mapping):
        return described
    return {
        name: _cut(value, wanted) if name == "display" and isinstance(value, list) else in_languages(value, wanted)
        for name, value in described.items()
    }


def _cut(display: list[dict[str, Any]], wanted: Collection[str]) -> list[dict[str, Any]]:
    kept = [entry for entry in display if entry.get("locale") is None or entry["locale"] in wanted]
    return kept or [entry for entry in display if entry["locale"] == DEFAULT_LOCALE]
