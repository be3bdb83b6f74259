"""Status lists: S-1 to S-12. What the network does never becomes "revoked" nor "valid"; a copy is used as long as it may be."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support import pki
from tests.support.pki import NOW
from tests.support.verifier import STATUS_HOST, Held, Institution, World, sample
from trust_list.status_lists import StatusAnswer, StatusSigner
from trust_list.status_memory import ShortMemory, TokenMemory
from vc import formats
from vc.documents import catalogue
from vc.status.bits import StatusList, StatusValue
from vc.status.reference import StatusReference
from vc.status.token import sign_jwt
from verifier.sources import TrustAnswer
from verifier.status import StatusLists

CONFIGURATIONS = {"jwt": "pda1_dc4eu-2_sd_jwt", "cwt": "eu.europa.ec.eudi.pda1_mdoc"}
OTHER = {"jwt": "cwt", "cwt": "jwt"}


class Scene:
    """A listed institution, a credential of it in one format, and a look-up with its own memory."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind = kind
        self.world = World(folder)
        self.one: Institution = self.world.institution("urssaf", types=("pda1",))
        self.other: Institution = self.world.institution("other", types=("pda1",))
        self.world.publish_lists()
        self.trust = self.world.trust()
        self.memory: TokenMemory = ShortMemory()
        self.lists = self.reader()
        entry = sample("pda1", "pda1-01")
        self.document = catalogue.DOCUMENT_TYPES["pda1"].parse(entry["document_data"], identity=entry["identity"])
        self.held: Held = self.world.issue(self.one, CONFIGURATIONS[kind], self.document)
        self.index = self.world.last_index()

    def reader(self, *, min_ttl: float = 1) -> StatusLists:
        return StatusLists(self.world.outbound(), self.memory, self.trust, min_ttl=timedelta(seconds=min_ttl))

    def look(self, *, idx: int | None = None, uri: str | None = None) -> StatusAnswer:
        """The status as of the world's clock, for another index or address when given."""
        unverified = formats.parse_issued(self.held.format, self.held.text)
        credential = unverified.verify_issuer(unverified.chain[0].public_key())  # type: ignore[arg-type]  # EC in this world
        object.__setattr__(
            credential, "status", StatusReference(uri=uri or self.one.status_uri, idx=self.index if idx is None else idx)
        )
        entity = self.trust.issuer(credential, self.document, now=self.world.now).entity_id
        return self.lists.look_up(credential, self.document, entity_id=entity, now=self.world.now)

    def serve(self, token: Callable[[datetime], bytes], *, media: str | None = None) -> None:
        """Answer with this token from now on."""
        kind = media or f"application/statuslist+{self.kind}"
        self.world.reply[STATUS_HOST] = lambda _asked: httpx2.Response(
            200, content=token(self.world.now), headers={"content-type": kind}
        )

    def token(self, **changes: Any) -> Callable[[datetime], bytes]:
        return lambda now: self.one.status_token(self.kind, now, **changes)

    def later(self, **passed: float) -> None:
        self.world.now += timedelta(**passed)

    @property
    def fetches(self) -> int:
        return sum(STATUS_HOST in url for url in self.world.asked)


@pytest.fixture(params=["jwt", "cwt"])
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(tmp_path, request.param)


def down(_asked: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("down")


def test_a_valid_entry_is_valid_and_says_of_when(scene: Scene) -> None:
    found = scene.look()

    assert (found.value, found.because) == (StatusValue.VALID, None)
    assert "2026-11-24" in found.detail


@pytest.mark.parametrize(
    ("entry", "value"),
    [(1, StatusValue.INVALID), (2, StatusValue.SUSPENDED), (3, StatusValue.APPLICATION_SPECIFIC), (9, StatusValue.UNKNOWN)],
)
def test_other_values_are_what_they_are(scene: Scene, entry: int, value: StatusValue) -> None:
    """S-4."""
    scene.one.bits = 4
    scene.one.revoked[scene.index] = entry

    assert scene.look().value is value


def test_the_neighbours_do_not_matter(scene: Scene) -> None:
    """S-3, S-4: exactly this index."""
    scene.one.revoked = {index: 1 for index in range(1024) if index != scene.index}

    assert scene.look().value is StatusValue.VALID


def test_the_right_form_is_asked_for(scene: Scene) -> None:
    seen: list[str] = []

    def reply(asked: httpx2.Request) -> httpx2.Response:
        seen.append(asked.headers["accept"])
        return scene.world.status_reply(scene.one.status_token(scene.kind, scene.world.now), scene.kind)

    scene.world.reply[STATUS_HOST] = reply
    scene.look()

    assert seen == [f"application/statuslist+{scene.kind}"]


# --- bad lists: undetermined, each with its reason (S-1, S-2, S-5, S-6, S-10)

BAD: dict[str, tuple[Callable[[Scene], Callable[[datetime], bytes]], str]] = {
    "another entity's signer": (lambda s: s.token(signer=s.other.status_signer), "status_list_untrusted"),
    "the issuing key": (lambda s: s.token(signer=s.one.seal), "status_list_untrusted"),
    "an unlisted signer": (lambda s: s.token(signer=s.world.authority.leaf()), "status_list_untrusted"),
    "the list of another credential": (lambda s: s.token(uri="http://status.test/other"), "status_list_invalid"),
    "expired": (lambda s: s.token(exp=NOW - timedelta(seconds=1)), "status_list_expired"),
    "expired this very second": (lambda s: s.token(exp=NOW), "status_list_expired"),
    "issued in the future": (lambda s: s.token(iat=NOW + timedelta(seconds=61)), "status_list_invalid"),
    "the other form": (lambda s: lambda now: s.one.status_token(OTHER[s.kind], now), "status_list_invalid"),
    "junk": (lambda s: lambda now: b"<html>not a list</html>", "status_list_invalid"),
    "bytes": (lambda s: lambda now: b"\xff\xfe\x00", "status_list_invalid"),
    "nothing": (lambda s: lambda now: b"", "status_list_invalid"),
    "no certificate": (lambda s: s.token(signer=pki.holder()), "status_list_invalid"),
    "altered": (lambda s: lambda now: s.one.status_token(s.kind, now)[:-3] + b"AAA", "status_list_invalid"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_list_says_nothing_about_the_document(scene: Scene, case: str) -> None:
    make, because = BAD[case]
    scene.serve(make(scene))

    found = scene.look()

    assert (found.value, found.because) == (None, because), found.detail
    assert found.detail


@pytest.mark.parametrize(
    ("status", "because"),
    [(404, "status_unreachable"), (500, "status_unreachable"), (302, "status_unreachable"), (204, "status_list_invalid")],
)
def test_an_answer_that_is_no_list(scene: Scene, status: int, because: str) -> None:
    """S-7; a redirect is an answer, not an instruction."""
    scene.world.reply[STATUS_HOST] = lambda _asked: httpx2.Response(status, headers={"location": "http://status.test/other"})

    found = scene.look()

    assert (found.value, found.because) == (None, because)
    assert scene.fetches == 1


@pytest.mark.parametrize("media", ["text/html", "application/json", "application/statuslist+cbor"])
def test_another_media_type_is_no_list(scene: Scene, media: str) -> None:
    scene.serve(scene.token(), media=media)

    assert scene.look().because == "status_list_invalid"


def test_a_host_that_is_down_is_unreachable(scene: Scene) -> None:
    scene.world.reply[STATUS_HOST] = down

    assert scene.look().because == "status_unreachable"


def test_an_endless_answer_is_cut(scene: Scene) -> None:
    """S-7, S-5."""
    scene.serve(lambda _now: b"a" * (13 << 20))

    assert scene.look().because == "status_unreachable"


@pytest.mark.parametrize("uri", ["https://user@status.test/urssaf", "https://status.test:99999/"])
def test_a_strange_address_is_not_asked(scene: Scene, uri: str) -> None:
    """J-9: nothing is fetched from there."""
    found = scene.look(uri=uri)

    assert (found.value, found.because) == (None, "status_address_refused")
    assert scene.fetches == 0


@pytest.mark.parametrize(("idx", "because"), [(1023, None), (1024, "status_index_invalid"), (2**62, "status_index_invalid")])
def test_the_last_index_is_the_last(scene: Scene, idx: int, because: str | None) -> None:
    """S-3."""
    found = scene.look(idx=idx)

    assert found.because == because
    assert (found.value is None) == (because is not None)


# --- how long a copy lasts (S-8, S-9, R-14, TSL-16)


def test_a_list_is_not_fetched_again_within_its_ttl(scene: Scene) -> None:
    scene.look()
    scene.later(seconds=59)
    scene.look()
    assert scene.fetches == 1
    scene.later(seconds=1)
    scene.look()

    assert scene.fetches == 2


def test_a_revocation_is_seen_after_the_ttl(scene: Scene) -> None:
    assert scene.look().value is StatusValue.VALID
    scene.one.revoked[scene.index] = 1
    scene.later(seconds=60)

    assert scene.look().value is StatusValue.INVALID


def test_a_short_ttl_is_clamped(scene: Scene) -> None:
    """R-14: `ttl: 1` does not make the verifier ask for each check."""
    scene.lists = scene.reader(min_ttl=30)
    scene.serve(scene.token(ttl=1))
    for _ in range(5):
        scene.look()
        scene.later(seconds=5)

    assert scene.fetches == 1


def test_a_long_ttl_is_clamped(scene: Scene) -> None:
    """S-6."""
    scene.serve(scene.token(ttl=10**12))
    scene.look()
    scene.later(hours=12)
    scene.look()

    assert scene.fetches == 2


def test_a_list_without_ttl_lasts_five_minutes(scene: Scene) -> None:
    scene.serve(scene.token(ttl=None))
    scene.look()
    scene.later(seconds=299)
    scene.look()
    assert scene.fetches == 1
    scene.later(seconds=1)
    scene.look()

    assert scene.fetches == 2


def test_exp_outranks_ttl(scene: Scene) -> None:
    """R-14: expired while its ttl still runs."""
    scene.serve(lambda now: scene.one.status_token(scene.kind, NOW, exp=NOW + timedelta(seconds=10), ttl=3600))
    assert scene.look().value is StatusValue.VALID
    scene.later(seconds=9)
    assert scene.look().value is StatusValue.VALID
    scene.later(seconds=1)

    found = scene.look()

    assert (found.value, found.because) == (None, "status_list_expired")


@pytest.mark.parametrize(
    ("age", "value", "because"),
    [
        (timedelta(minutes=2), StatusValue.VALID, "status_from_cache"),
        (timedelta(hours=24), StatusValue.VALID, "status_from_cache"),
        (timedelta(hours=24, seconds=1), StatusValue.VALID, "status_stale"),
        (timedelta(hours=29, minutes=59), StatusValue.VALID, "status_stale"),
        (timedelta(hours=30), None, "status_unreachable"),
    ],
)
def test_a_copy_lasts_while_the_host_is_down(scene: Scene, age: timedelta, value: StatusValue | None, because: str) -> None:
    """DOMAIN 6.1 rule 4: older than a day is review; past its own exp it says nothing."""
    scene.look()
    scene.world.reply[STATUS_HOST] = down
    scene.world.now += age
    # only the status host is down for so long; the trust list is read again
    scene.trust = scene.world.trust()
    scene.lists = scene.reader()

    found = scene.look()

    assert (found.value, found.because) == (value, because)


def test_a_revoked_copy_stays_revoked_while_the_host_is_down(scene: Scene) -> None:
    scene.one.revoked[scene.index] = 1
    scene.look()
    scene.world.reply[STATUS_HOST] = down
    scene.later(hours=2)

    assert scene.look().value is StatusValue.INVALID


def test_an_older_list_never_replaces_a_newer_one(scene: Scene) -> None:
    """S-8: rollback by a cache on the way."""
    old = scene.one.status_token(scene.kind, NOW - timedelta(minutes=5))
    scene.one.revoked[scene.index] = 1
    assert scene.look().value is StatusValue.INVALID
    scene.serve(lambda _now: old)
    scene.later(seconds=61)

    found = scene.look()

    assert (found.value, found.because) == (StatusValue.INVALID, "status_rollback")


def test_a_bad_list_does_not_replace_a_good_one(scene: Scene) -> None:
    scene.one.revoked[scene.index] = 1
    scene.look()
    scene.one.revoked.clear()
    scene.serve(scene.token(signer=scene.other.status_signer))
    scene.later(seconds=61)

    found = scene.look()

    assert found.value is StatusValue.INVALID
    assert found.because == "status_from_cache"


def test_another_worker_uses_what_one_fetched(scene: Scene) -> None:
    scene.look()
    scene.lists = scene.reader()

    assert scene.look().value is StatusValue.VALID
    assert scene.fetches == 1


def test_a_kept_token_is_verified_again(scene: Scene) -> None:
    """What lies in the store is not believed for lying there."""
    scene.look()
    kept = scene.memory.get(scene.one.status_uri, scene.kind)
    assert kept is not None
    forged = scene.one.status_token(scene.kind, NOW, signer=pki.root().leaf())
    scene.memory.put(scene.one.status_uri, scene.kind, type(kept)(token=forged, issued_at=kept.issued_at, fetched_at=NOW))
    scene.world.reply[STATUS_HOST] = down
    scene.lists = scene.reader()

    assert scene.look().because == "status_unreachable"


def test_the_judge_is_asked_for_the_same_entity(tmp_path: Path) -> None:
    """TSL, TRUST 3: the entity of the issuer is handed on; a judge that says no decides."""
    scene = Scene(tmp_path, "jwt")
    asked: list[tuple[StatusSigner, str | None]] = []

    class Judge:
        def status_signer(self, signer: StatusSigner, document_type: str, *, entity_id: str | None, now: datetime) -> TrustAnswer:
            asked.append((signer, entity_id))
            return TrustAnswer(trusted=False, checks={})

    scene.lists = StatusLists(scene.world.outbound(), scene.memory, Judge(), min_ttl=timedelta(seconds=1))

    assert scene.look().because == "status_list_untrusted"
    assert asked[0][0].chain == scene.one.status_signer.chain
    assert asked[0][0].signed_at == NOW
    assert asked[0][1] is not None


def test_a_million_entries_are_read_at_once(tmp_path: Path) -> None:
    """S-12."""
    scene = Scene(tmp_path, "jwt")
    big = StatusList.empty(1 << 20, 1)
    big.set(scene.index, 1)
    token = sign_jwt(
        big, uri=scene.one.status_uri, iat=NOW, exp=NOW + timedelta(days=1), ttl=60, signer=scene.one.status_signer
    ).encode("ascii")
    scene.serve(lambda _now: token)

    assert scene.look().value is StatusValue.INVALID
    assert scene.look(idx=(1 << 20) - 1).value is StatusValue.VALID
    assert scene.fetches == 1
