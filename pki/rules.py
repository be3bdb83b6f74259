"""Every rule, in the order of findings: its id, the kinds it is for, the clause it comes from, what it says, and the question."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from pki import questions as ask
from pki.case import Case
from pki.kinds import ACCESS_POLICIES, LEAVES
from pki.questions import Question
from vc.x509.certificate import is_ca, issued_by
from vc.x509.chain import self_signed
from vc.x509.profiles import MDOC_DOCUMENT_SIGNER, MDOC_READER_AUTH, STATUS_SIGNING, TSL_SIGNING

Severity = Literal["error", "warning"]
_CRITICAL_IN_AN_IACA = frozenset({ExtensionOID.KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS})
_CRITICAL_IN_A_SIGNER = frozenset({ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE})


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds` says whether the certificate keeps it. `needs_issuer`: it compares with the authority's certificate."""

    id: str
    kinds: tuple[str, ...]
    clause: str
    text: str
    holds: Question
    severity: Severity = "error"
    needs_issuer: bool = False


KINDS = (*LEAVES, "iaca", "authority")
"""`authority`: any root that is no IACA."""
_MDOC = ("iaca", "document-signer")
_SEALED = ("seal",)
_OTHERS = tuple(kind for kind in LEAVES if kind != "document-signer")
_SIGNERS = tuple(kind for kind in LEAVES if kind != "server")


RULES: tuple[Rule, ...] = (
    # ISO/IEC 18013-5 Annex B
    Rule(
        "MDOC-CERT-1",
        _MDOC,
        "ISO/IEC 18013-5 Annex B",
        "version 3, serial number positive, random, at most 20 octets",
        ask.serial,
    ),
    Rule("MDOC-CERT-2.country", _MDOC, "ISO/IEC 18013-5 Annex B", "C is two capital letters", ask.country),
    Rule("MDOC-CERT-2.name", _MDOC, "ISO/IEC 18013-5 Annex B", "the subject has a CN", lambda c: c.names("CN")),
    Rule(
        "MDOC-CERT-2.root",
        ("iaca",),
        "ISO/IEC 18013-5 Table B.1",
        "self-signed: subject equals issuer",
        lambda c: self_signed(c.certificate),
    ),
    Rule(
        "MDOC-CERT-2.issuer",
        ("document-signer",),
        "ISO/IEC 18013-5 Table B.3",
        "issuer is the root's subject to the octet, same country and state",
        ask.of_its_root,
        needs_issuer=True,
    ),
    Rule(
        "MDOC-CERT-3.root",
        ("iaca",),
        "ISO/IEC 18013-5 Table B.1",
        "valid for 20 years at most",
        lambda c: c.life() <= timedelta(days=20 * 366),
    ),
    Rule(
        "MDOC-CERT-3.signer",
        ("document-signer",),
        "ISO/IEC 18013-5 Table B.3",
        "valid for 457 days at most",
        lambda c: c.life() <= timedelta(days=457),
    ),
    Rule("MDOC-CERT-4.ski", _MDOC, "ISO/IEC 18013-5 Annex B", "subject key identifier: SHA-1 of the key", ask.key_identifier),
    Rule(
        "MDOC-CERT-4.aki", ("document-signer",), "ISO/IEC 18013-5 Table B.3", "authority key identifier", ask.authority_identifier
    ),
    Rule(
        "MDOC-CERT-4.usage-root",
        ("iaca",),
        "ISO/IEC 18013-5 Table B.1",
        "key usage critical: keyCertSign and cRLSign only",
        lambda c: c.critical(x509.KeyUsage) and c.usages() == {"key_cert_sign", "crl_sign"},
    ),
    Rule(
        "MDOC-CERT-4.usage-signer",
        ("document-signer",),
        "ISO/IEC 18013-5 Table B.3",
        "key usage critical: digitalSignature only",
        lambda c: c.critical(x509.KeyUsage) and c.usages() == {"digital_signature"},
    ),
    Rule(
        "MDOC-CERT-4.constraints",
        ("iaca",),
        "ISO/IEC 18013-5 Table B.1",
        "basic constraints critical: CA, path length 0",
        ask.path_length,
    ),
    Rule("MDOC-CERT-4.no-ca", ("document-signer",), "ISO/IEC 18013-5 Table B.3", "no CA", lambda c: not is_ca(c.certificate)),
    Rule(
        "MDOC-CERT-4.eku",
        ("document-signer",),
        "ISO/IEC 18013-5 Table B.3",
        "extended key usage critical: 1.0.18013.5.1.2 only",
        lambda c: c.critical(x509.ExtendedKeyUsage) and c.eku() == {MDOC_DOCUMENT_SIGNER},
    ),
    Rule("MDOC-CERT-4.alternative", _MDOC, "ISO/IEC 18013-5 Annex B", "issuerAltName: mail or URI", ask.alternative),
    Rule("MDOC-CERT-4.crl", _MDOC, "ISO/IEC 18013-5 Annex B", "CRL distribution point", Case.points),
    Rule(
        "MDOC-CERT-5",
        _MDOC,
        "ISO/IEC 18013-5 Annex B",
        "key on P-256, P-384, P-521 or brainpool, hash of the signer's size",
        ask.strong,
    ),
    Rule(
        "MDOC-CERT-6.root",
        ("iaca",),
        "ISO/IEC 18013-5 Annex B",
        "no further critical extension",
        ask.only_critical(_CRITICAL_IN_AN_IACA),
    ),
    Rule(
        "MDOC-CERT-6.signer",
        ("document-signer",),
        "ISO/IEC 18013-5 Annex B",
        "no further critical extension",
        ask.only_critical(_CRITICAL_IN_A_SIGNER),
    ),
    Rule(
        "MDOC-CERT-7",
        ("document-signer",),
        "ISO/IEC 18013-5 Table B.7",
        "not marked for reader authentication (1.0.18013.5.1.6)",
        lambda c: MDOC_READER_AUTH not in c.eku(),
    ),
    # seals
    Rule(
        "SEAL-1",
        _SEALED,
        "ETSI EN 319 412-3 §4.2.1",
        "the subject names C, O, organizationIdentifier and CN, each once",
        lambda c: c.names("C", "O", "organizationIdentifier", "CN"),
    ),
    Rule(
        "SEAL-2",
        _SEALED,
        "ETSI TS 119 412-6 clause 8",
        "the address of the issuer's certificate (caIssuers) over http or https",
        lambda c: c.access(AuthorityInformationAccessOID.CA_ISSUERS),
    ),
    Rule(
        "SEAL-3",
        _SEALED,
        "ETSI TS 119 412-6 clause 8",
        "qcStatements with a QcPSB statement that can be read",
        lambda c: c.body() is not None,
    ),
    Rule(
        "SEAL-4",
        _SEALED,
        "TRUST 3, check B",
        "QcPSB states a law of the body's own country or of the EU",
        ask.body_of_its_country,
    ),
    Rule("SEAL-5", _SEALED, "ETSI EN 319 412-5", "what claims QcCompliance states QcSSCD and QcType too", ask.qualified),
    Rule(
        "SEAL-6",
        _SEALED,
        "HAIP 1.0 §6.1.1",
        "issued by an authority, not self-signed",
        lambda c: not self_signed(c.certificate),
    ),
    Rule("SEAL-7", _SEALED, "ETSI EN 319 412-2 §4.4", "can be withdrawn: CRL distribution point or OCSP", ask.withdrawable),
    # access certificates
    Rule(
        "WRPAC-1",
        ("access",),
        "ETSI TS 119 411-8 §5",
        "a certificate policy of access certificates",
        lambda c: any(p.policy_identifier in ACCESS_POLICIES.values() for p in ask.policies(c)),
    ),
    Rule(
        "WRPAC-2",
        ("access",),
        "ETSI TS 119 411-8 §6.6.1",
        "the subject names C, O, organizationIdentifier and CN",
        lambda c: c.names("C", "O", "organizationIdentifier", "CN"),
    ),
    Rule("WRPAC-3", ("access",), "ETSI TS 119 411-8 §6.6.1", "subjectAltName: at least one address, mail or phone", ask.reachable),
    Rule(
        "WRPAC-4",
        ("access",),
        "ETSI TS 119 411-8 §6.6.1",
        "no short-term certificate: CRL distribution point or OCSP",
        ask.withdrawable,
    ),
    Rule("WRPAC-5", ("access",), "ETSI TS 119 411-8 §6.6.1", "the address of the practice statement (cPSuri)", ask.practice),
    Rule("WRPAC-6", ("access",), "ARF 3.0 topic 6", "at least one signed certificate timestamp", ask.transparent, "warning"),
    # list signers
    Rule(
        "LIST-1",
        ("list-signer",),
        "ETSI TS 119 602 §6.8",
        "the subject names C and O: territory and operator of the list",
        lambda c: c.names("C", "O"),
    ),
    Rule(
        "LIST-2",
        ("list-signer",),
        "ETSI TS 119 612 §5.7.1",
        "key usage: digitalSignature or contentCommitment, nothing else",
        ask.signs_only,
    ),
    Rule("LIST-3", ("list-signer",), "ETSI TS 119 612 §5.7.1", "subject key identifier: SHA-1 of the key", ask.key_identifier),
    Rule(
        "LIST-4",
        ("list-signer",),
        "ETSI TS 119 612 §5.7.1",
        "extended key usage 0.4.0.2231.3.0",
        lambda c: TSL_SIGNING in c.eku(),
        "warning",
    ),
    # the others
    Rule(
        "STATUS-1",
        ("status",),
        "Token Status List §10",
        "extended key usage for signing status lists",
        lambda c: STATUS_SIGNING in c.eku(),
        "warning",
    ),
    Rule(
        "STATUS-2",
        ("status",),
        "TRUST 4",
        "the subject names the entity whose lists it signs: C, O, organizationIdentifier",
        lambda c: c.names("C", "O", "organizationIdentifier"),
    ),
    Rule(
        "PKI-1",
        _OTHERS,
        "RFC 5280 §4.2.1.9",
        "no CA",
        lambda c: not is_ca(c.certificate),
    ),
    Rule("PKI-2", _SIGNERS, "RFC 5280 §4.2.1.3", "key usage lets it sign, and nothing of an authority", ask.signs_only),
    Rule("PKI-3", (*_OTHERS, "authority"), "PROTOCOLS EAA-P-10", "EC key on a recommended curve, SHA-2 of its size", ask.strong),
    Rule(
        "PKI-4",
        (*_OTHERS, "authority"),
        "RFC 5280 §4.1.2.2",
        "version 3, serial number positive, random, at most 20 octets",
        ask.serial,
    ),
    Rule("PKI-5", (*LEAVES,), "RFC 5280 §6.1", "does not outlive its authority", ask.within_its_root, needs_issuer=True),
    Rule(
        "PKI-6",
        (*LEAVES,),
        "RFC 5280 §6.1",
        "signed by the authority",
        lambda c: c.issuer is not None and issued_by(c.certificate, c.issuer),
        needs_issuer=True,
    ),
    Rule(
        "PKI-7",
        ("authority",),
        "RFC 5280 §4.2.1.3",
        "a CA that may sign certificates and revocation lists",
        lambda c: is_ca(c.certificate) and {"key_cert_sign", "crl_sign"} <= c.usages(),
    ),
)
