"""The checks that are switched off one by one, as declared in `checks.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TABLE = Path(__file__).with_name("checks.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One enforced check. `find`: stands once in `file`; `replace`: the same without the check; `tests`: what must fail then."""

    id: str
    rule: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]

    def switched_off(self, source: str) -> str:
        """`source` without the check. ValueError when `find` does not stand there exactly once."""
        if source.count(self.find) != 1:
            raise ValueError(f"{self.id}: the text to replace stands {source.count(self.find)} times in {self.file}")
        return source.replace(self.find, self.replace)


def checks() -> tuple[Check, ...]:
    """The table, in its order."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["check"]
    return tuple(Check(**{**row, "tests": tuple(row["tests"])}) for row in rows)
