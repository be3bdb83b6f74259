"""Anchors come from accepted lists and from nowhere else: by construction, and against everything a peer can present."""

import ast
import inspect
from itertools import permutations
from pathlib import Path

import pytest

import trust_list
from tests.support.pki import Authority, root
from tests.support.trust import Institution, ListOperator, subject
from tests.unit.trust_list.test_decide import ask, known
from trust_list.anchors import Anchors
from trust_list.decide import Outcome, evaluate

_DECIDING = ("anchors", "axes", "decide", "explain", "matching", "query", "snapshot")
_PATH_BUILDERS = {"find_path", "PathCache", "PolicyBuilder", "Store"}


def _calls(module: str) -> list[ast.Call]:
    tree = ast.parse((Path(trust_list.__path__[0]) / f"{module}.py").read_text())
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _PATH_BUILDERS
    ]


def test_paths_are_built_to_what_an_entry_lists_and_to_nothing_else() -> None:
    """One place builds paths, and its anchors are the certificates of an entry, which only a list can make."""
    calls = [(module, call) for module in _DECIDING for call in _calls(module)]
    assert [(module, ast.unparse(call)) for module, call in calls] == [("anchors", "PathCache(entry.certificates, rules)")]


def test_no_question_to_the_index_takes_an_anchor() -> None:
    for name, method in inspect.getmembers(Anchors, inspect.isfunction):
        assert not {"anchors", "roots", "authorities", "store"} & set(inspect.signature(method).parameters), name
    assert list(inspect.signature(Anchors.__init__).parameters) == ["self", "lote", "profile"]


@pytest.mark.parametrize("mode", ["strict", "historical"])
def test_nothing_a_peer_brings_along_makes_trust(operator: ListOperator, urssaf: Institution, mode: str) -> None:
    """A stranger with the listed names throughout, and every order of certificates, also with the listed one added."""
    world = known(operator, operator.lote(urssaf.draft()))
    who = subject(urssaf.name, "FR", urssaf.registration_id)
    stranger = root(subject={**who, "CN": "CA"})
    leaf = stranger.authority("Intermediate").leaf(subject=who)
    beneath_listed = Authority(urssaf.seal.chain[0], stranger.key).leaf(subject=who)
    material = (*leaf.chain, stranger.certificate, urssaf.seal.chain[0])
    for size in range(1, len(material) + 1):
        for chain in permutations(material, size):
            decision = evaluate(ask(leaf, chain=chain, mode=mode), world)
            # Whoever presents the listed certificate itself first must also have its key: signatures are checked against it.
            assert decision.trusted is (chain[0] is urssaf.seal.chain[0])
    for chain in ((beneath_listed.chain[0], urssaf.seal.chain[0]), (stranger.certificate,)):
        assert evaluate(ask(leaf, chain=chain, mode=mode), world).outcome is Outcome.UNKNOWN_ISSUER
