"""The same verdict on an artefact from a file: credential, presentation, or status list token, with or without a challenge."""

from dataclasses import dataclass
from datetime import date, datetime

from vc.errors import VcError
from vc.formats import Challenge, Kind, TranscriptChallenge, detect
from verifier import checks
from verifier.list_token import check_list
from verifier.purposes import Purpose
from verifier.report import describe
from verifier.sources import Control, Shown, StatusSource, TrustSource
from verifier.status import SignerJudge
from verifier.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One artefact and the question about it. Without `purpose` any document we know will do; its own rules are used."""

    artefact: bytes
    on: date
    now: datetime
    purpose: Purpose | None = None
    country: str | None = None
    challenge: Challenge | TranscriptChallenge | None = None


def check(case: Case, *, trust: TrustSource, status: StatusSource, judge: SignerJudge) -> Verdict:
    """The verdict; whatever is in the artefact, there is one (R-17)."""
    try:
        found = detect(case.artefact)
    except VcError as error:
        return checks.refused("structure", "presentation_malformed", describe(error))
    if found.format is None:
        return check_list(found, judge=judge, now=case.now)
    shown = Shown(role="document", format=found.format, text=found.text, issued=found.kind is Kind.ISSUER_SIGNED)
    return checks.run(
        [shown],
        control=Control(purpose=case.purpose, country=case.country, on=case.on, now=case.now),
        challenge=_usable(case.challenge, found.format),
        trust=trust,
        status=status,
    )


def _usable(challenge: Challenge | TranscriptChallenge | None, format: str) -> Challenge | TranscriptChallenge | None:
    """The challenge if the format can be checked against it: an mdoc is also bound to the response URI (OpenID4VP 1.0 §B.2.6.1)."""
    incomplete = format == "mso_mdoc" and isinstance(challenge, Challenge) and not challenge.response_uri
    return None if incomplete else challenge
