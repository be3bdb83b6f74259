"""A list server that misbehaves, by name, over a real socket: nothing of it crashes the reader, holds it up over the set time, or
turns into trust (after the tests of python-tuf; TRUST 7.2, 8; SECURITY T-1 … T-4).

Each attack is made twice: on a reader that knows a good list, which must keep it, and on one that knows nothing, which must go on
knowing nothing.
"""

import base64
import hashlib
import hmac
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.outbound import FetchLimits, Outbound
from tests.support import list_attacker as attack
from tests.support.list_attacker import Attacker, attacker
from tests.support.pki import NOW, root
from tests.support.trust import EHIC, PDA1, Institution, ListOperator, institution
from tests.unit.trust_list.test_decide import EHIC_ASKED, ask
from trust_list import model
from trust_list.client import TrustClient
from trust_list.decide import Outcome, evaluate
from trust_list.snapshot import Listing
from vc.encoding import base64url, json

SECONDS = 1.0
"""The set time. `SLACK`: what a loaded machine may add to it."""
SLACK = 1.5
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def operator() -> ListOperator:
    return ListOperator()


@pytest.fixture(scope="module")
def honest() -> Institution:
    return institution(root("Test seal CA"), "Urssaf-like (test)", "FR", "NTRFR-000000010", PDA1)


@pytest.fixture(scope="module")
def intruder() -> Institution:
    """Whom the attacker wants on the list."""
    return institution(root("Test seal CA"), "Intruder (test)", "FR", "NTRFR-000000666", EHIC)


@dataclass
class Scene:
    operator: ListOperator
    honest: Institution
    intruder: Institution
    server: Attacker
    folder: Path
    now: datetime = NOW
    root_version: int = 1

    def __post_init__(self) -> None:
        whole = self.operator.root()
        only = replace(whole.for_list("pub-eaa"), uri=self.server.url)
        (self.folder / "root.json").write_bytes(replace(whole, lists=(only,)).render())

    def good(self, **changes: object) -> model.LoTE:
        return self.operator.lote(self.honest.draft(), **{"sequence": 5, "issued": NOW - HOUR, **changes})  # type: ignore[arg-type]

    def wanted(self, **changes: object) -> model.LoTE:
        """What the attacker would have us believe."""
        told = {"sequence": 6, "issued": NOW - HOUR, **changes}
        return self.operator.lote(self.honest.draft(), self.intruder.draft(), **told)  # type: ignore[arg-type]

    def client(self) -> TrustClient:
        limits = FetchLimits(allow_loopback=True, connect_seconds=SECONDS, total_seconds=SECONDS)
        return TrustClient(self.folder / "root.json", self.folder / "state", Outbound(limits), lambda: self.now, 2)

    def stored(self) -> list[tuple[str, object]]:
        """What is kept of the list, less the time of the last confirmation."""
        path = self.folder / "state" / "pub-eaa.json"
        return list(json.loads_object(path.read_bytes(), max_bytes=1 << 24).items()) if path.exists() else []

    def trusted(self, listed: Listing, who: Institution, **what: str) -> Outcome:
        known = replace(self._client.snapshot(), lists={"pub-eaa": listed})
        return evaluate(ask(who.seal, t_now=self.now, t_issue=self.now, **what), known).outcome

    def refresh(self, client: TrustClient) -> Listing:
        """One refresh within the set time."""
        self._client = client
        begun = time.monotonic()
        listed = client.refresh(force=True).lists["pub-eaa"]
        assert time.monotonic() - begun < SECONDS + SLACK, "the reader was held up"
        return listed


@pytest.fixture
def scene(operator: ListOperator, honest: Institution, intruder: Institution, tmp_path: Path) -> Iterator[Scene]:
    with attacker() as server:
        yield Scene(operator, honest, intruder, server, tmp_path)


Attack = Callable[[Scene], attack.Send]


def sealed(make: Callable[[Scene], bytes]) -> Attack:
    return lambda scene: attack.answer(make(scene))


def by_socket(send: Callable[[bytes], attack.Send]) -> Attack:
    return lambda scene: send(scene.operator.seal(scene.wanted()))


def parts(token: bytes) -> list[bytes]:
    return token.split(b".")


def deep(scene: Scene) -> bytes:
    return scene.operator.seal_bytes(b'{"LoTE":' + b"[" * 10_000 + b"]" * 10_000 + b"}")


def deep_header(scene: Scene) -> bytes:
    header = base64url.encode(b'{"alg":"ES256","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}").encode()
    return b".".join((header, *parts(scene.operator.seal(scene.wanted()))[1:]))


def twice(scene: Scene) -> bytes:
    """The proper list, and a second one under the same name behind it."""
    proper, wanted = model.render(scene.good(sequence=6)), model.render(scene.wanted())
    return scene.operator.seal_bytes(proper[:-1] + b"," + wanted[1:])


def stranger(scene: Scene) -> bytes:
    return scene.operator.seal(scene.wanted(), signer=scene.operator.new_signer())


def borrowed_certificate(scene: Scene) -> bytes:
    """Sealed by a stranger, under the certificate of the pinned signer."""
    proper = parts(scene.operator.seal(scene.wanted()))[0]
    header = {k: v for k, v in json.loads_object(base64url.decode(proper.decode())).items() if k != "alg"}
    return scene.operator.seal_bytes(model.render(scene.wanted()), header=header, signer=scene.operator.new_signer())


def swapped(scene: Scene) -> bytes:
    """The seal of the good list around the wanted one."""
    head, _, signature = parts(scene.operator.seal(scene.good(sequence=6)))
    return b".".join((head, base64url.encode(model.render(scene.wanted())).encode(), signature))


def wrapped_json(scene: Scene) -> bytes:
    """The good seal inside, the wanted list beside it, in JSON serialisation: which of the two is "the payload"?"""
    head, payload, signature = (part.decode() for part in parts(scene.operator.seal(scene.good(sequence=6))))
    return json.dumps(
        {
            "LoTE": json.loads(model.render(scene.wanted()))["LoTE"],
            "payload": payload,
            "signatures": [{"protected": head, "signature": signature}],
        }
    )


def wrapped_compact(scene: Scene) -> bytes:
    """Five parts: the wanted payload between the good header and the good payload."""
    head, payload, signature = parts(scene.operator.seal(scene.good(sequence=6)))
    return b".".join((head, base64url.encode(model.render(scene.wanted())).encode(), payload, signature))


def wrapped_inside(scene: Scene) -> bytes:
    """A good list as a member of an unsealed one."""
    wanted = json.loads(model.render(scene.wanted()))
    inner = json.loads(model.render(scene.good(sequence=6)))
    return scene.operator.seal_bytes(json.dumps({**inner, "Object": wanted}))


def detached(scene: Scene) -> bytes:
    head, _, signature = parts(scene.operator.seal(scene.good(sequence=6)))
    return b".".join((head, b"", signature))


def unsigned(scene: Scene) -> bytes:
    header = base64url.encode(b'{"alg":"none","typ":"JOSE"}').encode()
    return b".".join((header, parts(scene.operator.seal(scene.wanted()))[1], b""))


def keyed_with_the_public_key(scene: Scene) -> bytes:
    """HS256 under the octets of the pinned certificate's key."""
    head, payload, _ = parts(scene.operator.seal(scene.wanted()))
    header = json.loads_object(base64url.decode(head.decode()))
    protected = base64url.encode(json.dumps({**header, "alg": "HS256"})).encode()
    key = scene.operator.signer.public_key
    secret = key.public_numbers().x.to_bytes(32, "big")
    signature = hmac.digest(secret, protected + b"." + payload, hashlib.sha256)
    return b".".join((protected, payload, base64.urlsafe_b64encode(signature).rstrip(b"=")))


def entity_bomb(_: Scene) -> bytes:
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE t [<!ENTITY l0 "lol">{lol}]><TrustServiceStatusList>&l9;</TrustServiceStatusList>'.encode()
    )


def external_entity(_: Scene) -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]><t>&x;</t>'


def compressed_bomb(_: Scene) -> attack.Send:
    return attack.answer(zlib.compress(b"A" * (64 << 20)), headers="content-encoding: deflate\r\n")


def huge_number(scene: Scene) -> bytes:
    payload = model.render(scene.wanted()).replace(b'"LoTESequenceNumber":6', b'"LoTESequenceNumber":' + b"9" * 5000)
    return scene.operator.seal_bytes(payload)


def another_type(scene: Scene) -> bytes:
    return scene.operator.seal(scene.operator.lote(list_id="pid", sequence=6, issued=NOW - HOUR))


def older(scene: Scene) -> bytes:
    """Properly sealed, when the intruder was still listed."""
    return scene.operator.seal(scene.wanted(sequence=4, issued=NOW - 2 * HOUR))


def same_number(scene: Scene) -> bytes:
    return scene.operator.seal(scene.wanted(sequence=5))


def newer_number_older_issue(scene: Scene) -> bytes:
    return scene.operator.seal(scene.wanted(issued=NOW - 2 * DAY))


ALARMS: dict[str, tuple[Attack, set[str]]] = {
    "cut-short": (by_socket(attack.cut_short), {"jws", "base64url", "signature", "json"}),
    "empty": (sealed(lambda _: b""), {"jws"}),
    "not-utf8": (sealed(lambda _: b"\xff\xfe\x00" * 50), {"jws"}),
    "a-page": (sealed(lambda _: b"<!doctype html><title>Welcome</title>"), {"jws", "base64url"}),
    "wrong-type": (sealed(another_type), {"list_type"}),
    "wrong-signer": (sealed(stranger), {"list_signer_unpinned"}),
    "borrowed-certificate": (sealed(borrowed_certificate), {"signature"}),
    "expired": (sealed(lambda s: s.operator.seal(s.wanted(issued=NOW - 40 * DAY))), {"list_expired"}),
    "future": (sealed(lambda s: s.operator.seal(s.wanted(issued=NOW + HOUR))), {"issued_in_future", "signed_in_future"}),
    "duplicate-members": (sealed(twice), {"json_duplicate_member"}),
    "nested": (sealed(deep), {"json_depth", "json"}),
    "nested-header": (sealed(deep_header), {"json_depth", "json", "too_large"}),
    "huge-number": (sealed(huge_number), {"json"}),
    "xml-entity-bomb": (sealed(entity_bomb), {"jws", "base64url"}),
    "xml-external-entity": (sealed(external_entity), {"jws", "base64url"}),
    "swapped-payload": (sealed(swapped), {"signature"}),
    "wrapped-json": (sealed(wrapped_json), {"jws", "base64url"}),
    "wrapped-compact": (sealed(wrapped_compact), {"jws"}),
    "wrapped-inside": (sealed(wrapped_inside), {"lote_structure"}),
    "detached": (sealed(detached), {"jades_detached"}),
    "alg-none": (sealed(unsigned), {"jades_alg", "list_signer_unknown"}),
    "alg-hmac": (sealed(keyed_with_the_public_key), {"jades_alg"}),
}
"""What a reader calls an alarm: something came, and it was not a list to be believed. With the codes it may be called by."""

REPLAYS: dict[str, tuple[Attack, set[str]]] = {
    "older-edition": (sealed(older), {"sequence_rollback"}),
    "same-number-other-octets": (sealed(same_number), {"sequence_conflict"}),
    "newer-number-older-issue": (sealed(newer_number_older_issue), {"issue_rollback"}),
}
"""Attacks with lists that were once good: only a reader with a memory can see them."""

OUTAGES: dict[str, tuple[Attack, set[str]]] = {
    "truncated": (by_socket(attack.truncated), {"unreachable"}),
    "endless": (by_socket(attack.endless), {"too_large", "timeout"}),
    "slow": (by_socket(attack.slow), {"timeout"}),
    "slow-head": (by_socket(attack.slow_head), {"timeout"}),
    "silent": (by_socket(attack.silent), {"timeout"}),
    "endless-head": (by_socket(attack.endless_head), {"unreachable", "timeout"}),
    "not-http": (by_socket(attack.not_http), {"unreachable"}),
    "status-500": (lambda s: attack.answer(s.operator.seal(s.wanted()), status="500 Internal Server Error"), {"status"}),
    "status-304-unasked": (lambda s: attack.answer(b"", status="304 Not Modified"), {"status"}),
    "compressed-bomb": (compressed_bomb, {"content_encoding"}),
}
"""What a reader calls an outage: nothing came that could be looked at."""

EVERY: dict[str, tuple[Attack, set[str]]] = {**ALARMS, **REPLAYS, **OUTAGES}


@pytest.mark.parametrize("name", EVERY)
def test_a_reader_that_knows_a_good_list_keeps_it(scene: Scene, name: str) -> None:
    make, codes = EVERY[name]
    client = scene.client()
    scene.server.send = attack.answer(scene.operator.seal(scene.good()))
    assert scene.refresh(client).accepted is not None
    before = scene.stored()
    scene.server.send = make(scene)
    listed = scene.refresh(client)
    assert listed.accepted is not None
    assert listed.accepted.sequence == 5
    event, other = (listed.outage, listed.alarm) if name in OUTAGES else (listed.alarm, listed.outage)
    assert event is not None, "the reader noticed nothing"
    assert other is None
    assert event.code in codes
    assert scene.stored() == before, "what was kept has changed"
    assert scene.trusted(listed, scene.honest) is Outcome.TRUSTED
    assert scene.trusted(listed, scene.intruder, **EHIC_ASKED) is Outcome.UNKNOWN_ISSUER


@pytest.mark.parametrize("name", [*ALARMS, *OUTAGES])
def test_a_reader_that_knows_nothing_goes_on_knowing_nothing(scene: Scene, name: str) -> None:
    make, codes = EVERY[name]
    client = scene.client()
    scene.server.send = make(scene)
    listed = scene.refresh(client)
    event = listed.outage if name in OUTAGES else listed.alarm
    assert event is not None
    assert event.code in codes
    assert listed.accepted is None
    assert scene.stored() == []
    assert scene.trusted(listed, scene.intruder, **EHIC_ASKED) is Outcome.INDETERMINATE
    assert scene.trusted(listed, scene.honest) is Outcome.INDETERMINATE


def test_a_reader_that_starts_again_remembers_what_it_must_not_fall_below(scene: Scene) -> None:
    scene.server.send = attack.answer(scene.operator.seal(scene.good()))
    scene.refresh(scene.client())
    for make, codes in REPLAYS.values():
        scene.server.send = make(scene)
        alarm = scene.refresh(scene.client()).alarm
        assert alarm is not None
        assert alarm.code in codes


def test_a_redirect_to_another_host_is_not_followed(scene: Scene) -> None:
    """Neither there nor to the same host: the place comes from the trust root alone."""
    with attacker() as elsewhere:
        elsewhere.send = attack.answer(scene.operator.seal(scene.wanted()))
        for status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            scene.server.send = attack.answer(b"", status=status, headers=f"location: {elsewhere.url}\r\n")
            listed = scene.refresh(scene.client())
            assert listed.outage is not None
            assert (listed.outage.code, listed.accepted) == ("status", None)
        assert elsewhere.asked == 0


def test_the_attacks_would_work_if_the_operator_made_them(scene: Scene) -> None:
    """The judging itself judged: the wanted list, from the one who may, is believed."""
    scene.server.send = attack.answer(scene.operator.seal(scene.wanted()))
    listed = scene.refresh(scene.client())
    assert scene.trusted(listed, scene.intruder, **EHIC_ASKED) is Outcome.TRUSTED


def test_a_freeze_ends_at_the_next_update(scene: Scene) -> None:
    """A server that gives the same old list for ever is believed until its next update, and not a second longer."""
    scene.server.send = attack.answer(scene.operator.seal(scene.good(valid_for=DAY)))
    client = scene.client()
    scene.refresh(client)
    scene.now = NOW - HOUR + DAY
    listed = scene.refresh(client)
    assert listed.alarm is not None
    assert listed.alarm.code == "list_expired"
    assert scene.trusted(listed, scene.honest) is Outcome.INDETERMINATE


def test_a_jump_of_the_number_is_taken_back_by_a_new_root_only(scene: Scene) -> None:
    """Fast-forward: an edition with the highest number blocks the next ones until a new root version lowers the floor."""
    highest = model.MAX_SEQUENCE
    scene.server.send = attack.answer(scene.operator.seal(scene.good(sequence=highest)))
    client = scene.client()
    scene.refresh(client)
    scene.server.send = attack.answer(scene.operator.seal(scene.good(sequence=6)))
    alarm = scene.refresh(client).alarm
    assert alarm is not None
    assert alarm.code == "sequence_rollback"
