"""DCQL (OpenID4VP 1.0 §6): the query, what a wallet can answer, and whether an answer fits."""

from vc.openid4vp.dcql.answer import check_answer, check_shape
from vc.openid4vp.dcql.match import Candidate, Matches, match
from vc.openid4vp.dcql.query import ClaimsQuery, CredentialQuery, CredentialSet, DcqlQuery, TrustedAuthority, parse
from vc.openid4vp.dcql.view import View, authority_keys

__all__ = [
    "Candidate",
    "ClaimsQuery",
    "CredentialQuery",
    "CredentialSet",
    "DcqlQuery",
    "Matches",
    "TrustedAuthority",
    "View",
    "authority_keys",
    "check_answer",
    "check_shape",
    "match",
    "parse",
]
