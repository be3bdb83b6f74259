"""The institution API as the command line uses it: found by the demo's state directory, asked over HTTP like anybody else."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.outbound import Fetched, FetchLimits, Outbound
from vc.documents import catalogue
from vc.encoding import json
from vc.errors import Refused, Unreachable, VcError

DONE, REFUSED, UNDETERMINED, WRONG_USE = 0, 1, 2, 3
_SUBMITTED = ("document_data", "identity", "type", "profile", "paper_only")


class CommandFailed(Exception):
    """A command cannot go on: the exit code, one sentence, and more lines where there are more faults."""

    def __init__(self, exit_code: int, sentence: str, lines: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
        self.lines = lines


def read_submission(path: Path, case: str | None) -> dict[str, Any]:
    """The members of the API request in a sample file: one entry, or of a list the one whose `id` is `case`.

    Raises `CommandFailed` with exit code 3.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as exc:
        raise CommandFailed(WRONG_USE, f"{path}: {exc.strerror}") from exc
    except VcError as exc:
        raise CommandFailed(WRONG_USE, f"{path}: not strict JSON ({exc.code})") from exc
    entries = content if isinstance(content, list) else [content]
    if not all(isinstance(entry, dict) for entry in entries):
        raise CommandFailed(WRONG_USE, f"{path}: neither a document nor a list of documents")
    found = [entry for entry in entries if case is None or entry.get("id") == case]
    if len(found) != 1:
        raise CommandFailed(WRONG_USE, f"{path}: {len(found)} entries fit; name one with --case")
    if "document_data" not in found[0] and "identity" not in found[0]:
        raise CommandFailed(WRONG_USE, f"{path}: there is no document_data")
    return {"document_data": {}, **{name: found[0][name] for name in _SUBMITTED if name in found[0]}}


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A running demo: base URL of its issuer and the institutions with their tokens."""

    base_url: str
    institutions: Sequence[Mapping[str, Any]]
    outbound: Outbound

    @classmethod
    @contextmanager
    def open(cls, state: Path | None) -> Iterator["DemoClient"]:
        """The demo whose state directory that is. Raises `CommandFailed` with exit code 3 when there is none."""
        if state is None:
            raise CommandFailed(WRONG_USE, "name the demo's state directory with --state or PORTADOC_STATE")
        try:
            demo = json.loads_object((state / "demo.json").read_bytes())
            tls_ca = demo.get("ca_files", {}).get("tls")
            issuer, institutions = demo["issuer"], demo["institutions"]
        except OSError as exc:
            raise CommandFailed(WRONG_USE, f"no demo in {state}: {exc.strerror}") from exc
        except (VcError, KeyError, AttributeError) as exc:
            raise CommandFailed(WRONG_USE, f"{state / 'demo.json'} is not what a demo writes") from exc
        outbound = Outbound(FetchLimits(allow_loopback=True), ca_file=None if tls_ca is None else Path(tls_ca))
        try:
            yield cls(issuer, institutions, outbound)
        finally:
            outbound.close()

    def choose(self, institution: str, submission: Mapping[str, Any]) -> Mapping[str, Any]:
        """The institution of that id; for `auto` the one for the document's type and country. Raises `CommandFailed`."""
        if institution != "auto":
            named = [entry for entry in self.institutions if entry["id"] == institution]
            if not named:
                raise CommandFailed(WRONG_USE, f"there is no institution {institution} in this demo")
            return named[0]
        try:
            document_type = submission.get("type") or catalogue.guess_type(submission["document_data"])
            document = catalogue.parse(document_type, submission["document_data"], identity=submission.get("identity"))
        except VcError as exc:
            raise CommandFailed(REFUSED, "the document breaks rules of its type", _lines(exc)) from exc
        country = document.issuing_country
        fitting = [e for e in self.institutions if document_type in e["types"] and country in (None, e["country"])]
        if not fitting:
            raise CommandFailed(REFUSED, f"no institution of this demo issues {document_type} for {country}")
        return fitting[0]

    def owner(self, document_id: str) -> Mapping[str, Any]:
        """The institution that has this document. Raises `CommandFailed` with exit code 1 when none has."""
        for institution in self.institutions:
            answer = self._send("GET", institution, f"/documents/{document_id}", None)
            if answer.status == 200:
                return institution
            if answer.status != 404:
                self._body(answer)
        raise CommandFailed(REFUSED, "there is no such document in this demo")

    def get(self, institution: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The answer to a GET. Raises `CommandFailed`."""
        return self._body(self._send("GET", institution, path, None))

    def post(self, institution: Mapping[str, Any], path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a POST. Raises `CommandFailed`."""
        return self._body(self._send("POST", institution, path, body))

    def _send(self, method: str, institution: Mapping[str, Any], path: str, body: Mapping[str, Any] | None) -> Fetched:
        url, headers = f"{self.base_url}/api/v1{path}", {"authorization": f"Bearer {institution['api_token']}"}
        try:
            return (
                self.outbound.get(url, headers=headers) if method == "GET" else self.outbound.post(url, json=body, headers=headers)
            )
        except (Unreachable, Refused) as exc:
            raise CommandFailed(UNDETERMINED, f"the issuer does not answer: {exc.detail}") from exc

    @staticmethod
    def _body(answer: Fetched) -> dict[str, Any]:
        try:
            body = json.loads_object(answer.body)
        except VcError as exc:
            raise CommandFailed(UNDETERMINED, f"the issuer's answer cannot be read (status {answer.status})") from exc
        if 200 <= answer.status < 300:
            return body
        faults = [f"{fault.get('pointer')}: {fault.get('detail')} ({fault.get('code')})" for fault in body.get("errors", [])]
        exit_code = REFUSED if 400 <= answer.status < 500 and answer.status != 429 else UNDETERMINED
        raise CommandFailed(exit_code, f"{body.get('code')}: {body.get('detail')}", faults)


def _lines(error: VcError) -> list[str]:
    return [f"{p.pointer}: {p.detail} ({p.code})" for p in getattr(error, "problems", [])] or [f"{error.code}: {error.detail}"]
