"""The kinds of certificates, as data: who may issue which, for how long, with what inside.

Seals after ETSI EN 319 412-3 and TS 119 412-6 clause 8, document signers and their roots after ISO/IEC 18013-5 Annex B (MDOC-CERT),
access certificates after TS 119 411-8, list signers after TS 119 602 and TS 119 612 §5.7.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from vc.x509.profiles import MDOC_DOCUMENT_SIGNER, STATUS_SIGNING, TSL_SIGNING

DAY = timedelta(days=1)
BACKDATED = DAY
"""Certificates begin a little in the past: clocks differ."""
CRL_LIFE = timedelta(days=30)
ACCESS_POLICIES: Mapping[str, x509.ObjectIdentifier] = {
    name: x509.ObjectIdentifier(f"0.4.0.194118.1.{number}") for number, name in enumerate(("ncp-n", "ncp-l", "qcp-n", "qcp-l"), 1)
}
"""TS 119 411-8: natural or legal person, normalised or qualified certificate policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityKind:
    """`alternative_name`: its certificates carry issuerAltName, as Annex B wants."""

    id: str
    title: str
    life: timedelta = 3 * 365 * DAY
    alternative_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafKind:
    """`authorities`: kinds of authorities that may issue it. `subject`: attributes it must name. `life`: unless told otherwise;
    `longest`: at most."""

    id: str
    title: str
    authorities: tuple[str, ...]
    subject: tuple[str, ...]
    usages: tuple[str, ...] = ("digital_signature",)
    eku: tuple[x509.ObjectIdentifier, ...] = ()
    life: timedelta = 400 * DAY
    longest: timedelta = 2 * 366 * DAY
    alternative_name: bool = False


_SIGNER = ("C", "O", "CN")
_ORGANISATION = ("C", "O", "organizationIdentifier", "CN")

AUTHORITIES: Mapping[str, AuthorityKind] = {
    kind.id: kind
    for kind in (
        AuthorityKind(id="seal", title="seals of public sector bodies"),
        AuthorityKind(id="status", title="signers of status lists"),
        AuthorityKind(id="iaca", title="document signers (ISO/IEC 18013-5)", life=9 * 365 * DAY, alternative_name=True),
        AuthorityKind(id="access", title="access certificates (TS 119 411-8)"),
        AuthorityKind(id="registrar", title="signers of registration certificates (TS 119 475)"),
        AuthorityKind(id="wallet", title="wallet providers and their status lists"),
        AuthorityKind(id="list", title="signers of trust lists"),
        AuthorityKind(id="server", title="TLS servers of a test world"),
    )
}
LEAVES: Mapping[str, LeafKind] = {
    kind.id: kind
    for kind in (
        LeafKind(
            id="seal",
            title="seal of a public sector body",
            authorities=("seal",),
            subject=_ORGANISATION,
            usages=("digital_signature", "content_commitment"),
        ),
        LeafKind(
            id="document-signer",
            title="signer of mdocs",
            authorities=("iaca",),
            subject=_ORGANISATION,
            eku=(MDOC_DOCUMENT_SIGNER,),
            longest=457 * DAY,
            alternative_name=True,
        ),
        LeafKind(
            id="status",
            title="signer of status lists",
            authorities=("status", "seal", "wallet"),
            subject=_ORGANISATION,
            eku=(STATUS_SIGNING,),
        ),
        LeafKind(id="list-signer", title="signer of trust lists", authorities=("list",), subject=_SIGNER, eku=(TSL_SIGNING,)),
        LeafKind(id="access", title="access certificate", authorities=("access",), subject=_ORGANISATION),
        LeafKind(id="registrar", title="signer of registration certificates", authorities=("registrar",), subject=_SIGNER),
        LeafKind(id="wallet-provider", title="signer of wallet attestations", authorities=("wallet",), subject=_ORGANISATION),
        LeafKind(
            id="server",
            title="TLS server",
            authorities=("server",),
            subject=("CN",),
            eku=(ExtendedKeyUsageOID.SERVER_AUTH,),
        ),
    )
}
