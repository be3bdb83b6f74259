"""The table of reasons: every code the pipeline can give has an outcome, a sentence and a next step."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import verifier
from trust_list import status_lists
from vc.documents.outcome import Outcome
from verifier import trust
from verifier.reasons import BY_CHECK, REASONS, for_error, reason
from verifier.report import CREDENTIAL_CHECKS

SOURCES = (*sorted(Path(verifier.__file__).parent.rglob("*.py")), Path(status_lists.__file__))
_CODE = re.compile(r"[a-z]+(_[a-z]+)+|revoked|suspended")
_GIVERS = {"failed": 1, "refused": 1}  # methods whose second argument is a reason code


def literal_codes() -> Iterator[tuple[str, str]]:
    """(file, code) for every reason code written in the verifier's source and in the status lists'."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            candidates = [keyword.value for keyword in node.keywords if keyword.arg == "because"]
            if name in _GIVERS and len(node.args) > _GIVERS[name]:
                candidates.append(node.args[_GIVERS[name]])
            if name in ("_Problem", "reason"):
                candidates.extend(node.args[:1])
            if name in ("StatusAnswer", "_fall_back"):
                candidates.extend(node.args)
            for candidate in candidates:
                for part in ast.walk(candidate):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and _CODE.fullmatch(part.value):
                        yield path.name, part.value


def test_every_code_in_the_source_has_its_text() -> None:
    found = set(literal_codes())

    assert len(found) > 20
    assert [(name, code) for name, code in found if code not in REASONS] == []


def test_every_error_row_names_a_known_reason() -> None:
    assert {code for rows in BY_CHECK.values() for code in rows.values()} <= set(REASONS)
    assert all("*" in rows for rows in BY_CHECK.values())
    assert set(BY_CHECK) >= set(CREDENTIAL_CHECKS)


def test_every_code_of_the_trust_bridge_has_its_text() -> None:
    assert {*trust._FAILED.values(), *trust._BY_CODE.values()} <= set(REASONS)


@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_reason_is_complete(code: str) -> None:
    row = REASONS[code]

    assert row.outcome is not Outcome.ACCEPT
    assert row.text.endswith(".")
    assert row.next.endswith(".")
    assert len(row.text) < 200
    assert not re.search(r"\b(JWT|nonce|CBOR|JWE|SD-JWT|mdoc)\b", row.text + row.next)  # plain words for an inspector


def test_no_reason_is_unused() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    given = {code for rows in BY_CHECK.values() for code in rows.values()}

    assert [code for code in REASONS if code not in given and f'"{code}"' not in source] == []


def test_a_network_fault_is_neither_revoked_nor_valid() -> None:
    """SECURITY S-7, FIELD 4.1: what could not be looked at never rejects and never accepts."""
    faults = [code for code in REASONS if code.startswith(("status_", "trust_list_", "trust_root"))]
    open_outcomes = {code: REASONS[code].outcome for code in faults}

    assert open_outcomes.pop("status_reference_invalid") is Outcome.REJECT  # the document's own fault
    assert Outcome.REJECT not in open_outcomes.values()
    assert REASONS["technically_expired"].outcome is Outcome.REFRESH


def test_the_pid_says_the_same_under_its_own_code() -> None:
    said = reason("revoked", pid=True)

    assert said.code == "pid.revoked"
    assert said.outcome is Outcome.REJECT
    assert said.text == f"Proof of identity (PID): {REASONS['revoked'].text}"


def test_an_unknown_code_is_a_bug_not_a_silence() -> None:
    with pytest.raises(KeyError):
        reason("no_such_code")


@pytest.mark.parametrize(
    ("check", "error", "code"),
    [
        ("technical_validity", "expired", "technically_expired"),
        ("technical_validity", "not_yet_valid", "technically_not_yet_valid"),
        ("holder_binding", "key_binding_nonce", "holder_proof_wrong_nonce"),
        ("holder_binding", "key_binding_audience", "holder_proof_wrong_audience"),
        ("holder_binding", "key_binding_hash", "holder_proof_altered"),
        ("holder_binding", "key_binding_time", "holder_proof_time"),
        ("holder_binding", "key_binding_missing", "holder_proof_missing"),
        ("holder_binding", "key_binding_signature", "holder_proof_signature"),
        ("holder_binding", "whatever", "holder_proof_invalid"),
        ("structure", "whatever", "presentation_malformed"),
    ],
)
def test_errors_of_the_core_become_reasons(check: str, error: str, code: str) -> None:
    assert for_error(check, error) == code
