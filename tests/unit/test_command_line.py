"""The head of the command line: exit codes, help, and that nobody meets a traceback."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import portadoc

ROOT = Path(__file__).resolve().parent.parent.parent


Put = Callable[[Callable[[], Any]], None]


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Put a command of ours in the place of the demo."""

    def put(command: Callable[[], Any]) -> None:
        app = typer.Typer()
        app.command()(command)
        module = ModuleType("demo.cli")
        module.__dict__["app"] = app
        monkeypatch.setitem(sys.modules, "demo.cli", module)

    return put


@pytest.mark.parametrize(
    ("arguments", "code", "shows"),
    [
        (["--help"], 0, "trust-list"),
        (["--version"], 0, "portadoc "),
        (["nothing"], 3, "No such command"),
        (["--nothing"], 3, "No such option"),
        (["demo", "--nothing"], 3, "No such option"),
        (["demo", "--port-base", "many"], 3, "port-base"),
        (["demo", "--help"], 0, "--serve"),
    ],
)
def test_usage(arguments: list[str], code: int, shows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert portadoc.run(arguments) == code
    out, err = capsys.readouterr()
    assert shows in (out if code == 0 else err)
    if code:
        assert not out, "messages go to stderr"


def test_nothing_asked_shows_the_help_and_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert portadoc.run([]) == 3
    assert "Usage: portadoc" in capsys.readouterr().out


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_a_command_chooses_its_exit_code(code: int, part: Put) -> None:
    def command() -> None:
        raise typer.Exit(code)

    part(command)
    assert portadoc.run(["demo"]) == code


def test_an_unexpected_fault_gives_one_sentence(part: Put, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise RuntimeError("2880469999999")

    part(command)
    assert portadoc.run(["demo"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "unexpected fault" in err
    assert "Traceback" not in err
    assert "2880469999999" not in err, "an exception's text may hold personal data"


def test_the_traceback_is_there_for_who_asks(
    part: Put, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def command() -> None:
        raise RuntimeError("why")

    part(command)
    monkeypatch.setenv("PORTADOC_TRACEBACK", "1")
    assert portadoc.run(["demo"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_interruption_and_given_up_questions(part: Put) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    def given_up() -> None:
        raise typer.Abort

    part(interrupted)
    assert portadoc.run(["demo"]) == portadoc.INTERRUPTED
    part(given_up)
    assert portadoc.run(["demo"]) == portadoc.WRONG_USE


def test_help_loads_no_part() -> None:
    """`portadoc --help` is quick because the parts are imported when they are called."""
    program = (
        "import sys, portadoc; code = portadoc.run(['--help']); "
        "loaded = {'fastapi', 'sqlalchemy', 'cryptography', 'issuer', 'verifier'} & set(sys.modules); "
        "sys.exit(f'loaded: {loaded}' if loaded or code else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_part_has_a_module() -> None:
    for module, text in portadoc.PARTS.values():
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), module
        assert text.endswith(".")
