"""Looking at a credential with the verifier's eyes before the real key touches it (Let's Encrypt: prepare, lint, sign)."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from vc import formats
from vc.documents.catalogue import Configuration
from vc.documents.model import Document
from vc.encoding import json
from vc.encoding.claims_path import locate
from vc.errors import VcError, VerificationFailed
from vc.formats import Credential, Envelope, PreparedCredential
from vc.keys import jwk
from vc.keys.signer import Signer
from vc.x509.certificate import der


class LintFailed(VerificationFailed):
    """What was prepared is not what was meant; nothing is signed. `code` names the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the credential shall say."""

    configuration: Configuration
    document: Document = field(repr=False)
    envelope: Envelope = field(repr=False)


def lint(prepared: PreparedCredential, expected: Expected, *, throwaway: Signer, now: datetime) -> Credential:
    """The credential as a verifier reads it, signed under `throwaway` (any key, the real chain). Raises `LintFailed`.

    1 it can be parsed and its signature fits  2 format and type  3 certificate chain  4 issuer  5 holder key  6 status or
    short-lived, and category  7 technical validity, now included  8 recognised as its own profile and telling every fact of the
    document that the profile carries, none other  9 the claims that must be hidden are, those that must not are not (SDVC-3, TM-4).
    """
    envelope, configuration = expected.envelope, expected.configuration
    try:
        credential = formats.parse_issued(configuration.format, formats.sign(prepared, throwaway)).verify_issuer(
            throwaway.public_key
        )
        credential.check_validity(now)
        told = configuration.profile.normalise(credential.claims)
        facts_told = configuration.profile.project(told)
        hidden_as_declared = _hidden_as_declared(credential, configuration)
    except VcError as exc:
        raise LintFailed(f"lint_{exc.code}", exc.detail, pointer=exc.pointer) from exc
    rules = {
        "lint_type": (credential.format, credential.type_id) == (configuration.format, configuration.type_id),
        "lint_chain": bool(credential.chain) and [der(c) for c in credential.chain] == [der(c) for c in throwaway.chain],
        "lint_issuer": credential.issuer in (None, envelope.issuer),
        "lint_holder": credential.holder is not None and _same_key(credential.holder, envelope.holder),
        "lint_status": credential.status == envelope.status and credential.short_lived == (envelope.status is None),
        "lint_category": credential.category == envelope.category,
        "lint_validity": (credential.issued_at, credential.valid_from, credential.valid_until)
        == (envelope.issued_at, envelope.valid_from, envelope.valid_until),
        "lint_profile": configuration.profile.detect(credential.claims) and not told.notes,
        "lint_facts": facts_told == configuration.profile.project(expected.document),
        "lint_disclosure": hidden_as_declared,
    }
    for code, kept in rules.items():
        if not kept:
            raise LintFailed(code, "the prepared credential does not say what it should")
    return credential


def fingerprint(credential: Credential) -> str:
    """SHA-256 in hex over what the credential states, for the record: an auditor can compute it from the credential alone."""
    times = [None if t is None else t.isoformat() for t in (credential.issued_at, credential.valid_from, credential.valid_until)]
    stated: list[Any] = [credential.format, credential.type_id, credential.claims, times]
    return sha256(json.dumps(stated)).hexdigest()


def _same_key(one: Any, other: Any) -> bool:
    return jwk.thumbprint(one) == jwk.thumbprint(other)


def _hidden_as_declared(credential: Credential, configuration: Configuration) -> bool:
    """Every claim that must be selectively disclosable is, and none that must not be is, of those that are there."""
    for claim in configuration.profile.claims:
        there = {path for path, _ in locate(credential.claims, claim.path)}
        if claim.sd == "always" and not there <= credential.disclosed:
            return False
        if claim.sd == "never" and not there.isdisjoint(credential.disclosed):
            return False
    return True
