"""Whether the issuer of a received credential stands on the trust list, when the wallet knows a trust root."""

from datetime import datetime

from trust_list.client import TrustClient
from trust_list.decide import Outcome, TrustQuery, evaluate
from vc.clock import Clock
from vc.documents import catalogue
from vc.errors import Unreachable, VcError, VerificationFailed
from vc.formats import Credential

_LISTS = {"pid": "pid"}
_OTHERS = "pub-eaa"


class Unjudged:
    """Without a trust root: the signature was checked, who signed is not known, and that is said."""

    def judge(self, credential: Credential) -> str:
        """See `IssuerJudge.judge`."""
        return "not checked: no trust root was given"


class ListJudge:
    """Asks the lists of one trust root."""

    def __init__(self, client: TrustClient, clock: Clock) -> None:
        self._client, self._clock = client, clock

    def judge(self, credential: Credential) -> str:
        """See `IssuerJudge.judge`. A document no declaration knows has no list to be looked up on: `Refused` by the catalogue."""
        now: datetime = self._clock()
        document = catalogue.recognise(credential.format, credential.type_id, credential.claims).normalise(credential.claims)
        decision = evaluate(
            TrustQuery(
                list_id=_LISTS.get(document.type, _OTHERS),
                role="issuance",
                format=credential.format,
                type_id=credential.type_id,
                attestation_type=document.type,
                chain=credential.chain,
                issuing_country=document.issuing_country,
                institution_ids=document.institution_ids,
                t_issue=credential.issued_at,
                t_now=now,
            ),
            self._client.refresh(),
        )
        if decision.outcome is Outcome.TRUSTED:
            return f"{decision.entity_name} ({decision.entity_country})"
        said = "; ".join(reason.text for reason in decision.reasons)
        if decision.outcome is Outcome.INDETERMINATE:
            raise Unreachable("trust_list", f"whether the issuer is to be trusted cannot be determined: {said}")
        raise _refusal(decision.outcome, said)


def _refusal(outcome: Outcome, said: str) -> VcError:
    return VerificationFailed("issuer_not_trusted", f"{outcome}: {said}")
