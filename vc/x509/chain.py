"""The path from a leaf to a given anchor at a given time, or why there is none (RFC 5280 §6).

Anchors are an argument, never taken from what was presented. A pinned end-entity certificate is an anchor for itself
only: a listed certificate that is not a CA never blesses another one (TRUST 7.2 "matching order").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from vc.errors import VerificationFailed
from vc.x509.certificate import MAX_CHAIN, der, is_ca, issued_by
from vc.x509.profiles import LeafRules, check_leaf, understood

_LEAF_POLICY = ExtensionPolicy.permit_all()
_CA_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.CRITICAL, None)
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A checked path, leaf first, anchor last (one certificate when the leaf itself is pinned), good in [not_before, not_after]."""

    certificates: tuple[x509.Certificate, ...]
    not_before: datetime
    not_after: datetime

    @property
    def anchor(self) -> x509.Certificate:
        return self.certificates[-1]


def check_presented(chain: Sequence[x509.Certificate]) -> None:
    """The rules of HAIP 1.0 §6.1.1 for a presented `x5c`/`x5chain`: leaf not self-signed, no trust anchor inside.

    Raises `VerificationFailed` with code `x5c_self_signed` or `x5c_anchor_included`.
    """
    if self_signed(chain[0]):
        raise VerificationFailed("x5c_self_signed", "the signing certificate is self-signed")
    if any(self_signed(certificate) for certificate in chain[1:]):
        raise VerificationFailed(
            "x5c_anchor_included", "the chain carries a self-signed certificate, which belongs in the trust list only"
        )


def self_signed(certificate: x509.Certificate) -> bool:
    """True when issuer equals subject and the certificate's own key made the signature."""
    return certificate.issuer == certificate.subject and issued_by(certificate, certificate)


def find_path(chain: Sequence[x509.Certificate], *, anchors: Sequence[x509.Certificate], at: datetime, rules: LeafRules) -> Path:
    """The path of `chain[0]` to one of `anchors`, valid at `at` (aware UTC), with the leaf checked against `rules`.

    Raises `VerificationFailed`: `path_no_anchors` (emptiness fails), `cert_not_yet_valid`, `cert_expired`, the codes of
    `check_leaf`, `path_unknown_issuer`. Revocation is not checked here.
    """
    if not anchors:
        raise VerificationFailed("path_no_anchors", "there is no trust anchor for this purpose")
    if not 0 < len(chain) <= MAX_CHAIN:
        raise VerificationFailed("path_length", "the chain is empty or too long")
    leaf = chain[0]
    _check_time(leaf, at)
    check_leaf(leaf, rules)
    if any(der(anchor) == der(leaf) for anchor in anchors):
        return _path((leaf,))
    authorities = [anchor for anchor in anchors if is_ca(anchor)]
    if not authorities:
        raise VerificationFailed("path_unknown_issuer", "no anchor for this purpose is the certificate or its issuer")
    links = {link: anchor for link, anchor in _links(chain, authorities) if _lives(link, at) and _lives(anchor, at)}
    verifier = (
        PolicyBuilder()
        .store(Store([*authorities, *links]))
        .time(at)
        .max_chain_depth(MAX_CHAIN - 2)
        .extension_policies(ca_policy=_CA_POLICY, ee_policy=_LEAF_POLICY)
        .build_client_verifier()
    )
    try:
        verified = verifier.verify(leaf, [certificate for certificate in chain[1:] if not self_signed(certificate)])
    except VerificationError as exc:
        for certificate in (*chain[1:], *authorities):
            if certificate.subject == leaf.issuer:
                _check_time(certificate, at)
        raise VerificationFailed("path_unknown_issuer", "no path leads from the certificate to an anchor for this purpose") from exc
    below = tuple(verified.chain)
    return _path((*below, links[below[-1]]) if below[-1] in links else below)


def _links(
    chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, x509.Certificate]]:
    """Link certificates among what was presented, each with the anchor that signed it (RFC 5280 §6.1.4 l).

    An authority that changes its key certifies the new one under its own name. Such a self-issued certificate does not count
    against a path length, also not one of 0, so the anchor's word for the new key is as good as the anchor's own; the path check
    counts it, hence it is found here. It must be a CA of the same rules: no longer path than the anchor allows, and nothing
    critical that is not understood.
    """
    for link in chain[1:]:
        for anchor in authorities:
            same = link.subject == link.issuer == anchor.subject and der(link) != der(anchor)
            if same and issued_by(link, anchor) and _no_wider(link, anchor):
                yield link, anchor


def _lives(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _no_wider(link: x509.Certificate, anchor: x509.Certificate) -> bool:
    lengths = []
    for certificate in (link, anchor):
        try:
            constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
            usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        except x509.ExtensionNotFound:
            return False
        if not constraints.value.ca or not usage.value.key_cert_sign or not understood(certificate):
            return False
        lengths.append(MAX_CHAIN if constraints.value.path_length is None else constraints.value.path_length)
    return lengths[0] <= lengths[1]


class PathCache:
    """Remembers paths for one set of anchors and one rule set, so that a busy issuer's chain is checked once, not each time.

    A remembered path is used only within the validity of all its certificates; failures are not remembered.
    """

    def __init__(self, anchors: Sequence[x509.Certificate], rules: LeafRules, *, size: int = 1024) -> None:
        self._anchors, self._rules, self._size = tuple(anchors), rules, size
        self._paths: dict[tuple[int, ...], tuple[tuple[x509.Certificate, ...], Path]] = {}

    def find(self, chain: Sequence[x509.Certificate], *, at: datetime) -> Path:
        """As `find_path` for this cache's anchors and rules."""
        # By identity, since hashing a certificate hashes its octets; the chain is kept with the path, so no id is used again.
        key = tuple(map(id, chain))
        _, path = self._paths.get(key, ((), None))
        if path is None or not path.not_before <= at <= path.not_after:
            path = find_path(chain, anchors=self._anchors, at=at, rules=self._rules)
            if len(self._paths) >= self._size:
                self._paths.clear()
            self._paths[key] = tuple(chain), path
        return path


def _path(certificates: tuple[x509.Certificate, ...]) -> Path:
    return Path(
        certificates=certificates,
        not_before=max(certificate.not_valid_before_utc for certificate in certificates),
        not_after=min(certificate.not_valid_after_utc for certificate in certificates),
    )


def _check_time(certificate: x509.Certificate, at: datetime) -> None:
    if at < certificate.not_valid_before_utc:
        raise VerificationFailed("cert_not_yet_valid", "a certificate was not valid yet at that time")
    if at > certificate.not_valid_after_utc:
        raise VerificationFailed("cert_expired", "a certificate had expired at that time")
