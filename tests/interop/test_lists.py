"""Our sealed lists and bundles in the eyes of others: `jose` verifies the seal, `ajv` the payload against ETSI's schema."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.interop import node
from tests.support.bundles import Bundler
from tests.support.pki import NOW, root
from tests.support.trust import EHIC, PDA1, PID, Institution, ListOperator, institution
from trust_list import authoring
from trust_list.bundle.contents import TYPE
from trust_list.profiles import profile
from trust_list.store import Publisher
from vc.encoding import json
from vc.jose import jws as compact


@pytest.fixture(scope="module")
def listed() -> Institution:
    return institution(root("Test seal CA"), "Urssaf-like (test)", "FR", "NTRFR-000000010", PDA1, EHIC, PID)


@pytest.fixture(scope="module")
def published(listed: Institution, tmp_path_factory: pytest.TempPathFactory) -> tuple[Publisher, list[dict[str, Any]]]:
    """Every list the product publishes, as its commands make them; the list of issuers with an entity, and one withdrawn."""
    home = tmp_path_factory.mktemp("publisher")
    authoring.init(home, base_url="https://lists.test", now=NOW)
    authoring.add_entities(home, "pub-eaa", [listed.draft()], now=NOW)
    publisher = Publisher(home)
    for list_id in publisher.list_ids():
        authoring.publish(home, list_id, now=NOW)
    authoring.withdraw(home, "pub-eaa", listed.registration_id, reason="cessationOfOperation", now=NOW)
    editions = [
        edition
        for list_id in publisher.list_ids()
        for sequence in publisher.sequences(list_id)
        if (edition := publisher.edition(list_id, sequence)) is not None
    ]
    return publisher, [{"jws": edition.jws.decode(), "typ": "JOSE"} for edition in editions]


def judged(items: list[dict[str, Any]], pinned: str, folder: Path) -> list[dict[str, Any]]:
    schemas = Path(str(files("trust_list").joinpath("schema")))
    job = {
        "items": items,
        "pinned": pinned,
        "schema": str(schemas / "ts119602_v1.1.1_lote.schema.json"),
        "jwk_schema": str(schemas / "rfc7517.schema.json"),
    }
    verdicts: list[dict[str, Any]] = node.run("lists.mjs", job, folder)["verdicts"]
    return verdicts


def test_jose_and_ajv_take_every_list(published: tuple[Publisher, list[dict[str, Any]]], tmp_path: Path) -> None:
    publisher, items = published
    verdicts = judged(items, (publisher.root / "operator.cert.pem").read_text(), tmp_path)
    assert [verdict["type"] for verdict in verdicts if verdict["seq"] == 1] == [
        profile(name).list_type for name in publisher.list_ids()
    ]
    assert {verdict["entities"] for verdict in verdicts if verdict["type"] == profile("pub-eaa").list_type} == {1}
    assert max(verdict["seq"] for verdict in verdicts) == 2, "the edition that withdraws is among them"


def test_jose_takes_a_bundle(listed: Institution, tmp_path: Path) -> None:
    bundler = Bundler(ListOperator(), listed)
    pinned = bundler.signer.chain[0].public_bytes(Encoding.PEM).decode()
    verdicts = judged([{"jws": bundler.bundle().decode(), "typ": TYPE}], pinned, tmp_path)
    assert verdicts == [{"typ": TYPE, "seq": 10, "lists": ["pub-eaa", "pid", "wallet"]}]


@pytest.mark.parametrize("fault", ["payload", "signature", "signer", "schema"])
def test_the_judges_refuse_what_is_wrong(
    published: tuple[Publisher, list[dict[str, Any]]], listed: Institution, tmp_path: Path, fault: str
) -> None:
    """The judging itself judged."""
    operator = ListOperator()
    proper = operator.seal(operator.lote(listed.draft())).decode()
    pinned = operator.signer.chain[0].public_bytes(Encoding.PEM).decode()
    head, payload, signature = proper.split(".")
    match fault:
        case "payload":
            payload = payload[:50] + ("A" if payload[50] != "A" else "B") + payload[51:]
        case "signature":
            signature = ("A" if signature[0] != "A" else "B") + signature[1:]
        case "signer":
            pinned = (published[0].root / "operator.cert.pem").read_text()
        case _:
            lote = json.loads_object(compact.parse(proper).payload)
            lote["LoTE"]["ListAndSchemeInformation"].pop("LoTESequenceNumber")
            head, payload, signature = operator.seal_bytes(json.dumps(lote)).decode().split(".")
    assert judged([{"jws": proper, "typ": "JOSE"}], operator.signer.chain[0].public_bytes(Encoding.PEM).decode(), tmp_path)
    with pytest.raises(node.ScriptFailed):
        judged([{"jws": f"{head}.{payload}.{signature}", "typ": "JOSE"}], pinned, tmp_path)
