"""The wallet's side: which held credentials answer a query, and with which claims (OpenID4VP 1.0 §6.4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from vc.encoding.claims_path import Path
from vc.errors import Refused
from vc.openid4vp.dcql.query import MSO_MDOC, CredentialQuery, DcqlQuery
from vc.openid4vp.dcql.view import View, find, misfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """`held`: the wallet's own id of the credential. `disclose`: concrete paths, (namespace, element) for mdoc; may be empty."""

    held: str
    disclose: frozenset[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """`candidates`: for every credential query, held credentials that answer it, in the wallet's order.

    `misfits`: for every credential query, why each other one does not: `format`, `type`, `authority`, `holder_binding`, `claims`.
    """

    query: DcqlQuery
    candidates: Mapping[str, tuple[Candidate, ...]]
    misfits: Mapping[str, Mapping[str, str]]

    def choose(self) -> dict[str, tuple[Candidate, ...]]:
        """What to answer: for each query id of the preferred satisfiable options the candidates, one unless `multiple`.

        Optional sets are answered when possible. Raises `Refused("dcql_unsatisfied")` when a required set cannot be: then
        nothing at all is returned (VP-DCQL-5).
        """
        chosen: dict[str, tuple[Candidate, ...]] = {}
        for wanted in self.query.required_sets():
            option = next((names for names in wanted.options if all(self.candidates[name] for name in names)), None)
            if option is None and wanted.required:
                raise Refused("dcql_unsatisfied", "no held credentials answer a required part of the query")
            for name in option or ():
                candidates = self.candidates[name]
                chosen[name] = candidates if self.query.by_id()[name].multiple else candidates[:1]
        return chosen


def match(query: DcqlQuery, held: Mapping[str, View]) -> Matches:
    """Match every credential query against every held credential; `held` is keyed by the wallet's own ids, preferred first.

    In a `View` of a held credential `bound` says that the wallet has the key the credential is bound to.
    """
    candidates: dict[str, tuple[Candidate, ...]] = {}
    misfits: dict[str, dict[str, str]] = {}
    for wanted in query.credentials:
        fitting, misfits[wanted.id] = [], {}
        for name, view in held.items():
            reason = misfit(wanted, view)
            disclose = None if reason else _disclose(wanted, view)
            if disclose is None:
                misfits[wanted.id][name] = reason or "claims"
            else:
                fitting.append(Candidate(held=name, disclose=disclose))
        candidates[wanted.id] = tuple(fitting)
    return Matches(query=query, candidates=candidates, misfits=misfits)


def _disclose(query: CredentialQuery, view: View) -> frozenset[Path] | None:
    """Paths of the first option all of whose claims are there (§6.4.1: all of them or nothing); None when there is none."""
    for option in query.options():
        found = [find(claim, view.claims) for claim in option]
        if all(found):
            paths = frozenset(path for paths in found for path in paths)
            return frozenset(path[:2] for path in paths) if query.format == MSO_MDOC else paths
    return None
