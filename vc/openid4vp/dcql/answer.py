"""The verifier's side: whether what came back is what was asked (OpenID4VP 1.0 §6.4, §8.6; VP-DCQL-3..7, -11)."""

from collections.abc import Mapping, Sequence

from vc.encoding.claims_path import Path, touches
from vc.errors import VerificationFailed
from vc.openid4vp.dcql.query import ClaimsQuery, CredentialQuery, DcqlQuery
from vc.openid4vp.dcql.view import View, find, misfit


def check_shape(query: DcqlQuery, counts: Mapping[str, int]) -> None:
    """Check which queries were answered, and how often, before any presentation is looked at. `counts`: presentations by query id.

    Raises `VerificationFailed`: `query_unknown_id`, `query_multiple` (more than one without `multiple`), `query_unanswered`
    (no option of a required set is complete), `query_unused_answer` (an answer outside every complete option).
    """
    wanted = query.by_id()
    for name, count in counts.items():
        if name not in wanted:
            raise VerificationFailed("query_unknown_id", "the response answers a query that was not made")
        if count != 1 and not (count > 1 and wanted[name].multiple):
            raise VerificationFailed("query_multiple", "a query got another number of presentations than one")
    used: set[str] = set()
    for credential_set in query.required_sets():
        complete = [option for option in credential_set.options if all(name in counts for name in option)]
        if not complete and credential_set.required:
            raise VerificationFailed("query_unanswered", "a required credential is missing in the response")
        used.update(name for option in complete for name in option)
    if not used.issuperset(counts):
        raise VerificationFailed("query_unused_answer", "a credential was sent that completes no option of the query")


def check_answer(query: DcqlQuery, answers: Mapping[str, Sequence[View]]) -> dict[str, tuple[Path, ...]]:
    """Check that verified presentations, by query id, answer the query as a whole.

    Returns, per query id, the disclosed paths nobody asked for: a policy finding, not to be stored or shown (SECURITY V-12).
    `View.bound` must say that the holder binding of that presentation was verified. Raises as `check_shape`, and
    `VerificationFailed`: `query_format`, `query_type`, `query_authority`, `query_holder_binding`, `query_claims` (no option of
    the claims is complete; a value other than the asked ones counts as absent).
    """
    check_shape(query, {name: len(views) for name, views in answers.items()})
    wanted = query.by_id()
    return {name: tuple(path for view in views for path in _check(wanted[name], view)) for name, views in answers.items()}


_SENTENCES = {
    "format": "a presentation has another format than the query",
    "type": "a credential is of a type that was not asked for",
    "authority": "a credential was not issued under an authority the query names",
    "holder_binding": "a presentation is not bound to its holder",
}


def _check(query: CredentialQuery, view: View) -> tuple[Path, ...]:
    reason = misfit(query, view)
    if reason is not None:
        raise VerificationFailed(f"query_{reason}", _SENTENCES[reason])
    complete = [option for option in query.options() if all(find(claim, view.claims) for claim in option)]
    if not complete:
        raise VerificationFailed("query_claims", "a claim that was asked for is missing or has another value")
    return min((_unasked(option, view) for option in complete), key=len)


def _unasked(option: Sequence[ClaimsQuery], view: View) -> tuple[Path, ...]:
    """Disclosed paths that are neither a claim of `option`, nor part of one, nor needed to reach one."""
    return tuple(path for path in sorted(view.disclosed, key=repr) if not any(touches(claim.path, path) for claim in option))
