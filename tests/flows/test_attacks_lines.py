"""Hostile but truly signed artefacts in one run of many lines (R-17, J-9, S-7): each costs its own verdict and nothing else."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.verifier import sample
from tests.support.verifier_scene import PDA1, Scene, document_of
from trust_list.status_memory import ShortMemory
from vc.encoding import json
from vc.status.reference import StatusReference
from verifier import bare
from verifier.bare import Case
from verifier.lines import Asked, verdicts
from verifier.status import StatusLists
from verifier.verdict import Verdict


class Desk(Scene):
    """Checks lines against the scene's lists."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.trust = self.world.trust()
        self.status = StatusLists(self.world.outbound(), ShortMemory(), self.trust, min_ttl=timedelta(seconds=1))

    def check(self, case: Case) -> Verdict:
        return bare.check(case, trust=self.trust, status=self.status, judge=self.trust)

    def run(self, *artefacts: str) -> Iterator[dict[str, object]]:
        lines = b"\n".join(json.dumps({"name": str(number), "artefact": text}) for number, text in enumerate(artefacts))
        asked = Asked(host_country="DE", on="2026-10-15")
        for line in verdicts(io.BytesIO(lines), asked=asked, check=self.check, clock=self.world.clock):
            yield json.loads_object(line)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.mark.parametrize(
    "uri",
    [
        "https://status.test/" + "a" * 9_000,
        "https://status.test/" + "a" * 70_000,
        "https://status.test:/\x7f",
        "https://" + "a" * 300 + "/list",
        "https://user@status.test/urssaf",
    ],
    ids=["9 kB", "70 kB", "control character", "long label", "user"],
)
@pytest.mark.parametrize("form", PDA1)
def test_a_hostile_status_address_costs_its_own_verdict_only(desk: Desk, form: str, uri: str) -> None:
    """The issuer is listed and its signature holds, so the address is really about to be asked."""
    good = desk.wallet.held[2 if form == "dc+sd-jwt" else 3].text
    document = document_of(sample("pda1", "pda1-01"), "pda1")
    hostile = desk.world.issue(desk.urssaf, PDA1[form], document, status=StatusReference(uri=uri, idx=5)).text

    before, found, after = desk.run(good, hostile, good)

    assert found["outcome"] in ("undetermined", "reject")
    assert found["reasons"], "no verdict without a reason"
    assert (before["outcome"], after["outcome"]) == ("review", "review")  # genuine, its bearer not proved
    assert before["checks"] == after["checks"]
