"""Samples and short cuts for tests about documents. All persons are invented (tests/data/README.md)."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from vc.documents import catalogue
from vc.documents.model import Document
from vc.documents.profile import Profile
from vc.documents.rules import Control

DATA = Path(__file__).parent.parent / "data"
NOW = datetime(2026, 10, 15, 9, 30, tzinfo=UTC)


def load(name: str) -> Any:
    """The content of a file of tests/data."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


SAMPLES: Mapping[str, Any] = {entry["id"]: entry for kind in ("pda1", "ehic") for entry in load(f"{kind}-samples.json")}


def sample(id: str) -> dict[str, Any]:
    """One sample, free to be changed."""
    entry: dict[str, Any] = copy.deepcopy(SAMPLES[id])
    return entry


def kind_of(id: str) -> str:
    """`pda1` or `ehic`."""
    return id.partition("-")[0]


def document(id: str, **changes: Any) -> Document:
    """The document of a sample; `changes` replace members of its data, None takes one away."""
    entry = sample(id)
    data = entry["document_data"] | changes
    stated = {name: value for name, value in data.items() if value is not None}
    return catalogue.parse(kind_of(id), stated, identity=entry["identity"])


def profile(kind: str, id: str) -> Profile:
    """A profile of a document type by its id."""
    return next(entry for entry in catalogue.DOCUMENT_TYPES[kind].profiles if entry.id == id)


def control(on: str = "2026-10-15", country: str | None = "DE") -> Control:
    """A control on that day in that country."""
    return Control(on=date.fromisoformat(on), country=country, now=NOW)
