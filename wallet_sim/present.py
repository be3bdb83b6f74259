"""Presenting: from the link to the verifier's answer (OpenID4VP 1.0), one step after the other.

 1 read the link              4 match the query with what is held     7 build the presentations
 2 fetch the signed request   5 choose                                8 send the response
 3 verify it, believe it,     6 ask the user                          9 read the answer
   and its registration
Nothing is disclosed before step 8, and nothing is sent anywhere when 1 to 3 fail.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from edge.outbound import Fetched
from vc import formats
from vc.clock import Clock
from vc.encoding.claims_path import Path, touches
from vc.errors import Malformed, Refused, Unreachable, VcError
from vc.formats import Credential
from vc.keys.signer import LocalSigner
from vc.openid4vp import challenge, dcql, link, request_uri, response
from vc.openid4vp import request as messages
from vc.openid4vp.client_metadata import EncryptionTarget
from vc.openid4vp.dcql import View, authority_keys
from vc.openid4vp.errors import authorization_error
from vc.openid4vp.link import RequestLink
from vc.openid4vp.request import AuthorizationRequest
from vc.x509.certificate import public_key
from wallet_sim import consent, mischief
from wallet_sim.consent import Ask, Shown
from wallet_sim.holdings import Holding, Store
from wallet_sim.mischief import Mischief
from wallet_sim.seams import HONEST, Part
from wallet_sim.seams import present as honestly
from wallet_sim.transcript import Wire, json_object
from wallet_sim.verifier_trust import VerifierTrust

_REQUEST_TYPES = (messages.CONTENT_TYPE, "application/jwt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What happened. `status`: HTTP status of the last answer, `answer` its JSON object; `disclosed`: claim names by query id."""

    client_id: str
    verifier: str
    status: int
    answer: Mapping[str, Any]
    disclosed: Mapping[str, Sequence[str]]
    credentials: Mapping[str, int]
    encrypted: bool
    misbehaviour: str | None
    statuses: tuple[int, ...] = field(default=())

    @property
    def taken(self) -> bool:
        """True when the verifier took every response that was sent."""
        return all(status == 200 for status in self.statuses)


class Presenter:
    """A wallet ready to present. `anchors`: the access certificate authorities it knows. `trust`: asks for registrations; without,
    the wallet knows no registrar."""

    def __init__(
        self,
        store: Store,
        wire: Wire,
        *,
        anchors: Sequence[x509.Certificate],
        clock: Clock,
        ask: Ask,
        trust: VerifierTrust | None = None,
    ) -> None:
        self._store, self._wire, self._anchors, self._clock, self._ask = store, wire, anchors, clock, ask
        self._trust = trust or VerifierTrust(clock=clock)

    def present(self, text: str, *, misbehave: Mischief | None = None) -> Presented:
        """Answer the request behind the link `text`, dishonestly when told to.

        Raises `Malformed`, `Refused`, `VerificationFailed` (nothing was disclosed), `Unreachable`, and
        `Refused("mischief_not_applicable")` when the misbehaviour has no place in this request.
        """
        found = link.parse(text)  # 1
        request = self._request(found)  # 2, 3
        self._trust.check(self._wire, request)
        if misbehave is not None:
            self._wire.transcript.note("misbehaviour", name=misbehave.name, rule=misbehave.rule)
        try:
            chosen = self._choose(request)  # 4, 5
            if not self._ask(consent.describe(request, [shown for shown, _ in chosen])):  # 6
                raise Refused("declined", "the user does not agree")
        except Refused as refusal:
            self._refuse(request, refusal)
            raise
        self._wire.transcript.note("consent", given=True, verifier=consent.verifier_name(request))
        return self._send(request, chosen, misbehave)  # 7, 8, 9

    def _request(self, found: RequestLink) -> AuthorizationRequest:
        """Fetch and verify the request object (VP-REQ-5, -7)."""
        key = ec.generate_private_key(ec.SECP256R1())
        wallet_nonce: str | None = None
        accept = {"accept": messages.CONTENT_TYPE}
        if found.method == "post":
            wallet_nonce = secrets.token_urlsafe(24)
            mine = EncryptionTarget(key=key.public_key(), kid="wallet")
            form = request_uri.build_form(wallet_nonce=wallet_nonce, encryption=mine)
            fetched = self._wire.post(found.request_uri, form=form, headers=accept)
        else:
            fetched = self._wire.get(found.request_uri, headers=accept)
        if fetched.status != 200:
            raise Unreachable("request_uri", f"the request could not be fetched: HTTP {fetched.status}")
        if fetched.media_type not in _REQUEST_TYPES:
            raise Malformed("content_type", f"the request is not served as {messages.CONTENT_TYPE}")
        token = request_uri.open_request(fetched.body, find_key=lambda kid: key if kid == "wallet" and wallet_nonce else None)
        request = messages.verify(
            token,
            outer_client_id=found.client_id,
            wallet_nonce=wallet_nonce,
            anchors=self._anchors,
            now=self._clock(),
            allow_http_loopback=True,  # the destination itself is judged by `Outbound`
        )
        self._wire.transcript.note("request verified", client_id=request.client.full, verifier=consent.verifier_name(request))
        return request

    def _choose(self, request: AuthorizationRequest) -> list[tuple[Shown, View]]:
        held = {str(holding.number): holding for holding in reversed(self._store.holdings())}  # newest first
        views = {number: view(holding) for number, holding in held.items()}
        offered = request.client_metadata
        usable = {
            number: seen
            for number, seen in views.items()
            if offered.accepts(seen.format, issuer_alg=None, holder_alg=_holder_algorithm(held[number]))
        }
        matches = dcql.match(request.query, usable)
        self._wire.transcript.note(
            "match",
            candidates={name: [candidate.held for candidate in found] for name, found in matches.candidates.items()},
            misfits=matches.misfits,
        )
        return [
            (Shown(query_id=name, holding=held[candidate.held], paths=candidate.disclose), views[candidate.held])
            for name, candidates in matches.choose().items()
            for candidate in candidates
        ]

    def _send(self, request: AuthorizationRequest, chosen: list[tuple[Shown, View]], misbehave: Mischief | None) -> Presented:
        seams = HONEST if misbehave is None else misbehave.seams
        target = seams.target(request.client_metadata.encryption if request.encrypted else None)
        bound_to = challenge.of_request(request.claims, encrypted_to=None if target is None else target.key)
        if not any(shown.holding.format in seams.formats for shown, _ in chosen):
            raise mischief.not_applicable(f"no credential of the format {' or '.join(seams.formats)} is asked for")
        entries: dict[str, list[str]] = {}
        sent: list[tuple[int, int, str]] = []
        for shown, seen in chosen:
            index, copy = self._store.claim_copy(shown.holding.number)
            part = Part(
                format=shown.holding.format,
                held=copy.credential,
                holder=LocalSigner(copy.key),
                disclose=_selective(shown.paths, seen),
                challenge=bound_to,
                now=self._clock(),
                last=copy.last or next((other.last for other in shown.holding.copies if other.last), None),
            )
            make = seams.present if shown.holding.format in seams.formats else honestly
            presentation = make(part)
            entries.setdefault(shown.query_id, []).append(presentation)
            sent.append((shown.holding.number, index, presentation))
        answers = self._post(request, seams.entries(entries), target, seams.state(request.state), seams.posts)
        last = answers[-1]
        if misbehave is None and last.status == 200:  # only what a verifier took is worth replaying
            for number, index, presentation in sent:
                self._store.remember(number, index, presentation)
        return Presented(
            client_id=request.client.full,
            verifier=consent.verifier_name(request),
            status=last.status,
            answer=_answer(last),
            disclosed=consent.disclosed([shown for shown, _ in chosen]),
            credentials={shown.query_id: shown.holding.number for shown, _ in chosen},
            encrypted=target is not None,
            misbehaviour=None if misbehave is None else misbehave.name,
            statuses=tuple(answer.status for answer in answers),
        )

    def _post(
        self,
        request: AuthorizationRequest,
        entries: Mapping[str, list[str]],
        target: EncryptionTarget | None,
        state: str | None,
        posts: int,
    ) -> list[Fetched]:
        if target is None:
            form = response.build_plain(entries, state=state)
        else:
            enc = request.client_metadata.content_encryption()
            form = response.build_encrypted(entries, state=state, to=target, enc=enc)
        return [self._wire.post(request.response_uri, form=form) for _ in range(posts)]

    def _refuse(self, request: AuthorizationRequest, refusal: Refused) -> None:
        """Tell a verifier whose request was sound why nothing comes (OpenID4VP 1.0 §8.5); its answer changes nothing."""
        error = authorization_error(refusal)
        self._wire.transcript.note("refused", code=refusal.code, error=error)
        try:
            self._wire.post(request.response_uri, form=response.build_error(error, state=request.state))
        except VcError as failure:
            self._wire.transcript.note("error response not delivered", code=failure.code)


def view(holding: Holding) -> View:
    """The holding as a query sees it; its first copy stands for all."""
    credential = open_copy(holding, 0)
    also = credential.claims.get("aka_vcts", ())
    others = [name for name in also if isinstance(name, str)] if isinstance(also, list) else []
    ours = holding.copies[0].key.public_key()
    return View(
        format=credential.format,
        type_ids=frozenset({credential.type_id, *others}),
        claims=credential.claims,
        disclosed=credential.disclosed,
        bound=credential.holder == ours,
        authority_keys=authority_keys(credential.chain),
    )


def open_copy(holding: Holding, index: int) -> Credential:
    """One copy taken apart and its signature checked again with its own certificate; the issuer was judged when it came."""
    unverified = formats.parse_issued(holding.format, holding.copies[index].credential)
    if not unverified.chain:
        raise Malformed("x5c", "the stored credential carries no certificate")
    return unverified.verify_issuer(public_key(unverified.chain[0]))


def _selective(paths: frozenset[Path], seen: View) -> frozenset[Path]:
    """Those of `paths` that are disclosed selectively; the rest is always shown."""
    return frozenset(path for path in paths if any(touches(path, at) for at in seen.disclosed))


def _holder_algorithm(holding: Holding) -> str | int:
    row = LocalSigner(holding.copies[0].key).curve
    return row.alg if holding.format == "dc+sd-jwt" else row.cose_alg


def _answer(fetched: Fetched) -> Mapping[str, Any]:
    """The verifier's JSON object; a redirect or another type is reported, not followed or read (VP-RSP-4, VP-REQ-13)."""
    if 300 <= fetched.status < 400:
        raise Refused("redirect", "the verifier answered with an HTTP redirect, which is not followed")
    try:
        answer = json_object(fetched, what="verifier's")
    except VcError as error:
        if fetched.status == 200:
            raise
        return {"error": error.code}
    back = answer.get("redirect_uri")
    if back is not None and (not isinstance(back, str) or not urlsplit(back).scheme):
        raise Malformed("redirect_uri", "the verifier's redirect_uri is not an absolute address")
    return answer
