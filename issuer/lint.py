"""Looking at a credential with the verifier's eyes before the key touches it (Let's Encrypt: prepare, lint, sign).

What is looked at is the credential as it will leave, with a signature of zeros in the place of the real one: reading it is the
verifier's own code, and only the question whether the signature fits is left for afterwards (decision 0015).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from vc import formats
from vc.documents.catalogue import Configuration
from vc.documents.model import Document
from vc.encoding import json
from vc.encoding.claims_path import Path, locate
from vc.errors import VcError, VerificationFailed
from vc.formats import Credential, Envelope, PreparedCredential
from vc.keys import jwk
from vc.keys.ec import Curve
from vc.keys.signer import Signer

REMEMBERED = 256
"""Documents whose examination is remembered, each of a few kilobytes."""


class LintFailed(VerificationFailed):
    """What was prepared is not what was meant; nothing is signed. `code` names the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the credential shall say."""

    configuration: Configuration
    document: Document = field(repr=False)
    envelope: Envelope = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """`credential`: as a verifier reads it. `message`: the very octets that may be signed, and no others."""

    credential: Credential = field(repr=False)
    message: bytes = field(repr=False)


class Blank:
    """Stands in for a signer: same curve and chain, but signs with zeros. Keeps the message it was given."""

    def __init__(self, signer: Signer) -> None:
        self.curve: Curve = signer.curve
        self.chain: tuple[x509.Certificate, ...] = signer.chain
        self.message = b""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """What takes the signature of zeros, and any other, for good. It never leaves this module's reading."""
        return cast(ec.EllipticCurvePublicKey, _Undemanding(self.curve.curve))

    def sign(self, message: bytes) -> bytes:
        self.message = message
        return bytes(2 * self.curve.size)


@dataclass(frozen=True, slots=True)
class _Undemanding:
    """In the place of a public key, to read what is not signed yet. It has what reading asks of a key and nothing else."""

    curve: ec.EllipticCurve

    def verify(self, signature: bytes, data: bytes, algorithm: object) -> None:
        """Takes everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What depends on document and configuration alone. `projection`: the document in this shape, as it is issued.

    `claims`: the same as a verifier reads it, every rule kept; None until a copy was examined in full. `about`: the names of what
    stands beside it. `hidden`, `unhidden`: where it must be selectively disclosable, and where it must not.
    """

    configuration: Configuration
    projection: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Any] | None = field(default=None, repr=False)
    about: frozenset[str] = frozenset()
    hidden: frozenset[Path] = frozenset()
    unhidden: frozenset[Path] = frozenset()


class Examiner:
    """The lint, and its memory: a document is projected, and read back, once per configuration and not once per copy.

    The memory is a shortcut, never an excuse: a copy whose claims are not exactly those that passed is examined in full.
    """

    def __init__(self) -> None:
        self._shapes: OrderedDict[bytes, _Shape] = OrderedDict()
        self._latest: tuple[Configuration, Document, bytes] | None = None

    def projection(self, configuration: Configuration, document: Document) -> Mapping[str, Any]:
        """`document` in the shape of `configuration`; not to be changed. Raises as `Profile.project`."""
        return self._shape(configuration, document).projection

    def lint(self, prepared: PreparedCredential, expected: Expected, *, signer: Signer, now: datetime) -> Examined:
        """What `signer` may sign. Raises `LintFailed`.

        1 it can be parsed  2 format and type  3 certificate chain  4 issuer  5 holder key  6 status or short-lived, and category
        7 technical validity, now included  8 recognised as its own profile and telling every fact of the document that the profile
        carries, none other  9 the claims that must be hidden are, those that must not are not (SDVC-3, TM-4).
        """
        envelope, configuration, blank = expected.envelope, expected.configuration, Blank(signer)
        try:
            text = formats.sign(prepared, blank)
            credential = formats.parse_issued(configuration.format, text).verify_issuer(blank.public_key)
            credential.check_validity(now)
            rules = {
                "lint_type": (credential.format, credential.type_id) == (configuration.format, configuration.type_id),
                "lint_chain": bool(credential.chain) and _same_chain(credential.chain, signer.chain),
                "lint_issuer": credential.issuer in (None, envelope.issuer),
                "lint_holder": credential.holder is not None and _same_key(credential.holder, envelope.holder),
                "lint_status": credential.status == envelope.status and credential.short_lived == (envelope.status is None),
                "lint_category": credential.category == envelope.category,
                "lint_validity": (credential.issued_at, credential.valid_from, credential.valid_until)
                == (envelope.issued_at, envelope.valid_from, envelope.valid_until),
                **self._content(credential, expected),
            }
        except VcError as exc:
            raise LintFailed(f"lint_{exc.code}", exc.detail, pointer=exc.pointer) from exc
        for code, kept in rules.items():
            if not kept:
                raise LintFailed(code, "the prepared credential does not say what it should")
        return Examined(credential=credential, message=blank.message)

    def _content(self, credential: Credential, expected: Expected) -> dict[str, bool]:
        """Rules 8 and 9: what the credential tells of the document."""
        configuration, shape = expected.configuration, self._shape(expected.configuration, expected.document)
        told = _told(credential.claims, shape)
        about = frozenset(credential.claims.keys() - told.keys())
        if told != shape.claims or about != shape.about:
            read = configuration.profile.normalise(credential.claims)
            rules = {
                "lint_profile": configuration.profile.detect(credential.claims) and not read.notes,
                "lint_facts": configuration.profile.project(read) == shape.projection,
            }
            if not all(rules.values()):
                return rules
            hidden, unhidden = (_places(credential, configuration, sd) for sd in ("always", "never"))
            shape = replace(shape, claims=told, about=about, hidden=hidden, unhidden=unhidden)
            self._shapes[self._key(configuration, expected.document)] = shape
        return {"lint_disclosure": shape.hidden <= credential.disclosed and shape.unhidden.isdisjoint(credential.disclosed)}

    def _shape(self, configuration: Configuration, document: Document) -> _Shape:
        key = self._key(configuration, document)
        found = self._shapes.get(key)
        if found is None or found.configuration is not configuration:
            found = _Shape(configuration=configuration, projection=configuration.profile.project(document))
            self._shapes[key] = found
            if len(self._shapes) > REMEMBERED:
                self._shapes.popitem(last=False)
        return found

    def _key(self, configuration: Configuration, document: Document) -> bytes:
        """What a document in a configuration is remembered by; the one asked for last is asked for again at once."""
        latest = self._latest
        if latest is None or latest[0] is not configuration or latest[1] is not document:
            octets = json.dumps([configuration.id, document.type, document.data])
            latest = self._latest = configuration, document, sha256(octets).digest()
        return latest[2]


def fingerprint(credential: Credential) -> str:
    """SHA-256 in hex over what the credential states, for the record: an auditor can compute it from the credential alone."""
    times = [None if t is None else t.isoformat() for t in (credential.issued_at, credential.valid_from, credential.valid_until)]
    stated: list[Any] = [credential.format, credential.type_id, credential.claims, times]
    return sha256(json.dumps(stated)).hexdigest()


def _told(claims: Mapping[str, Any], shape: _Shape) -> dict[str, Any]:
    """What stands in the places of the projection; the envelope is what stands beside it."""
    return {name: claims[name] for name in shape.projection if name in claims}


def _places(credential: Credential, configuration: Configuration, sd: str) -> frozenset[Path]:
    """Concrete paths of the claims that are there and declared to be hidden `always`, or `never`."""
    declared = (claim.path for claim in configuration.profile.claims if claim.sd == sd)
    return frozenset(path for pattern in declared for path, _ in locate(credential.claims, pattern))


def _same_key(one: ec.EllipticCurvePublicKey, other: ec.EllipticCurvePublicKey) -> bool:
    return one is other or jwk.thumbprint(one) == jwk.thumbprint(other)


def _same_chain(one: Sequence[x509.Certificate], other: Sequence[x509.Certificate]) -> bool:
    return tuple(one) == tuple(other)  # certificates are equal when their octets are
