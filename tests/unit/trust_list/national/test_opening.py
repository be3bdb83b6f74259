"""The list of lists through its pivots, national lists by their pointers, and what is kept of them (ETSI TS 119 615 4.1)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from edge.outbound import Fetched
from tests.support.pki import NOW
from tests.support.trusted_lists import JOURNAL, LOTL_URI, Draft, Sealer, lotl, pointer, seal, sealer
from trust_list.answers import Result
from trust_list.national.loading import NationalSource
from trust_list.national.names import NATIONAL
from trust_list.national.opening import open_lotl
from vc.errors import Refused, Unreachable, VcError

FIRST, SECOND, THIRD, FRANCE = sealer("First"), sealer("Second"), sealer("Third"), sealer("France")
ONE, TWO, FR = "https://lists.example/pivot-10.xml", "https://lists.example/pivot-15.xml", "https://fr.example/tl.xml"
FRENCH = pointer(FR, "FR", NATIONAL, FRANCE)
INFORMATION = (TWO, ONE, JOURNAL)


def chain(**changes: bytes) -> dict[str, bytes]:
    """Two pivots: First hands over to Second, Second to Third."""
    good = {
        "one": seal(lotl(signers=[SECOND], sequence="10", information=(ONE, JOURNAL)).xml(), FIRST),
        "two": seal(lotl(signers=[THIRD], sequence="15", information=(TWO, ONE, JOURNAL)).xml(), SECOND),
        "now": seal(lotl(FRENCH, signers=[THIRD], information=INFORMATION).xml(), THIRD),
    }
    made = {**good, **changes}
    return {ONE: made["one"], TWO: made["two"], LOTL_URI: made["now"]}


def opened(world: Mapping[str, bytes], *signers: Sealer) -> tuple[int, ...]:
    def fetch(address: str) -> bytes:
        return world[address]

    found = open_lotl(world[LOTL_URI], [one.certificate for one in signers or (FIRST,)], fetch, now=NOW)
    return (*found.pivots, found.list.sequence)


def test_pivots_lead_from_the_journal_to_the_list() -> None:
    assert opened(chain()) == (10, 15, 20)


def test_without_pivots_the_list_is_sealed_by_the_journals_set() -> None:
    assert opened({LOTL_URI: seal(lotl(signers=[FIRST]).xml(), FIRST)}) == (20,)


def pivot(signers: list[Sealer], by: Sealer, *, sequence: str = "15", information: tuple[str, ...] = INFORMATION) -> bytes:
    return seal(lotl(signers=signers, sequence=sequence, information=information).xml(), by)


BROKEN = {
    "a pivot by nobody of the set before": (chain(two=pivot([THIRD], THIRD)), "signer_unknown"),
    "a pivot changed": (chain(two=pivot([THIRD], SECOND).replace(b"Operator (test)", b"Operator (fake)")), "xml_signature"),
    "a pivot that does not name itself": (chain(two=pivot([THIRD], SECOND, information=(ONE, JOURNAL))), "pivot"),
    "pivots out of order": (chain(two=pivot([THIRD], SECOND, sequence="10")), "pivot"),
    "the list older than its pivot": (
        chain(now=seal(lotl(signers=[THIRD], sequence="14", information=INFORMATION).xml(), THIRD)), "pivot"),
    "the list states another set": (
        chain(now=seal(lotl(signers=[THIRD, FIRST], information=INFORMATION).xml(), THIRD)), "pivot"),
    "the list by an earlier set": (
        chain(now=seal(lotl(signers=[THIRD], information=INFORMATION).xml(), SECOND)), "signer_unknown"),
    "a pivot that is a national list": (chain(one=seal(Draft(information=(ONE, JOURNAL)).xml(), FIRST)), "list_type"),
    "no pointer to itself": (
        {LOTL_URI: seal(replace(lotl(signers=[FIRST]), pointers=()).xml(), FIRST)}, "pivot"),
    "issued tomorrow": (
        {LOTL_URI: seal(lotl(signers=[FIRST], issued=NOW + timedelta(days=1)).xml(), FIRST)}, "issued_in_future"),
    "too many pivots": (
        chain(now=seal(lotl(signers=[THIRD], information=tuple(f"https://x.example/{n}.xml" for n in range(33))).xml(), THIRD)),
        "pivot"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_chain_is_refused(case: str) -> None:
    world, code = BROKEN[case]
    with pytest.raises(VcError) as caught:
        opened(world)
    assert caught.value.code == code


def test_the_journals_set_is_where_it_begins() -> None:
    with pytest.raises(Refused, match="signer_unknown"):
        opened(chain(), THIRD)


class Publishers:
    """Every publisher in one: what is not there cannot be reached."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies = bodies

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> Fetched:
        if url not in self.bodies:
            raise Unreachable("unreachable", "nobody is there")
        return Fetched(status=200, headers={}, body=self.bodies[url], url=url)


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, NOW
        self.publishers = Publishers({**chain(), FR: seal(Draft().xml(), FRANCE)})

    def clock(self) -> datetime:
        return self.now

    def source(self) -> NationalSource:
        return NationalSource(LOTL_URI, [FIRST.certificate], folder=self.folder, outbound=self.publishers, clock=self.clock)

    def sequences(self) -> tuple[int | None, list[int], dict[str, str]]:
        """As a process that starts anew sees it."""
        source = self.source()
        source.refresh()
        known = source.known()
        return (
            known.lotl.sequence if known.lotl else None, [one.sequence for one in known.lists], dict(known.missing),
        )  # fmt: skip


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "national")


def test_all_lists_are_fetched_and_kept(scene: Scene) -> None:
    assert scene.sequences() == (20, [5], {})
    scene.publishers.bodies.clear()
    assert scene.sequences() == (20, [5], {})


def test_without_anything_nothing_is_known(scene: Scene) -> None:
    scene.publishers.bodies.clear()
    assert scene.sequences() == (None, [], {})


@pytest.mark.parametrize(
    ("offered", "code"),
    [
        (seal(Draft().xml(), THIRD), "signer_unknown"),
        (seal(Draft(territory="DE").xml(), FRANCE), "territory"),
        (seal(lotl(signers=[FRANCE], territory="FR").xml(), FRANCE), "list_type"),
        (seal(Draft(issued=NOW + timedelta(hours=1)).xml(), FRANCE), "issued_in_future"),
    ],
    ids=["signer", "territory", "type", "future"],
)
def test_a_bad_national_list_is_missing_with_its_reason(scene: Scene, offered: bytes, code: str) -> None:
    scene.publishers.bodies[FR] = offered
    assert scene.sequences() == (20, [], {"FR": code})


@pytest.mark.parametrize(
    "offered",
    [seal(Draft(sequence="4").xml(), FRANCE), seal(Draft(next_update=NOW + timedelta(days=99)).xml(), FRANCE), b"<a/>"],
    ids=["rollback", "conflict", "bad"],
)
def test_what_was_kept_is_not_replaced_by_worse(scene: Scene, offered: bytes) -> None:
    source = scene.source()
    source.refresh()
    before = source.known().lists
    scene.publishers.bodies[FR] = offered
    source.refresh()
    assert source.known().lists == before
    again = scene.source()
    again.refresh()
    assert again.known().lists == before


def test_a_newer_edition_replaces_it(scene: Scene) -> None:
    scene.sequences()
    scene.publishers.bodies[FR] = seal(Draft(sequence="6").xml(), FRANCE)
    assert scene.sequences() == (20, [6], {})


def test_what_was_kept_is_verified_again(scene: Scene) -> None:
    scene.sequences()
    for path in scene.folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"Operator (test)", b"Operator (fake)"))
    scene.publishers.bodies.clear()
    assert scene.sequences() == (None, [], {})


def test_a_list_names_no_file(scene: Scene, tmp_path: Path) -> None:
    """Only the operator names a file, never a list."""
    (tmp_path / "tl.xml").write_bytes(scene.publishers.bodies[FR])
    local = pointer(str(tmp_path / "tl.xml"), "FR", NATIONAL, FRANCE)
    scene.publishers.bodies[LOTL_URI] = seal(lotl(local, signers=[THIRD], information=INFORMATION).xml(), THIRD)
    assert scene.sequences() == (20, [], {"FR": "unreachable"})


def test_a_source_refreshes_by_itself_when_asked(scene: Scene) -> None:
    source = scene.source()
    first = source.known()
    assert first.qualified((), at=NOW).result is Result.NOT_CHECKED
    worker = source._worker
    assert worker is not None
    worker.join()
    assert [one.sequence for one in source.known().lists] == [5]
    assert source._worker is worker
    scene.now += timedelta(hours=5)
    source.known()
    assert source._worker is not worker
    source._worker.join()
