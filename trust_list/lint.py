"""Everything that is wrong with one list, at once: seal, JSON, structure, schema, profile, and succession to an earlier edition.

Pure. A reader stops at the first fault (`accept`); an author wants all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cryptography import x509
from pydantic import ValidationError

from trust_list import editions, etsi_schema, findings, jades_profiles, model
from trust_list.finding import Finding, error, warning
from trust_list.jades import MAX_JWS
from trust_list.jades_profiles import HeaderProfile
from trust_list.model import LoTE
from trust_list.profiles import Profile
from vc.encoding import json
from vc.errors import VcError
from vc.jose import jws
from vc.keys.ec import ALGORITHMS, curve_of, verify_raw
from vc.x509.certificate import from_x5c, public_key
from vc.x509.profiles import LIST_SIGNER, check_leaf

_CLAUSES = {
    "LoTEVersionIdentifier": "6.3.1", "LoTESequenceNumber": "6.3.2", "LoTEType": "6.3.3", "SchemeOperatorName": "6.3.4",
    "SchemeOperatorAddress": "6.3.5", "SchemeName": "6.3.6", "SchemeInformationURI": "6.3.7",
    "StatusDeterminationApproach": "6.3.8", "SchemeTypeCommunityRules": "6.3.9", "SchemeTerritory": "6.3.10",
    "PolicyOrLegalNotice": "6.3.11", "HistoricalInformationPeriod": "6.3.12", "PointersToOtherLoTE": "6.3.13",
    "PointerToOtherLoTE": "6.3.13", "ListIssueDateTime": "6.3.14", "NextUpdate": "6.3.15", "DistributionPoints": "6.3.16",
    "SchemeExtensions": "6.3.17", "ListAndSchemeInformation": "6.3.0", "TrustedEntitiesList": "6.4",
    "TrustedEntityInformation": "6.5", "TEName": "6.5.1", "TETradeName": "6.5.2", "TEAddress": "6.5.3", "TEInformationURI": "6.5.4",
    "TEInformationExtensions": "6.5.5", "ServiceInformation": "6.6.0", "ServiceTypeIdentifier": "6.6.1", "ServiceName": "6.6.2",
    "ServiceDigitalIdentity": "6.6.3", "ServiceStatus": "6.6.4", "StatusStartingTime": "6.6.5",
    "SchemeServiceDefinitionURI": "6.6.6", "ServiceSupplyPoints": "6.6.7", "ServiceDefinitionURI": "6.6.8",
    "ServiceInformationExtensions": "6.6.9", "ServiceHistory": "6.7",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A finding and the part it is in: the `seal` (pointer below the protected header) or the `list` (pointer of the JSON)."""

    part: Literal["seal", "list"]
    finding: Finding

    @property
    def path(self) -> str:
        """The JSON pointer in its part; empty for the whole."""
        return self.finding.pointer


def lint(
    data: bytes,
    profile: Profile,
    *,
    headers: HeaderProfile = HeaderProfile.BASELINE,
    signer: x509.Certificate | None = None,
    previous: LoTE | None = None,
) -> tuple[Fault, ...]:
    """All faults of `data`, the JSON of a list or a sealed list.

    `signer`: who sealed or will seal it, for seals that carry no certificate and for clause 6.8. `previous`: the edition before.
    """
    faults: list[Fault] = []
    payload = data
    if not data.lstrip().startswith(b"{"):
        try:
            unverified = jws.parse(data.decode("ascii").strip("\r\n"), max_length=MAX_JWS)
        except (VcError, UnicodeDecodeError):
            text = "neither the JSON of a list nor one compact JWS"
            return (Fault(part="seal", finding=error("jws", "6.8.0", "", text)),)
        found, signer = _seal(unverified, headers, signer)
        faults += [Fault(part="seal", finding=item) for item in found]
        payload = unverified.payload
    faults += [Fault(part="list", finding=item) for item in _list(payload, profile, signer, previous)]
    return tuple(faults)


def _seal(
    unverified: jws.UnverifiedJws, headers: HeaderProfile, signer: x509.Certificate | None
) -> tuple[list[Finding], x509.Certificate | None]:
    """The faults of a seal, and the certificate it is by. Whether that is the right one is for a trust root to say."""
    found = list(jades_profiles.check(unverified.header, headers))
    try:
        carried = from_x5c(unverified.header["x5c"])[0] if "x5c" in unverified.header else None
    except VcError as exc:
        return [*found, error(exc.code, "TS 119 182-1, 5.1.8", "/x5c", exc.detail)], signer
    certificate = signer or carried
    if certificate is None:
        text = "the seal carries no certificate and none is given: its signature was not checked"
        return [*found, warning("not_checked", "6.8.0", "", text)], None
    alg = unverified.header.get("alg")
    if alg not in ALGORITHMS or alg != curve_of(public_key(certificate)).alg:
        return [
            *found,
            error("alg", "TS 119 182-1, 5.1.2", "/alg", "the algorithm is not allowed or not that of the key"),
        ], certificate
    try:
        check_leaf(certificate, LIST_SIGNER)
        verify_raw(public_key(certificate), unverified.signature, unverified.signing_input)
    except VcError as exc:
        found.append(error(exc.code, "6.8.0", "", exc.detail))
    return found, certificate


def _list(payload: bytes, profile: Profile, signer: x509.Certificate | None, previous: LoTE | None) -> Iterator[Finding]:
    try:
        document = json.loads_object(payload, max_bytes=model.MAX_LIST)
    except VcError as exc:
        yield error(exc.code, "Annex A.1", exc.pointer, exc.detail)
        return
    structure = tuple(_structure(document))
    yield from structure
    if structure:
        return
    lote = model.parse(payload)
    for pointer, message in etsi_schema.faults(document):
        if not (pointer.endswith("/NextUpdate") and lote.scheme.NextUpdate is None):  # the text allows null and prevails
            yield error("schema", "Annex A.1", pointer, message[:200])
    found = findings.check(lote, profile, signer=signer)
    if previous is not None:
        found = (*found, *editions.succession(previous, lote, profile))
    for item in found:
        yield Finding(severity=item.severity, code=item.code, clause=item.clause, pointer=f"/LoTE{item.pointer}", text=item.text)


def _structure(document: dict[str, Any]) -> Iterator[Finding]:
    """Every place where the JSON is not a list, with the clause of the nearest member."""
    try:
        model.Document.model_validate(document)
    except ValidationError as exc:
        for fault in exc.errors(include_url=False, include_context=False, include_input=False):
            steps = [str(step) for step in fault["loc"]]
            clause = next((_CLAUSES[step] for step in reversed(steps) if step in _CLAUSES), "6.2")
            yield error("structure", clause, "".join(f"/{step}" for step in steps), fault["msg"])
