"""Holding a certificate to the rules of its kind.

`error`: a reader may refuse the certificate. `warning`: recommended, or wanted by some readers. Rules about a leaf and its root
together are asked only when the root is given.
"""

from dataclasses import dataclass

from cryptography import x509

from pki.case import Case
from pki.rules import KINDS, RULES, Severity
from vc.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that is not kept."""

    rule: str
    severity: Severity
    clause: str
    text: str


def lint(certificate: x509.Certificate, kind: str, *, issuer: x509.Certificate | None = None) -> tuple[Finding, ...]:
    """What is wrong with `certificate` as one of `kind` (of `KINDS`), in the order of the rules. Raises `Refused("kind")`."""
    if kind not in KINDS:
        raise Refused("kind", f"kinds of certificates: {', '.join(KINDS)}")
    case = Case(certificate, issuer)
    return tuple(
        Finding(rule=rule.id, severity=rule.severity, clause=rule.clause, text=rule.text)
        for rule in RULES
        if kind in rule.kinds and (issuer is not None or not rule.needs_issuer) and not rule.holds(case)
    )
