"""The chain of trust roots (TRUST 7.2 rule 1, after TUF): who may follow whom, and what a client makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.outbound import FetchLimits, Outbound
from tests.support.pki import new_key
from tests.support.trust import Institution, ListOperator
from tests.unit.trust_list.test_client import World, sequence
from tests.unit.trust_list.test_decide import ask
from trust_list import root_chain
from trust_list.client import TrustClient
from trust_list.decide import Outcome, evaluate
from trust_list.root import TrustRoot
from trust_list.root_chain import RootStore, add_signature, payload_of, sign, successor
from vc.encoding import base64url, json
from vc.errors import VcError
from vc.jose import jws
from vc.keys.jwk import thumbprint
from vc.keys.signer import LocalSigner

UPDATES = "https://lists.test/root/"
SECOND = timedelta(seconds=1)


def keys(count: int = 3) -> tuple[LocalSigner, ...]:
    return tuple(LocalSigner(new_key()) for _ in range(count))


OLD, NEW = keys(), keys()


def keyed(root: TrustRoot, signers: tuple[LocalSigner, ...], *, threshold: int = 2, **changes: Any) -> TrustRoot:
    public = {thumbprint(signer.public_key): signer.public_key for signer in signers}
    return replace(root, **{"keys": public, "threshold": threshold, "updates": UPDATES, **changes})


@pytest.fixture(scope="module")
def first(operator: ListOperator) -> TrustRoot:
    return keyed(operator.root(), OLD)


@pytest.fixture(scope="module")
def second(operator: ListOperator) -> TrustRoot:
    return keyed(operator.root(version=2), NEW)


def refused(current: TrustRoot, signed: bytes) -> str:
    with pytest.raises(VcError) as caught:
        successor(current, signed)
    return caught.value.code


# --- who may follow ---


def test_the_next_version_signed_by_both(first: TrustRoot, second: TrustRoot) -> None:
    assert successor(first, sign(second, (*OLD[:2], *NEW[:2]))) == second
    kept = keyed(second, OLD)
    assert successor(first, sign(kept, OLD[1:])) == kept  # the same keys: their signatures count for both


@pytest.mark.parametrize(
    "signers",
    [
        (),
        (*OLD[:2],),
        (*NEW[:2],),
        (OLD[0], *NEW),
        (*OLD, NEW[0]),
        (OLD[0], OLD[0], *NEW),
        (*OLD, NEW[0], NEW[0], NEW[0]),
        (*keys(2), *NEW),
    ],
    ids=["nobody", "old-only", "new-only", "old-short", "new-short", "old-twice", "new-thrice", "strangers"],
)
def test_too_few_signatures(first: TrustRoot, second: TrustRoot, signers: tuple[LocalSigner, ...]) -> None:
    """One key counts once, however often it signs."""
    assert refused(first, sign(second, signers)) == ("root_threshold" if signers else "root_form")


@pytest.mark.parametrize(
    ("version", "code"), [(1, "root_rollback"), (3, "root_rollback"), (5, "root_skipped"), (2**40, "root_skipped")]
)
def test_only_the_very_next_version(first: TrustRoot, version: int, code: str) -> None:
    current = replace(first, version=3)
    assert refused(current, sign(keyed(replace(first, version=version), OLD), OLD)) == code
    assert successor(current, sign(keyed(replace(first, version=4), OLD), OLD)).version == 4


def test_without_keys_nobody_follows_and_nobody_is_followed(operator: ListOperator, first: TrustRoot) -> None:
    assert refused(operator.root(), sign(keyed(operator.root(version=2), OLD), OLD)) == "root_unsigned"
    assert refused(first, sign(operator.root(version=2), OLD)) == "root_unsigned"


def test_key_holders_sign_one_after_another(first: TrustRoot, second: TrustRoot) -> None:
    signed = sign(second, (OLD[0],))
    for signer in (OLD[2], NEW[0]):
        signed = add_signature(signed, signer)
        assert refused(first, signed) == "root_threshold"
    assert successor(first, add_signature(signed, NEW[1])) == second
    assert payload_of(signed) == second


def _with(signed: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = json.loads_object(signed, max_bytes=root_chain.MAX_SIGNED)
    change(document)
    return json.dumps(document)


def _header(number: int, **members: Any) -> Callable[[dict[str, Any]], Any]:
    def change(document: dict[str, Any]) -> None:
        item = document["signatures"][number]
        header = {**json.loads_object(base64url.decode(item["protected"])), **members}
        item["protected"] = base64url.encode(json.dumps(header))

    return change


def _other_floor(payload: str) -> str:
    return base64url.encode(base64url.decode(payload).replace(b'"minSequence":1', b'"minSequence":2'))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(payload=_other_floor(d["payload"])), "root_threshold"),
        (lambda d: d["signatures"][0].update(signature="AAAA"), "root_threshold"),
        (lambda d: d["signatures"][0].update(signature="%"), "root_threshold"),
        (_header(0, alg="none"), "root_threshold"),
        (_header(0, typ="JOSE"), "root_threshold"),
        (_header(0, crit=["b64"], b64=False), "root_threshold"),
        (_header(0, kid=7), "root_threshold"),
        (lambda d: d["signatures"][0].update(protected=base64url.encode(b"{}")), "root_threshold"),
        (lambda d: d["signatures"][0].update(header={"kid": "x"}), "root_form"),
        (lambda d: d.update(signatures=d["signatures"] * 20), "root_form"),
        (lambda d: d.update(signatures=[]), "root_form"),
        (lambda d: d.update(signatures={}), "root_form"),
        (lambda d: d.update(signatures=["x"]), "root_form"),
        (lambda d: d.update(signatures=[{"protected": 1, "signature": "x"}]), "root_form"),
        (lambda d: d.update(payload=1), "root_form"),
        (lambda d: d.update(payload="e30"), "trust_root"),
        (lambda d: d.update(more=1), "root_form"),
    ],
)  # fmt: skip
def test_what_was_changed_after_signing(first: TrustRoot, second: TrustRoot, change: Any, code: str) -> None:
    signed = sign(second, (*OLD[:2], *NEW[:2]))
    assert successor(first, _with(signed, lambda _: None)) == second
    assert refused(first, _with(signed, change)) == code


@pytest.mark.parametrize(
    ("members", "counts"),
    [({}, True), ({"typ": "JOSE"}, False), ({"alg": "ES384"}, False), ({"crit": ["b64"], "b64": True}, False), ({"x": 1}, False)],
)
def test_a_signature_made_for_something_else_counts_for_nothing(
    first: TrustRoot, second: TrustRoot, members: dict[str, Any], counts: bool
) -> None:
    """A good signature of the right key, under another header than that of a trust root."""
    payload = base64url.encode(second.render())

    def made(signer: LocalSigner) -> dict[str, str]:
        kid = base64url.encode(thumbprint(signer.public_key))
        protected = base64url.encode(json.dumps({"alg": "ES256", "typ": root_chain.TYPE, "kid": kid, **members}))
        return {"protected": protected, "signature": base64url.encode(signer.sign(f"{protected}.{payload}".encode()))}

    signed = json.dumps({"payload": payload, "signatures": [made(signer) for signer in (*OLD, *NEW)]})
    assert (successor(first, signed) == second) if counts else (refused(first, signed) == "root_threshold")


def test_a_compact_token_or_something_endless_is_no_root(first: TrustRoot, second: TrustRoot) -> None:
    token = jws.sign({"typ": root_chain.TYPE}, second.render(), OLD[0])
    assert refused(first, token.encode()) == "json"
    assert refused(first, b" " * (root_chain.MAX_SIGNED + 1)) == "too_large"


# --- what a client makes of it ---


@dataclass
class Chain:
    """A world whose installed root has keys; `offer` puts a successor on the publisher's server."""

    world: World
    root: TrustRoot
    holders: tuple[LocalSigner, ...] = OLD
    offered: dict[int, bytes] = field(default_factory=dict)

    def offer(self, root: TrustRoot, *signers: LocalSigner) -> None:
        self.world.server.bodies[f"{UPDATES}{root.version}.jws"] = sign(root, signers)

    def stored(self) -> list[str]:
        folder = self.world.folder / "state" / "root"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def chain(operator: ListOperator, urssaf: Institution, first: TrustRoot, tmp_path: Path) -> Chain:
    world = World(operator, tmp_path)
    for list_id in ("pid", "wallet"):
        world.publish(operator.lote(list_id=list_id), list_id)
    world.publish(operator.lote(urssaf.draft(), sequence=5))
    world.write_root(first)
    return Chain(world, first)


def test_follows_step_by_step_and_stores_each(chain: Chain, operator: ListOperator) -> None:
    client = chain.world.client()
    assert client.refresh().root_version == 1
    chain.offer(keyed(operator.root(version=2), NEW), *OLD[:2], *NEW[:2])
    chain.offer(keyed(operator.root(version=3), NEW), *NEW[1:])
    known = client.refresh(force=True)
    assert (known.root_version, known.root_alarm, chain.stored()) == (3, None, ["2.jws", "3.jws"])
    chain.world.server.trouble = "down"
    assert chain.world.client().snapshot().root_version == 3  # from what was stored, checked again


def test_asks_for_the_root_when_due_only(chain: Chain) -> None:
    client = chain.world.client()

    def asked() -> int:
        return sum(url.startswith(UPDATES) for url, _ in chain.world.server.asked)

    client.refresh()
    client.refresh()
    assert asked() == 1
    chain.world.now += 2 * SECOND
    client.refresh()
    assert asked() == 2


def test_a_bad_root_is_an_alarm_and_changes_nothing(chain: Chain, operator: ListOperator, urssaf: Institution) -> None:
    client = chain.world.client()
    client.refresh()
    offers = {
        "root_threshold": sign(keyed(operator.root(version=2), NEW), NEW),
        "root_skipped": sign(keyed(operator.root(version=3), OLD), OLD),
        "root_rollback": sign(keyed(operator.root(version=1), OLD), OLD),
        "root_unsigned": sign(operator.root(version=2), OLD),
        "json": b"<html>",
    }
    for code, offered in offers.items():
        chain.world.server.bodies[f"{UPDATES}2.jws"] = offered
        known = client.refresh(force=True)
        assert known.root_alarm is not None
        assert (known.root_alarm.code, known.root_alarm.count, known.root_version) == (code, 1, 1)
    decision = evaluate(ask(urssaf.seal), client.refresh(force=True))
    assert decision.outcome is Outcome.TRUSTED
    assert [warning.code for warning in decision.warnings] == ["root_alarm"]
    assert client.refresh(force=True).root_alarm.count == 3  # type: ignore[union-attr]  # the last one, again
    assert chain.stored() == []
    del chain.world.server.bodies[f"{UPDATES}2.jws"]
    assert client.refresh(force=True).root_alarm is None


def test_an_outage_of_the_root_is_no_alarm(chain: Chain) -> None:
    client = chain.world.client()
    for trouble in ("down", "status", "redirect"):
        chain.world.server.trouble = trouble
        known = client.refresh(force=True)
        assert (known.root_alarm, known.root_version) == (None, 1)


def test_an_address_we_do_not_go_to_is_no_alarm(chain: Chain, first: TrustRoot, tmp_path: Path) -> None:
    """Updates on a private address: the real door out refuses, and nothing was offered."""
    chain.world.write_root(replace(first, updates="https://10.0.0.1/root/"))
    client = TrustClient(tmp_path / "root.json", tmp_path / "state", Outbound(FetchLimits()), lambda: chain.world.now, 60)
    follower = client._follower
    assert list(follower.advance(chain.world.now, force=True)) == []
    assert (follower.alarm, follower.root.version) == (None, 1)


def test_what_cannot_be_carried_over_is_fetched_anew(chain: Chain, operator: ListOperator) -> None:
    client = chain.world.client()
    client.refresh()
    (chain.world.folder / "state" / "pub-eaa.json").write_bytes(b"{")
    chain.offer(keyed(operator.root(version=2), OLD), *OLD)
    item = client.refresh(force=True).lists["pub-eaa"]
    assert (item.alarm, item.accepted.sequence if item.accepted else 0) == (None, 5)


def test_a_root_is_stored_before_it_is_used(chain: Chain, operator: ListOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    client = chain.world.client()
    client.refresh()
    chain.offer(keyed(operator.root(version=2), OLD), *OLD)

    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("trust_list.store.os.replace", full)
    assert client.refresh(force=True).root_version == 1
    monkeypatch.undo()
    assert client.refresh(force=True).root_version == 2


def test_an_older_root_cannot_be_installed_again(chain: Chain, operator: ListOperator, first: TrustRoot) -> None:
    """The stored chain leads from the old file to the newest root; a foreign one that it does not follow from is refused."""
    chain.offer(keyed(operator.root(version=2), OLD), *OLD)
    chain.world.client().refresh()
    chain.world.write_root(first)
    assert chain.world.client().refresh().root_version == 2
    for foreign in (keyed(operator.root(), NEW), operator.root(), keyed(operator.root(version=2), NEW)):
        chain.world.write_root(foreign)
        with pytest.raises(VcError) as caught:
            chain.world.client()
        assert caught.value.code == "root_chain_broken"
    chain.world.write_root(keyed(operator.root(version=7), NEW))  # a newer one that a person installs begins anew
    assert chain.world.client().snapshot().root_version == 7


@pytest.mark.parametrize("damage", ["torn", "gone"])
def test_a_damaged_chain_is_not_used(chain: Chain, operator: ListOperator, damage: str) -> None:
    for version in (2, 3):
        chain.offer(keyed(operator.root(version=version), OLD), *OLD)
    chain.world.client().refresh()
    path = chain.world.folder / "state" / "root" / "2.jws"
    path.write_bytes(b"{") if damage == "torn" else path.unlink()
    with pytest.raises(VcError) as caught:
        RootStore(chain.world.folder / "state").latest(chain.root)
    assert caught.value.code == "root_chain_broken"


def test_a_file_replaced_while_we_run_is_not_taken(chain: Chain, operator: ListOperator) -> None:
    """Whoever can write the file could not sign."""
    client = chain.world.client()
    client.refresh()
    for foreign in (operator.root(version=2), keyed(operator.root(version=2), NEW)):
        chain.world.write_root(foreign)
        assert client.refresh(force=True).root_version == 1


def test_a_root_may_end_its_chain_and_many_steps_end(chain: Chain, operator: ListOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trust_list.root_follower.MAX_STEPS", 2)
    for version in (2, 3):
        chain.offer(keyed(operator.root(version=version), OLD), *OLD)
    chain.offer(keyed(operator.root(version=4), OLD, updates=None), *OLD)
    chain.offer(keyed(operator.root(version=5), OLD), *OLD)
    client = chain.world.client()
    assert [client.refresh(force=True).root_version for _ in range(3)] == [3, 4, 4]


# --- floors under a new root ---


def test_a_new_root_that_says_the_same_keeps_list_and_floor(chain: Chain, operator: ListOperator, urssaf: Institution) -> None:
    """No outage at a change of root, and no way back through it."""
    client = chain.world.client()
    client.refresh()
    chain.offer(keyed(operator.root(version=2), OLD), *OLD)
    chain.world.server.bodies = {a: b for a, b in chain.world.server.bodies.items() if a.startswith(UPDATES)}
    known = client.refresh(force=True)
    assert (known.root_version, evaluate(ask(urssaf.seal), known).outcome) == (2, Outcome.TRUSTED)
    chain.world.publish(operator.lote(urssaf.draft(), sequence=4))
    item = client.refresh(force=True).lists["pub-eaa"]
    assert item.alarm is not None
    assert item.alarm.code == "sequence_rollback"
    assert sequence(chain.world.client()) == 5


def test_only_what_a_new_root_says_anew_resets_a_floor(chain: Chain, operator: ListOperator, urssaf: Institution) -> None:
    """Recovery from a list number driven up: a new root with another floor (TRUST 7.2 rule 2)."""
    chain.world.publish(operator.lote(urssaf.draft(), sequence=2**53 - 1))
    client = chain.world.client()
    assert sequence(client) == 2**53 - 1
    chain.offer(keyed(operator.root(version=2, min_sequence=6), OLD), *OLD)
    chain.world.publish(operator.lote(urssaf.draft(), sequence=6))
    accepted = client.refresh(force=True).lists["pub-eaa"].accepted
    assert accepted is not None
    assert accepted.sequence == 6
    chain.world.publish(operator.lote(urssaf.draft(), sequence=5))
    alarm = client.refresh(force=True).lists["pub-eaa"].alarm
    assert alarm is not None
    assert alarm.code == "sequence_rollback"


def test_rotation_of_the_list_key_by_root(chain: Chain, operator: ListOperator, urssaf: Institution) -> None:
    """Drill: the new signer counts with the new root, and the old one no more."""
    client, signer = chain.world.client(), operator.new_signer()
    client.refresh()
    chain.world.server.put("pub-eaa", operator.seal(operator.lote(urssaf.draft(), sequence=6), signer=signer))
    before = client.refresh(force=True)
    assert before.lists["pub-eaa"].alarm is not None
    assert before.lists["pub-eaa"].alarm.code == "list_signer_unpinned"
    chain.offer(keyed(operator.root(version=2, pub_eaa=signer), NEW), *OLD[:2], *NEW[:2])
    after = client.refresh(force=True)
    assert evaluate(ask(urssaf.seal), after).list.sequence == 6
    chain.world.publish(operator.lote(urssaf.draft(), sequence=7))
    old_signer = client.refresh(force=True).lists["pub-eaa"]
    assert old_signer.alarm is not None
    assert old_signer.alarm.code == "list_signer_unpinned"
