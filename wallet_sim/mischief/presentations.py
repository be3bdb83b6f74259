"""What a hostile or broken wallet does when it presents."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any

from cbor2 import CBORTag
from cryptography.hazmat.primitives.asymmetric import ec

from vc.encoding import base64url, cbor, json
from vc.formats import Challenge
from vc.keys.signer import LocalSigner
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.sdjwt import disclosure
from vc.sdjwt import present as sd_jwt
from wallet_sim.mischief.rows import Mischief, not_applicable
from wallet_sim.seams import Part, PresentingSeams, present

SD_JWT, MDOC = ("dc+sd-jwt",), ("mso_mdoc",)


# --- the challenge ------------------------------------------------------------------------------------------------------------


def _other_challenge(change: Callable[[Challenge], Challenge]) -> Callable[[Part], str]:
    return lambda part: present(replace(part, challenge=change(part.challenge)))


def _stale_nonce(challenge: Challenge) -> Challenge:
    return replace(challenge, nonce=token_urlsafe(32))


def _wrong_audience(challenge: Challenge) -> Challenge:
    return replace(challenge, audience=f"x509_hash:{token_urlsafe(32)}")


def _wrong_transcript(challenge: Challenge) -> Challenge:
    return replace(challenge, response_uri=f"{challenge.response_uri}/elsewhere")


def _replay(part: Part) -> str:
    """What a verifier took before; when nothing was taken, what an eavesdropper of an earlier transaction would have."""
    if part.last is not None:
        return part.last
    return present(replace(part, challenge=_stale_nonce(part.challenge), now=part.now - timedelta(minutes=2)))


# --- keys and key binding -----------------------------------------------------------------------------------------------------


def _foreign_key(part: Part) -> str:
    return present(replace(part, holder=LocalSigner(ec.generate_private_key(part.holder.private_key.curve))))


def _old_key_binding(part: Part) -> str:
    return present(replace(part, now=part.now - timedelta(days=1)))


def _no_key_binding(part: Part) -> str:
    return sd_jwt.present(part.held, disclose=part.disclose)


def _without_signature(token: str) -> str:
    header, payload, _ = token.split(".")
    members = {**json.loads_object(base64url.decode(header)), "alg": "none"}
    return f"{base64url.encode(json.dumps(members))}.{payload}."


def _alg_none(part: Part) -> str:
    presented, _, binding = present(part).rpartition("~")
    return f"{presented}~{_without_signature(binding)}"


def _issuer_alg_none(part: Part) -> str:
    issued, rest = sd_jwt.present(part.held, disclose=part.disclose).split("~", 1)
    return _bind(f"{_without_signature(issued)}~{rest}", part)


def _bind(presentation: str, part: Part) -> str:
    """A sound key binding over whatever `presentation` is."""
    to = part.challenge
    return sd_jwt.bind(presentation, holder=part.holder, nonce=to.nonce, audience=to.audience, now=part.now)


# --- what is disclosed --------------------------------------------------------------------------------------------------------


def _altered_disclosure(part: Part) -> str:
    """One value changed after the issuer signed its digest; the key binding covers the change."""
    issued, *texts = sd_jwt.present(part.held, disclose=part.disclose).rstrip("~").split("~")
    for at, text in enumerate(texts):
        found = disclosure.parse(text)
        if isinstance(found.value, str):
            texts[at] = disclosure.make(b"altered by holder", found.name, f"{found.value} (altered)")
            return _bind("~".join((issued, *texts, "")), part)
    raise not_applicable("no text is disclosed that could be altered")


def _extra_disclosure(part: Part) -> str:
    """A genuine but hidden disclosure slipped in after the key binding was signed."""
    presented, _, binding = present(part).rpartition("~")
    shown = set(presented.split("~"))
    hidden = [text for text in part.held.split("~")[1:] if text and text not in shown]
    if not hidden:
        raise not_applicable("everything of the credential is asked for already")
    return "~".join((presented, hidden[0], binding))


def _unasked_claim(part: Part) -> str:
    """Everything of the credential is shown, soundly bound."""
    if part.format in MDOC:
        elements = _issuer_signed(part.held)["nameSpaces"]
        everything = {
            (namespace, cbor.loads(item.value)["elementIdentifier"]) for namespace in elements for item in elements[namespace]
        }
        return present(replace(part, disclose=frozenset(everything)))
    return _bind(sd_jwt.present(part.held), part)


def _missing_claim(part: Part) -> str:
    if not part.disclose:
        raise not_applicable("no claim is asked for that could be left out")
    length = 2 if part.format in MDOC else 1  # an mdoc element, or a claim with everything in it
    victim = min(part.disclose, key=repr)[:length]
    return present(replace(part, disclose=frozenset(path for path in part.disclose if path[:length] != victim)))


# --- mdoc ---------------------------------------------------------------------------------------------------------------------


def _altered_mdoc_item(part: Part) -> str:
    """The value of one disclosed element changed after the issuer signed its digest; the device signature is sound."""
    issuer_signed = _issuer_signed(part.held)
    for namespace, items in issuer_signed["nameSpaces"].items():
        for at, item in enumerate(items):
            content = cbor.loads(item.value)
            if (namespace, content["elementIdentifier"]) in part.disclose and isinstance(content["elementValue"], str):
                altered = {**content, "elementValue": f"{content['elementValue']} (altered)"}
                items[at] = CBORTag(24, cbor.dumps(altered))
                return present(replace(part, held=base64url.encode(cbor.dumps(issuer_signed))))
    raise not_applicable("no text is disclosed that could be altered")


def _two_documents(part: Part) -> str:
    response = cbor.loads(base64url.decode(present(part)))
    return base64url.encode(cbor.dumps({**response, "documents": response["documents"] * 2}))


def _issuer_signed(text: str) -> dict[str, Any]:
    value: dict[str, Any] = cbor.loads(base64url.decode(text))
    return value


# --- the envelope -------------------------------------------------------------------------------------------------------------


def _unencrypted(target: EncryptionTarget | None) -> None:
    if target is None:
        raise not_applicable("the request does not ask for an encrypted response")


def _foreign_request_key(target: EncryptionTarget | None) -> EncryptionTarget:
    if target is None:
        raise not_applicable("the request does not ask for an encrypted response")
    return replace(target, key=ec.generate_private_key(ec.SECP256R1()).public_key())


def _wrong_state(state: str | None) -> str:
    if state is None:
        raise not_applicable("the request carries no state")
    return token_urlsafe(32)


def _unknown_query_id(entries: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {**entries, "nobody-asked": next(iter(entries.values()))}


def _row(name: str, breaks: str, rule: str, expected: str, **seams: Any) -> Mischief:
    return Mischief(name=name, breaks=breaks, rule=rule, expected=expected, seams=PresentingSeams(**seams))


_HOLDER = "rejected: holder_binding"
_STRUCTURE = "rejected: structure"
_TURNED_AWAY = "HTTP 400"
PRESENTING: Mapping[str, Mischief] = {
    row.name: row
    for row in (
        _row("stale-nonce", "the presentation is bound to another nonce", "VP-SD-1, VP-MDOC-2", _HOLDER,
             present=_other_challenge(_stale_nonce)),
        _row("wrong-audience", "the presentation is bound to another client_id", "VP-SD-1, VP-CID-6", _HOLDER,
             present=_other_challenge(_wrong_audience)),
        _row("wrong-transcript", "the device signs a transcript with another response_uri", "VP-MDOC-2", _HOLDER,
             formats=MDOC, present=_other_challenge(_wrong_transcript)),
        _row("replay", "a presentation made for an earlier transaction is sent", "VP-RSP-8, V-7", _HOLDER, present=_replay),
        _row("double-post", "the same response is sent twice", "VP-RSP-6, R-7", "first taken, second HTTP 4xx", posts=2),
        _row("foreign-key", "another key than the credential's signs", "SDJ-10, MDOC-VER-7", _HOLDER, present=_foreign_key),
        _row("no-key-binding", "the key binding is left out", "VP-DCQL-7, SDJ-9", _HOLDER, formats=SD_JWT,
             present=_no_key_binding),
        _row("old-key-binding", "the key binding was made a day ago", "SDJ-10", _HOLDER, formats=SD_JWT,
             present=_old_key_binding),
        _row("alg-none", "the key binding is unsigned, alg none", "SDJ-10, J-7", _HOLDER, formats=SD_JWT, present=_alg_none),
        _row("issuer-alg-none", "the credential is unsigned, alg none", "SDJ-2, J-1", "rejected: issuer_signature", formats=SD_JWT,
             present=_issuer_alg_none),
        _row("altered-disclosure", "a disclosed value is changed", "SDJ-6, J-3", _STRUCTURE, formats=SD_JWT,
             present=_altered_disclosure),
        _row("extra-disclosure", "a disclosure is added after the key binding was signed", "SDJ-10, J-7", _HOLDER, formats=SD_JWT,
             present=_extra_disclosure),
        _row("unasked-claim", "more is disclosed than was asked for", "VP-DCQL-11, V-12",
             "accepted; what was not asked for is neither stored nor shown", present=_unasked_claim),
        _row("missing-claim", "a claim that was asked for is left out", "VP-DCQL-3, VP-DCQL-11", "rejected: query",
             present=_missing_claim),
        _row("altered-mdoc-item", "the value of a disclosed element is changed", "MDOC-VER-3, M-2", "rejected: issuer_signature",
             formats=MDOC, present=_altered_mdoc_item),
        _row("two-documents", "one DeviceResponse carries two documents", "VP-MDOC-6, M-9", _STRUCTURE, formats=MDOC,
             present=_two_documents),
        _row("unencrypted", "the response is sent plain though encryption is due", "VP-RSP-3, V-5", _TURNED_AWAY,
             target=_unencrypted),
        _row("foreign-request-key", "the response is encrypted to another key under the right kid", "VP-RSP-3, V-4", _TURNED_AWAY,
             target=_foreign_request_key),
        _row("wrong-state", "the response carries another state", "VP-REQ-9, V-3", _TURNED_AWAY, state=_wrong_state),
        _row("unknown-query-id", "a query that was not made is answered", "VP-RSP-1, VP-DCQL-5", "rejected: query",
             entries=_unknown_query_id),
    )
}  # fmt: skip
"""Misbehaviours of `present`, by name."""
