"""The story as a list of steps: what is done, what must come out. Each step runs on real services, asked from outside."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from demo import documents
from demo.actors import Clerk, Holder, Inspector, now
from demo.processes import Running, Service
from demo.state import DemoError, State
from demo.world import HAIP_INSTITUTION, PID_PROVIDER
from trust_list import authoring
from trust_list.store import Publisher
from vc.errors import Refused, VcError
from wallet_sim.contents import Holding

SD_JWT, MDOC = "dc+sd-jwt", "mso_mdoc"
_BOTH = (SD_JWT, MDOC)
_SHORT_LIFE = timedelta(seconds=8)
"""How long the edition lives that the list server leaves behind when it goes down."""
_REFRESH = 1.2
"""Seconds after which the demo's verifier asks for a new edition (`trust.refresh_seconds`), and a little more."""
_PATIENCE = 30.0
"""Seconds within which the verifier asks again after an outage: it doubles its pause with each failure."""
_STATUS_TTL = 1.2
"""Seconds after which the demo's verifier asks for a status list again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `ms`: wall time of the step."""

    step: str
    expected: str
    got: str
    ms: int

    @property
    def as_expected(self) -> bool:
        return self.got == self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything a step may touch."""

    state: State
    clerk: Clerk
    holder: Holder
    attested: Holder
    inspector: Inspector
    running: Running
    list_server: Service
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`act` does it and says what came out, in the words of `expected`."""

    name: str
    expected: str
    act: Callable[[Stage], str]


def play(stage: Stage) -> Iterator[Row]:
    """Run every step; one that fails tells why in its row, and the rest goes on."""
    for step in STEPS:
        begun = time.perf_counter()
        try:
            got = step.act(stage)
        except (VcError, DemoError) as exc:
            got = f"failed: {exc}"
        yield Row(step=step.name, expected=step.expected, got=got, ms=round((time.perf_counter() - begun) * 1000))


# --- issuing ------------------------------------------------------------------------------------------------------------------


def _receive(institution: str, document: Callable[[date], dict[str, Any]]) -> Callable[[Stage], str]:
    def act(stage: Stage) -> str:
        document_id = stage.clerk.create(institution, document(stage.today))
        offer = stage.clerk.offer(institution, document_id, _BOTH)
        return _held(stage.holder.receive(offer["credential_offer_uri"], tx_code=offer["tx_code"]))

    return act


def _pid(stage: Stage) -> str:
    document_id = stage.clerk.create(PID_PROVIDER, {"identity": dict(documents.IDENTITY), "document_data": {}, "type": "pid"})
    offer = stage.clerk.offer(PID_PROVIDER, document_id, _BOTH)
    return _held(stage.holder.receive(offer["credential_offer_uri"], tx_code=offer["tx_code"]))


# --- high assurance: people sign in, wallets are attested, messages are encrypted ---------------------------------------------

_COPIES = 3
_HAIP_CONFIGURATIONS = ("pda1_dc4eu-2_sd_jwt", "eu.europa.ec.eudi.pda1_mdoc")


def _attested_pid(stage: Stage) -> str:
    document_id = stage.clerk.create(PID_PROVIDER, {"identity": dict(documents.IDENTITY), "document_data": {}, "type": "pid"})
    offer = stage.clerk.offer(PID_PROVIDER, document_id, _BOTH)
    return _held(stage.attested.receive(offer["credential_offer_uri"], tx_code=offer["tx_code"]))


def _signed_in(stage: Stage) -> str:
    """The institution has the document; the person asks for it, signing in with the PID at our verifier."""
    stage.clerk.create(HAIP_INSTITUTION, documents.pda1(stage.today, authority=documents.AUSTRIAN))
    received = _request(stage)
    return ", ".join(f"{len(one.copies)} x {one.format}" for one in sorted(received, key=lambda one: one.format))


def _request(stage: Stage, *, misbehave: str | None = None, copies: int = _COPIES) -> list[Holding]:
    issuer = stage.clerk.credential_issuer(HAIP_INSTITUTION)
    return stage.attested.request(issuer, _HAIP_CONFIGURATIONS, copies=copies, misbehave=misbehave)


def _renewed(stage: Stage) -> str:
    return f"{len(stage.attested.renew(_FIRST_A1, copies=_COPIES).copies)} new copies"


_FIRST_A1 = 3
"""Its number in the attested wallet, after the PID in two formats."""


def _refused(misbehave: str) -> Callable[[Stage], str]:
    """Ask once more, breaking one rule; what the issuer says."""

    def act(stage: Stage) -> str:
        try:
            _request(stage, misbehave=misbehave)
        except Refused as refusal:
            return f"refused: {refusal.code}"
        return "taken"

    return act


def _present_attested(stage: Stage) -> str:
    link, transaction = stage.inspector.ask("a1-inspection", host_country=documents.HOST_COUNTRY, format=SD_JWT)
    stage.attested.present(link)
    return told(stage.inspector.verdict(transaction))


def _held(formats: list[str]) -> str:
    return f"held: {', '.join(sorted(formats))}"


# --- presenting ---------------------------------------------------------------------------------------------------------------


def _present(purpose: str, *, misbehave: str | None = None, day: int | None = None, **asked: Any) -> Callable[[Stage], str]:
    """Ask, present, read. `day`: of the inspection, counted from the last day of cover."""

    def act(stage: Stage) -> str:
        if day is not None:
            asked["on"] = (documents.last_day(stage.today) + timedelta(days=day)).isoformat()
        link, transaction = stage.inspector.ask(purpose, **asked)
        stage.holder.present(link, misbehave=misbehave)
        return told(stage.inspector.verdict(transaction))

    return act


def told(verdict: dict[str, Any]) -> str:
    """A verdict in one line: outcome, and the checks that did not pass where it is not accepted."""
    outcome = str(verdict["outcome"])
    if outcome.startswith("accept"):
        return outcome
    failed = dict.fromkeys(check["id"].removeprefix("pid.") for check in verdict["checks"] if check["result"] == "failed")
    return f"{outcome}: {', '.join(failed) or ', '.join(reason['code'] for reason in verdict['reasons'])}"


# --- what happens to lists and documents --------------------------------------------------------------------------------------


def _list_server_down(stage: Stage) -> str:
    """Leave a short-lived edition behind, let the verifier take it, and stop the server."""
    authoring.publish(stage.state.trust_list, "pub-eaa", now=now(), valid_for=_SHORT_LIFE)
    time.sleep(_REFRESH)
    outcome = _EHIC(stage)
    stage.running.stop(stage.list_server.name)
    return outcome


def _list_run_out(stage: Stage) -> str:
    edition = Publisher(stage.state.trust_list).latest("pub-eaa")
    if edition is None or edition.lote.scheme.NextUpdate is None:
        raise DemoError("the list server has published nothing")
    time.sleep(max(0.0, (edition.lote.scheme.NextUpdate - datetime.now(UTC)).total_seconds()) + 0.1)
    return _EHIC(stage)


def _list_server_back(stage: Stage) -> str:
    authoring.publish(stage.state.trust_list, "pub-eaa", now=now())
    stage.running.start([stage.list_server])
    deadline = time.monotonic() + _PATIENCE
    while (seen := _EHIC(stage)) != "accept" and time.monotonic() < deadline:
        time.sleep(_REFRESH)
    return seen


def _issuer_removed(stage: Stage) -> str:
    entity = stage.clerk.registration_id("fr-cnam")
    authoring.withdraw(stage.state.trust_list, "pub-eaa", entity, reason="demonstration", now=now())
    time.sleep(_REFRESH)
    return _EHIC(stage)


def _revoked(stage: Stage) -> str:
    document_id = stage.clerk.create("fr-urssaf", documents.pda1(stage.today, number=2))
    offer = stage.clerk.offer("fr-urssaf", document_id, (SD_JWT,))
    stage.holder.receive(offer["credential_offer_uri"], tx_code=offer["tx_code"])
    stage.clerk.revoke("fr-urssaf", document_id)
    time.sleep(_STATUS_TTL)
    return _A1(stage)


_A1 = _present("a1-inspection", host_country=documents.HOST_COUNTRY, format=SD_JWT)
_EHIC = _present("ehic-care", host_country=documents.HOST_COUNTRY, format=SD_JWT)

STEPS: tuple[Step, ...] = (
    Step(name="PID issued", expected=_held([*_BOTH]), act=_pid),
    Step(name="A1 issued by Urssaf (test)", expected=_held([*_BOTH]), act=_receive("fr-urssaf", documents.pda1)),
    Step(name="EHIC issued by CNAM (test)", expected=_held([*_BOTH]), act=_receive("fr-cnam", documents.ehic)),
    Step(name="A1 with PID shown in Germany, SD-JWT VC", expected="accept", act=_A1),
    Step(
        name="A1 with PID shown in Germany, mdoc",
        expected="accept",
        act=_present("a1-inspection", host_country=documents.HOST_COUNTRY, format=MDOC),
    ),
    Step(name="EHIC with PID shown in Germany, SD-JWT VC", expected="accept", act=_EHIC),
    Step(
        name="EHIC with PID shown in Germany, mdoc",
        expected="accept",
        act=_present("ehic-care", host_country=documents.HOST_COUNTRY, format=MDOC),
    ),
    Step(
        name="host country not covered",
        expected="reject: host_country",
        act=_present("a1-inspection", host_country=documents.OTHER_COUNTRY, format=SD_JWT),
    ),
    Step(
        name="last day of cover",
        expected="accept",
        act=_present("a1-inspection", host_country=documents.HOST_COUNTRY, format=SD_JWT, day=0),
    ),
    Step(
        name="day after the end",
        expected="reject: period",
        act=_present("a1-inspection", host_country=documents.HOST_COUNTRY, format=SD_JWT, day=1),
    ),
    Step(
        name="altered disclosure",
        expected="reject: structure",
        act=_present("a1-inspection", misbehave="altered-disclosure", host_country=documents.HOST_COUNTRY, format=SD_JWT),
    ),
    Step(
        name="replay",
        expected="reject: holder_binding, same_holder",
        act=_present("a1-inspection", misbehave="replay", host_country=documents.HOST_COUNTRY, format=SD_JWT),
    ),
    Step(name="PID for an attested wallet", expected=_held([*_BOTH]), act=_attested_pid),
    Step(name="A1 by sign-in (HAIP), encrypted", expected=f"{_COPIES} x {SD_JWT}, {_COPIES} x {MDOC}", act=_signed_in),
    Step(name="that A1 shown in Germany", expected="accept", act=_present_attested),
    Step(name="that A1 renewed", expected=f"{_COPIES} new copies", act=_renewed),
    Step(name="wallet of an unlisted provider", expected="refused: invalid_client", act=_refused("unlisted-provider")),
    Step(name="plain credential request", expected="refused: invalid_encryption_parameters", act=_refused("plain-request")),
    Step(name="authorization code twice", expected="refused: invalid_grant", act=_refused("code-twice")),
    Step(name="DPoP proof twice", expected="refused: invalid_dpop_proof", act=_refused("dpop-replay")),
    Step(name="revoked A1", expected="reject: status", act=_revoked),
    Step(name="list server down, last list still good", expected="accept", act=_list_server_down),
    Step(name="list server down, last list has run out", expected="undetermined: trust_list_expired", act=_list_run_out),
    Step(name="list server back", expected="accept", act=_list_server_back),
    Step(name="issuer removed from the list", expected="reject: trust_listed", act=_issuer_removed),
)
