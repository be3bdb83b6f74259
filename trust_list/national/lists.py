"""Is this seal qualified? Answered from accepted national lists: a value that reads neither clock nor network.

Asked are the certificate itself (qcStatements: qualified, for seals, key in a device) and the service that issued it (CA/QC, for
seals, granted both when the certificate was made and when it signed). What the lists cannot answer is open, never a yes and
never a no.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from trust_list.answers import AxisResult, Result, failed, not_checked, passed
from trust_list.model import write_time
from trust_list.national.model import Service, TrustedList
from vc.errors import Malformed
from vc.x509 import qc
from vc.x509.certificate import is_ca, issued_by, ski, spki

_FOR_SEALS_ONLY = bytes.fromhex("3009 0607 04008e46010602")
"""DER of QcType (ETSI EN 319 412-5 clause 4.2.3) with eseal and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalLists:
    """`as_of`: the moment for which this says what is known. `lotl`: None where the list of lists was never accepted. `missing`:
    why a country's list is not there, by territory."""

    as_of: datetime
    lotl: TrustedList | None
    lists: tuple[TrustedList, ...] = field(repr=False)
    missing: Mapping[str, str]

    def qualified(self, chain: tuple[x509.Certificate, ...], *, at: datetime) -> AxisResult:
        """Whether the seal of `chain[0]`, made at `at`, is qualified. Never raises for what was presented."""
        if self.lotl is None:
            return not_checked("lotl_never_accepted", "the list of trusted lists has not been accepted yet")
        if not self.lotl.current(self.as_of):
            return not_checked("lotl_expired", "the last accepted list of trusted lists has run out")
        unstated = _unstated(chain[0])
        if isinstance(unstated, AxisResult):
            return unstated
        answers = [
            _judge(service, known, chain[0], at, unstated)
            for known in self.lists
            if known.current(self.as_of)
            for service in known.services
            if _issued(service, chain)
        ]
        return _one(answers) or self._nothing(unstated)

    def _nothing(self, unstated: str) -> AxisResult:
        """No service of a usable list issued the certificate."""
        run_out = [known.territory for known in self.lists if not known.current(self.as_of)]
        open_ones = sorted({*run_out, *self.missing})
        if unstated:
            return failed("certificate_not_qualified", unstated)
        if open_ones:
            return not_checked("national_list_missing", f"no readable list names the issuer; not read: {', '.join(open_ones)}")
        return failed("service_not_listed", "no national trusted list names the service that issued the certificate")


def _one(answers: list[AxisResult]) -> AxisResult | None:
    """One service may stand in several entries: a yes counts unless another entry withdraws the same for seals."""
    results = {answer.code: answer for answer in answers}
    if "qualified_seal" in results and "service_withdrawn" in results:
        return not_checked("entries_contradict", "the national lists hold contradicting entries about the issuer")
    order = (Result.PASSED, Result.NOT_CHECKED, Result.FAILED)
    ranked = sorted(results.values(), key=lambda answer: (order.index(answer.result), answer.code == "service_not_for_seals"))
    return ranked[0] if ranked else None


def _unstated(leaf: x509.Certificate) -> AxisResult | str:
    """What the certificate leaves unsaid of being qualified for seals, as a sentence; empty when it says everything."""
    try:
        stated = qc.statements(leaf)
    except Malformed as exc:
        return failed(exc.code, exc.detail)
    if qc.QC_COMPLIANCE not in stated:
        return "the certificate does not state that it is qualified"
    if stated.get(qc.QC_TYPE) != _FOR_SEALS_ONLY:
        return "the certificate does not state that it is for seals"
    if qc.QC_SSCD not in stated:
        return "the certificate does not state that its key is in a qualified device"
    return ""


def _issued(service: Service, chain: tuple[x509.Certificate, ...]) -> bool:
    """Whether the key of the service signed the certificate, or a CA of the chain that leads to it.

    In a history a key may be named by its identifier alone; that is compared with the one computed from the presented key, whose
    signature is verified like any other."""
    for position, subject in enumerate(chain):
        if any(issued_by(subject, one) for one in service.certificates):
            return True
        if position + 1 == len(chain):
            return False
        above = chain[position + 1]
        if not is_ca(above) or not issued_by(subject, above):
            return False
        if ski(above) in service.identifiers or any(spki(above) == spki(one) for one in service.certificates):
            return True
    return False


def _judge(service: Service, known: TrustedList, leaf: x509.Certificate, at: datetime, unstated: str) -> AxisResult:
    """One entry, at both moments."""
    who = f"{service.name} of {service.provider} ({known.territory} list {known.sequence})"
    for moment, when in ((leaf.not_valid_before_utc, "when the certificate was made"), (at, "when it signed")):
        interval = service.at(moment)
        if interval is None:
            return failed("service_not_yet_listed", f"{who} was not listed yet {when}, {write_time(moment)}")
        if not interval.seals:
            return failed("service_not_for_seals", f"{who} was not for qualified certificates for seals {when}")
        if not interval.granted:
            return failed("service_withdrawn", f"{who} was not granted {when}, {write_time(moment)}")
        if not interval.plain:
            return not_checked("qualifiers_not_read", f"{who} was under conditions {when} that are not read here")
        if unstated and interval.qualifiers:
            return not_checked("qualifiers_not_read", f"{unstated}, and conditions of {who} that may say so are not read here")
    if unstated:
        return failed("certificate_not_qualified", unstated)
    return passed("qualified_seal", f"{who} was granted for seals when the certificate was made and when it signed")
