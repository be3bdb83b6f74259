"""Who may import whom: read from the source with `ast`, so that a stray line is named before it runs (ARCHITECTURE)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("vc", "edge", "pki", "trust_list", "issuer", "verifier", "wallet_sim", "demo")

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "vc": (),
    "edge": ("vc",),
    "pki": ("vc", "edge"),
    "trust_list": ("vc", "edge", "pki"),
    "issuer": ("vc", "edge", "trust_list"),
    "verifier": ("vc", "edge", "trust_list"),
    "wallet_sim": ("vc", "edge", "trust_list"),
    "demo": ("vc", "edge", "pki", "trust_list", "issuer", "verifier", "wallet_sim"),
}
PUBLISHER = ("trust_list.app", "trust_list.serving", "trust_list.authoring", "trust_list.cli", "trust_list.registrar")
"""The publishing side of the trust list is nobody's library but the demo's."""

LAYERS: dict[str, int] = {
    "errors": 0, "clock": 0,
    "encoding": 1,
    "keys": 2,
    "x509": 3,
    "jose": 4, "cose": 4,
    "status": 5, "sdjwt": 5, "mdoc": 5, "documents": 5,
    "formats": 6,
    "openid4vci": 7, "openid4vp": 7,
}  # fmt: skip
"""Inside vc, upward only; of the same height only itself, and the pairs below."""
SAME_HEIGHT = {("sdjwt", "status"), ("mdoc", "status"), ("errors", "clock"), ("clock", "errors")}

PURE_THIRD_PARTY = frozenset({"cryptography", "cbor2", "orjson", "jwcrypto", "asn1crypto", "deflate", "numpy"})
IMPURE_STANDARD = frozenset(
    {"asyncio", "concurrent", "ftplib", "glob", "http", "logging", "multiprocessing", "os", "pathlib", "random", "secrets",
     "select", "shutil", "signal", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time",
     "uuid"}
)  # fmt: skip
"""Modules of the standard library through which the world gets in."""
IMPURE_CALLS = frozenset({"open", "input", "print", "exec", "eval", "compile", "__import__"})
IMPURE_ATTRIBUTES = frozenset(
    {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("io", "open")}
)
DATA_READERS = frozenset({"importlib.resources"})
"""The core may read data files that belong to it: they are part of the program, as its code is."""


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every import; `from a import b` counts as `a.b`, for b may be a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides where it leads"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_one_way_only(package: str) -> None:
    strays = [
        f"{at(path, line)} imports {name}"
        for path in modules(package)
        for line, name in imports(path)
        if (top := name.split(".")[0]) in PACKAGES and top != package and top not in MAY_IMPORT[package]
    ]
    assert modules(package), f"there is no package {package}"
    assert not strays


@pytest.mark.parametrize("package", ["issuer", "verifier", "wallet_sim"])
def test_services_use_the_trust_list_as_consumers(package: str) -> None:
    strays = [
        f"{at(path, line)} imports {name}"
        for path in modules(package)
        for line, name in imports(path)
        if any(name == publisher or name.startswith(f"{publisher}.") for publisher in PUBLISHER)
    ]
    assert not strays


def test_the_core_points_upward_only() -> None:
    strays = []
    for path in modules("vc"):
        mine = layer_of(name_of(path))
        for line, name in imports(path):
            other = layer_of(name) if name.startswith("vc.") else None
            if mine is None or other is None or mine == other or (mine, other) in SAME_HEIGHT:
                continue
            if LAYERS[other] >= LAYERS[mine]:
                strays.append(f"{at(path, line)}: {mine} imports {other}")
    assert not strays


def layer_of(name: str) -> str | None:
    parts = name.split(".")
    if len(parts) < 2:
        return None
    assert parts[1] in LAYERS, f"vc.{parts[1]} has no place in the order of the core"
    return parts[1]


def test_the_core_takes_the_world_from_its_caller() -> None:
    strays = []
    for path in modules("vc"):
        for line, name in imports(path):
            top = name.split(".")[0]
            stdlib_trouble = top in IMPURE_STANDARD
            foreign = top not in PURE_THIRD_PARTY and top != "vc" and not is_standard(top)
            if (stdlib_trouble or foreign) and not any(name.startswith(reader) for reader in DATA_READERS):
                strays.append(f"{at(path, line)} imports {name}")
        strays += [f"{at(path, line)} calls {call}" for line, call in impure_calls(path)]
    assert not strays


def is_standard(top: str) -> bool:
    import sys  # noqa: PLC0415 — only here

    return top in sys.stdlib_module_names


def impure_calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in IMPURE_CALLS:
                yield node.lineno, name
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if (owner, name) in IMPURE_ATTRIBUTES:
                yield node.lineno, f"{owner}.{name}"


def test_formats_meet_documents_only_in_formats() -> None:
    """sdjwt and mdoc do not know PDA1 or EHIC; documents know no format's code."""
    strays = [
        f"{at(path, line)} imports {name}"
        for part, forbidden in (("sdjwt", ("vc.documents",)), ("mdoc", ("vc.documents",)), ("documents", ("vc.sdjwt", "vc.mdoc")))
        for path in modules(f"vc/{part}")
        for line, name in imports(path)
        if name.startswith(forbidden)
    ]
    assert not strays


def test_no_folder_attracts_everything() -> None:
    attractive = {"common", "core", "utils", "util", "shared", "helpers", "helper", "misc", "manager", "managers"}
    found = [
        path.relative_to(ROOT).as_posix()
        for package in (*PACKAGES, "tests", "bench")
        for path in (ROOT / package).rglob("*")
        if path.stem in attractive and path.suffix in ("", ".py") and "node_modules" not in path.parts
    ]
    assert not found


def test_the_walk_finds_what_it_looks_for(tmp_path: Path) -> None:
    """The rules above stand on these two readers: each must see a stray line that is there."""
    stray = tmp_path / "stray.py"
    stray.write_text(
        "from socket import create_connection\nimport issuer.app\nwhen = datetime.now()\nopen('x')\n", encoding="utf-8"
    )
    assert list(imports(stray)) == [(1, "socket.create_connection"), (2, "issuer.app")]
    assert sorted(impure_calls(stray)) == [(3, "datetime.now"), (4, "open")]
