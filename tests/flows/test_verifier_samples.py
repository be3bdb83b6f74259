"""Every sample with its dated checks, issued in every shape that can carry it and judged by the real pipeline."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.verifier import Held, Institution, World, samples
from trust_list.status_memory import ShortMemory
from vc import formats
from vc.documents import catalogue
from vc.documents.catalogue import Configuration
from vc.errors import Refused
from vc.formats import Challenge
from vc.openid4vp import dcql
from verifier import checks
from verifier.purposes import PURPOSES, Ask, Format
from verifier.sources import Control, Shown
from verifier.status import StatusLists
from verifier.verdict import Verdict

CHALLENGE = Challenge(nonce="n" * 32, audience="x509_hash:verifier", response_uri="https://verifier.test/response")
PURPOSE = {"pda1": PURPOSES["a1-inspection"], "ehic": PURPOSES["ehic-care"]}


class Europe:
    """An institution for every country of the samples, each listed for its own country, and one PID provider."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        countries = {entry["document_data"]["issuing_country"] for kind in PURPOSE for entry in samples(kind)}
        self.institutions: dict[str, Institution] = {
            country: self.world.institution(f"institution-{country.lower()}", country) for country in sorted(countries)
        }
        self.pids = self.world.institution("pids", "FR", types=("pid",))
        self.world.publish_lists()
        self.trust = self.world.trust()
        self.status = StatusLists(self.world.outbound(), ShortMemory(), self.trust, min_ttl=timedelta(seconds=1))

    def judge(self, kind: str, entry: dict[str, Any], configuration: Configuration, check: dict[str, str]) -> Verdict:
        """The verdict on a sample's document and its holder's PID, presented together."""
        issuer = self.institutions[entry["document_data"]["issuing_country"]]
        document = catalogue.parse(kind, entry["document_data"], identity=entry["identity"])
        held = self.world.issue(issuer, configuration.id, document)
        if entry.get("revocation", {}).get("revoked"):
            issuer.revoked[self.world.last_index()] = 1
            self.world.now += timedelta(seconds=61)  # the list fetched for the sample before lasts a minute
        pid = self.world.issue(self.pids, "pid_sd_jwt", catalogue.parse("pid", {}, identity=entry["identity"]))
        purpose = PURPOSE[kind]
        formats_asked: tuple[Format, ...] = ("dc+sd-jwt", "mso_mdoc")
        asks = {(ask.role, ask.format): ask for ask in purpose.asks(formats_asked)}
        shown = [self._show(pid, asks["pid", "dc+sd-jwt"]), self._show(held, asks["document", configuration.format])]  # type: ignore[index]
        return checks.run(
            shown,
            control=Control(
                purpose=purpose,
                country=check.get("host_country") or check["treating_country"],
                on=date.fromisoformat(check.get("inspection_date") or check["treatment_date"]),
                now=self.world.now,
            ),
            challenge=CHALLENGE,
            query=dcql.parse(purpose.to_dcql(formats_asked)),
            trust=self.trust,
            status=self.status,
        )

    def _show(self, held: Held, ask: Ask) -> Shown:
        unverified = formats.parse_issued(held.format, held.text)
        credential = unverified.verify_issuer(unverified.chain[0].public_key())  # type: ignore[arg-type]  # EC in this world
        disclose = [path for path in credential.disclosed if path[: len(ask.claims[0])] in ask.claims]
        text = formats.present(
            held.format, held.text, holder=held.holder, disclose=disclose, challenge=CHALLENGE, now=self.world.now
        )
        return Shown(role=ask.role, format=held.format, text=text, ask=ask)


@pytest.fixture(scope="module")
def europe(tmp_path_factory: pytest.TempPathFactory) -> Europe:
    return Europe(tmp_path_factory.mktemp("europe"))


def cases() -> Iterator[Any]:
    for kind in PURPOSE:
        for entry in samples(kind):
            document = catalogue.parse(kind, entry["document_data"], identity=entry["identity"])
            for configuration in catalogue.CONFIGURATIONS.values():
                if configuration.document_type != kind or not carries(configuration, document):
                    continue
                for check in entry["checks"]:
                    day = check.get("inspection_date") or check["treatment_date"]
                    where = check.get("host_country") or check["treating_country"]
                    yield pytest.param(kind, entry, configuration, check, id=f"{entry['id']}-{configuration.id}-{where}-{day}")


def carries(configuration: Configuration, document: Any) -> bool:
    try:
        configuration.profile.project(document)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(("kind", "entry", "configuration", "check"), list(cases()))
def test_a_sample_gets_its_expected_verdict(
    europe: Europe, kind: str, entry: dict[str, Any], configuration: Configuration, check: dict[str, str]
) -> None:
    verdict = europe.judge(kind, entry, configuration, check)

    assert verdict.outcome == check["expected"], (
        check["reason"],
        verdict.codes,
        [c for c in verdict.checks if c.result != "passed"],
    )
    assert verdict.document is not None
    if entry["document_data"].get("ending_date") == "2499-01-01":
        assert verdict.validity.cover.until == "open"
        assert "2499" not in str(verdict.to_json())


def test_the_revoked_card_is_rejected_for_that_alone(europe: Europe) -> None:
    entry = next(one for one in samples("ehic") if one["id"] == "ehic-10")

    verdict = europe.judge("ehic", entry, catalogue.CONFIGURATIONS["ehic_dc4eu-1_sd_jwt"], entry["checks"][0])

    assert verdict.codes == ("revoked",)


def test_there_are_samples() -> None:
    assert len({case.values[1]["id"] for case in cases()}) == 14
