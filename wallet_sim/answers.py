"""An issuer's answer that is not what was hoped for."""

from edge.outbound import Fetched
from vc.errors import Refused, Unreachable
from vc.openid4vci import errors


def refusal(answer: Fetched, what: str) -> Refused | Unreachable:
    """Its error: the issuer's own code when it gave one."""
    if answer.status >= 500:
        return Unreachable("issuer", f"the {what} endpoint answered with HTTP {answer.status}")
    if 300 <= answer.status < 400:
        return Refused("redirect", f"the {what} endpoint answered with an HTTP redirect, which is not followed")
    error = errors.parse(answer.body, status=answer.status)
    return Refused(error.error, f"the {what} endpoint answered with HTTP {answer.status}: {error.description}")
