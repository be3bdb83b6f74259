"""`lint`, `author`, `diff`: one JSON document on stdout, exit codes as the other commands."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.unit.trust_list.test_cli import ask, run, signer, write
from trust_list.cli import app
from trust_list.store import Publisher
from vc.encoding import json
from vc.jose import jws

EXAMPLES = Path(__file__).parents[2] / "vectors" / "trust"
FIRST, SECOND = EXAMPLES / "example-pub-eaa-lote-seq1.jws", EXAMPLES / "example-pub-eaa-lote-seq2-withdrawal.jws"
LIST = """\
list: pub-eaa
entities:
  - name: Urssaf-like (test)
    country: FR
    registration_id: NTRFR-000000010
    law: OJ:FR-TEST-1
    mail: attestations@urssaf.example
    phone: +33-1-00-00-00-10
    website: https://www.urssaf.example
    street: 1 rue Exemple
    locality: Montreuil
    services:
      - certificates: [certs/seal.pem]
        types: [{type: pda1}]
"""


@pytest.fixture
def state(tmp_path: Path) -> str:
    folder = tmp_path / "state"
    folder.mkdir()
    ask("init", "--state", str(folder), "--base-url", "http://localhost:9", "--list", "pub-eaa", "--list", "wrpac")
    return str(folder)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "certs").mkdir()
    write(tmp_path / "certs" / "seal.pem", signer())
    path = tmp_path / "list.yaml"
    path.write_text(LIST)
    return path


def test_init_begins_the_lists_it_is_told(state: str) -> None:
    assert Publisher(Path(state)).list_ids() == ("pub-eaa", "wrpac")
    root = json.loads_object((Path(state) / "trust-root.json").read_bytes())
    assert {entry["id"] for entry in json.loads_object(json.dumps(root.get("signed", root)))["lists"]} == {"pub-eaa", "wrpac"}


@pytest.mark.parametrize(("option", "value", "code"), [("--list", "qeaa", "list_unknown"), ("--jades", "lt", "jades_profile")])
def test_init_refuses_what_it_does_not_know(tmp_path: Path, option: str, value: str, code: str) -> None:
    assert ask("init", "--state", str(tmp_path / "new"), option, value, code=3)["code"] == code
    assert not (tmp_path / "new" / "config.json").exists()


def test_init_chooses_what_seals_carry(tmp_path: Path) -> None:
    ask("init", "--state", str(tmp_path), "--jades", "aptitude")
    ask("publish", "--state", str(tmp_path), "--list", "pid")
    edition = Publisher(tmp_path).latest("pid")
    assert edition is not None
    assert "x5c" not in jws.parse(edition.jws.decode()).header
    path = tmp_path / "lists" / "pid" / "1.jws"
    arguments = ("lint", str(path), "--jades", "aptitude", "--signer", str(tmp_path / "operator.cert.pem"))
    assert ask(*arguments)["findings"] == []
    assert ask("verify", str(path), "--state", str(tmp_path))["outcome"] == "accepted"


# --- lint ---


def test_lint_says_clean_with_exit_code_0() -> None:
    told = ask("lint", str(FIRST), "--profile", "pub-eaa")
    assert told == {"profile": "pub-eaa", "outcome": "clean", "errors": 0, "warnings": 0, "findings": []}
    assert ask("lint", str(FIRST))["profile"] == "pub-eaa"  # read off the list
    assert run("lint", str(FIRST)).stdout == "pub-eaa: 0 error(s), 0 warning(s)\n"


def test_lint_tells_clause_and_path_with_exit_code_1(tmp_path: Path) -> None:
    document = json.loads_object((EXAMPLES / "example-pub-eaa-lote-seq1.json").read_bytes())
    document["LoTE"]["ListAndSchemeInformation"]["HistoricalInformationPeriod"] = 10
    path = tmp_path / "list.json"
    path.write_bytes(json.dumps(document))
    told = ask("lint", str(path), "--profile", "pub-eaa", code=1)
    assert (told["outcome"], told["errors"]) == ("refused", 1)
    assert told["findings"] == [
        {
            "severity": "error", "code": "history_period", "clause": "Annex H, Table H.1", "part": "list",
            "path": "/LoTE/ListAndSchemeInformation/HistoricalInformationPeriod", "text": "must be 65535",
        }
    ]  # fmt: skip
    result = run("lint", str(path))
    place = "/LoTE/ListAndSchemeInformation/HistoricalInformationPeriod"
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == f"error   Annex H, Table H.1  list {place}  history_period: must be 65535"


def test_lint_warnings_do_not_fail(tmp_path: Path) -> None:
    document = json.loads_object((EXAMPLES / "example-pub-eaa-lote-seq1.json").read_bytes())
    document["LoTE"]["ListAndSchemeInformation"]["NextUpdate"] = None
    path = tmp_path / "list.json"
    path.write_bytes(json.dumps(document))
    told = ask("lint", str(path))
    assert (told["outcome"], told["warnings"], told["findings"][0]["code"]) == ("clean", 1, "closed")


def test_lint_against_another_profile_and_an_earlier_edition() -> None:
    assert ask("lint", str(FIRST), "--profile", "wrprc", code=1)["errors"] > 10
    assert ask("lint", str(SECOND), "--previous", str(FIRST))["findings"] == []
    codes = {row["code"] for row in ask("lint", str(FIRST), "--previous", str(SECOND), code=1)["findings"]}
    assert {"sequence", "issue_time", "history_removed"} <= codes


def test_lint_reads_standard_input() -> None:
    result = CliRunner().invoke(app, ["lint", "-", "--json"], input=FIRST.read_bytes())
    assert (result.exit_code, json.loads_object(result.stdout)["outcome"]) == (0, "clean")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("{none}",), "file"),
        ((str(FIRST), "--profile", "qeaa"), "list_unknown"),
        ((str(FIRST), "--jades", "lt"), "jades_profile"),
        ((str(EXAMPLES / "README.md"),), "profile_unknown"),
    ],
)
def test_lint_wrong_use(tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    told = ask("lint", *(part.format(none=tmp_path / "none") for part in arguments), code=3)
    assert (told["outcome"], told["code"]) == ("wrong_use", code)


def test_lint_of_something_else_is_a_finding_when_the_profile_is_named() -> None:
    assert ask("lint", str(EXAMPLES / "README.md"), "--profile", "pid", code=1)["findings"][0]["code"] == "jws"


# --- author ---


def test_author_publishes_and_says_what_changed(state: str, file: Path) -> None:
    told = ask("author", str(file), "--state", state)
    assert (told["sequence"], told["entities"], told["staged"], told["changes"]) == (1, 1, False, [])
    assert ask("lint", str(Path(state) / "lists" / "pub-eaa" / "1.jws"))["findings"] == []
    file.write_text(LIST.replace("Montreuil", "Paris"))
    again = ask("author", str(file), "--state", state)
    assert again["sequence"] == 2
    assert [(row["kind"], row["what"], row["entity"]) for row in again["changes"]] == [("changed", "entity", "NTRFR-000000010")]
    file.write_text(LIST.replace("    services:", "    withdrawn: merged\n    services:").replace("Montreuil", "Paris"))
    words = run("author", str(file), "--state", state).stdout.splitlines()
    assert words[0].startswith("~ status NTRFR-000000010: notified since")
    assert words[-1] == "pub-eaa: edition 3 has 1 entities"


def test_author_stages(state: str, file: Path) -> None:
    told = ask("author", str(file), "--state", state, "--stage")
    assert (told["staged"], told["sequence"], told["sha256"], told["next_update"]) == (True, None, None, None)
    assert run("author", str(file), "--state", state, "--stage").stdout == "pub-eaa: the draft has 1 entities\n"
    assert Publisher(Path(state)).latest("pub-eaa") is None


def test_author_takes_certificates_written_into_the_description(state: str, file: Path) -> None:
    block = "\n".join(f"          {line}" for line in (file.parent / "certs" / "seal.pem").read_text().splitlines())
    file.write_text(LIST.replace("[certs/seal.pem]", f"\n        - |\n{block}"))
    assert ask("author", str(file), "--state", state)["entities"] == 1


@pytest.mark.parametrize(
    ("change", "code", "exit_code"),
    [
        (("list: pub-eaa", "list: qeaa"), "description", 3),
        (("country: FR", "country: *x"), "yaml_alias", 3),
        (("certs/seal.pem", "certs/none.pem"), "certificate", 3),
        (("certs/seal.pem", "/dev/zero"), "certificate", 3),
        (("certs/seal.pem", "list.yaml"), "certificate", 3),
        (("type: pda1", "type: a1"), "type_unknown", 3),
        (("OJ:FR-TEST-1", "no law"), "list_findings", 1),
    ],
)
def test_author_refuses(state: str, file: Path, change: tuple[str, str], code: str, exit_code: int) -> None:
    file.write_text(LIST.replace(*change))
    assert ask("author", str(file), "--state", state, code=exit_code)["code"] == code
    assert Publisher(Path(state)).latest("pub-eaa") is None


def test_author_refuses_a_long_description(state: str, file: Path) -> None:
    file.write_bytes(b"#" * (1024 * 1024 + 1))
    assert ask("author", str(file), "--state", state, code=1)["code"] == "too_large"


# --- diff ---


def test_diff_tells_every_change() -> None:
    told = ask("diff", str(FIRST), str(SECOND.with_suffix(".json")))
    assert (told["from"], told["to"], told["findings"]) == (1, 2, [])
    kinds: list[Any] = [(row["kind"], row["what"]) for row in told["changes"]]
    assert kinds[:3] == [("changed", "scheme")] * 3
    assert kinds[3:5] == [("changed", "status")] * 2
    assert told["changes"][3]["path"] == "/LoTE/TrustedEntitiesList/2/TrustedEntityServices/0/ServiceInformation/ServiceStatus"
    assert run("diff", str(FIRST), str(FIRST)).stdout.splitlines()[0] == "no difference"


def test_diff_fails_when_the_succession_is_broken() -> None:
    told = ask("diff", str(SECOND), str(FIRST), code=1)
    assert told["findings"][0] == {
        "severity": "error", "code": "sequence", "clause": "6.3.2", "part": "list",
        "path": "/LoTE/ListAndSchemeInformation/LoTESequenceNumber",
        "text": "the number is not higher than that of the earlier edition",
    }  # fmt: skip
    assert run("diff", str(SECOND), str(FIRST)).exit_code == 1


def test_diff_wants_two_lists(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    assert ask("diff", str(FIRST), str(path), code=1)["code"] == "lote_structure"
    path.write_bytes(b"\xff\xfe")
    assert ask("diff", str(FIRST), str(path), code=1)["code"] == "jws"


def test_diff_of_lists_nobody_knows_the_rules_of(tmp_path: Path) -> None:
    document = json.loads_object((EXAMPLES / "example-pub-eaa-lote-seq1.json").read_bytes())
    document["LoTE"]["ListAndSchemeInformation"]["LoTEType"] = "https://trust.example/other"
    path = tmp_path / "other.json"
    path.write_bytes(json.dumps(document))
    assert ask("diff", str(FIRST), str(path), code=1)["code"] == "list_type"
