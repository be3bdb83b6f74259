"""The commands about the list of trusted lists: exit codes 0 to 3, one JSON document."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.trusted_lists import lotl, pointer, seal, sealer
from tests.unit.trust_list.test_cli import add, ask, signer, write
from trust_list.national.names import NATIONAL

SIGNER, OTHER = sealer(), sealer("Other (test)")
FRENCH = pointer("https://127.0.0.1:1/tl.xml", "FR", NATIONAL, OTHER)


@pytest.fixture
def pinned(tmp_path: Path) -> str:
    path = tmp_path / "signer.pem"
    path.write_bytes(SIGNER.certificate.public_bytes(Encoding.PEM))
    return str(path)


def made(tmp_path: Path, *, days: int = 30, by: Any = SIGNER) -> str:
    today = datetime.now(UTC)
    path = tmp_path / "lotl.xml"
    draft = lotl(FRENCH, signers=[SIGNER], issued=today - timedelta(days=2), next_update=today + timedelta(days=days))
    path.write_bytes(seal(draft.xml(), by))
    return str(path)


def test_a_usable_list_of_lists(tmp_path: Path, pinned: str) -> None:
    told = ask("lotl", "check", made(tmp_path), "--signer", pinned)
    assert (told["outcome"], told["sequence"], [one["territory"] for one in told["pointers"]]) == ("usable", 20, ["FR"])


@pytest.mark.parametrize(("days", "by", "code"), [(-1, SIGNER, 2), (30, OTHER, 1)], ids=["run out", "wrong signer"])
def test_one_that_is_not(tmp_path: Path, pinned: str, days: int, by: Any, code: int) -> None:
    ask("lotl", "check", made(tmp_path, days=days, by=by), "--signer", pinned, code=code)


def test_a_national_list_that_cannot_be_had(tmp_path: Path, pinned: str) -> None:
    told = ask("lotl", "check", made(tmp_path), "--signer", pinned, "--lists", code=1)
    assert [(row["territory"], row["outcome"]) for row in told["lists"]] == [("FR", "refused")]


def test_wrong_use(tmp_path: Path, pinned: str) -> None:
    ask("lotl", "check", str(tmp_path / "none.xml"), "--signer", pinned, code=3)


def test_explain_asks_the_national_lists(tmp_path: Path, pinned: str) -> None:
    state = tmp_path / "state"
    state.mkdir()
    ask("init", "--state", str(state), "--base-url", "http://localhost:9")
    certificate = write(tmp_path / "seal.pem", signer())
    ask(*add(str(state), certificate))
    ask("publish", "--state", str(state))
    how = ("explain", certificate, "--state", str(state), "--type", "pda1", "--lotl", made(tmp_path))
    told = ask(*how, "--lotl-signer", pinned)
    edge = next(one for one in told["edges"] if one["question"] == "qualified")
    assert (told["outcome"], edge["result"], edge["code"]) == ("TRUSTED", "failed", "certificate_not_qualified")
    ask(*how, code=3)
