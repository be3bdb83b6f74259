"""The whole path in words: each edge with its answer, the exact reason and what to do (the issue's `explain`)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.pki import NOW, Authority, root
from tests.support.trust import PDA1, Institution, ListOperator, subject
from tests.unit.trust_list.test_decide import EHIC_ASKED, ask, known
from trust_list import explain
from trust_list.authoring import EntityDraft, ServiceDraft
from trust_list.decide import TrustQuery, evaluate
from trust_list.snapshot import TrustSnapshot, snapshot


def told(query: TrustQuery, world: TrustSnapshot) -> dict[str, Any]:
    return explain.to_json(query, evaluate(query, world), world)


def edge(explained: dict[str, Any], question: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [item for item in explained["edges"] if item["question"] == question]
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def own_ca() -> Authority:
    return root(subject={**subject("Own CA (test)", "FR", "NTRFR-000000050"), "CN": "CA"})


@pytest.fixture(scope="module")
def world(operator: ListOperator, urssaf: Institution, cnam: Institution, own_ca: Authority) -> TrustSnapshot:
    service = ServiceDraft(role="issuance", certificates=(own_ca.certificate,), authorisations=(PDA1,))
    body = EntityDraft(
        name="Own CA (test)", country="FR", registration_id="NTRFR-000000050", law="OJ:FR-TEST-1", services=(service,)
    )
    wallets = ServiceDraft(role="issuance", certificates=cnam.seal.chain[:1], unique_identifier="urn:example:wallet:1")
    maker = EntityDraft(name=cnam.name, country="FR", registration_id=cnam.registration_id, services=(wallets,))
    return known(operator, operator.lote(urssaf.draft(), body), operator.lote(maker, list_id="wallet", sequence=12))


def test_every_node_has_its_edge_and_every_edge_its_nodes(world: TrustSnapshot, urssaf: Institution) -> None:
    explained = told(ask(urssaf.seal), world)
    ids = [node["id"] for node in explained["nodes"]]
    assert ids == ["certificate", "entry", "list", "signer", "root", "document", "national_lists"]
    assert {item[end] for item in explained["edges"] for end in ("from", "to")} == set(ids)
    assert {item["next"] for item in explained["edges"]} == {""}
    entry = explained["nodes"][1]
    assert entry["title"] == "Pub-EAA provider Urssaf-like (test)"
    assert entry["facts"]["status_1"] == "notified since 2026-11-24T12:00:00Z"
    assert (explained["list"]["seq"], explained["list"]["age"], explained["root"]["version"]) == (1, 0, 1)
    assert explained["elsewhere"] == []


def test_intermediates_stand_between_leaf_and_entry(world: TrustSnapshot, own_ca: Authority) -> None:
    leaf = own_ca.authority("Intermediate").leaf(subject=subject("Own CA (test)", "FR", "NTRFR-000000050"))
    explained = told(ask(leaf), world)
    assert explained["outcome"] == "TRUSTED"
    signature, path = edge(explained, "signature"), edge(explained, "path")
    assert (signature["from"], signature["to"], signature["code"]) == ("certificate", "intermediate-1", "signed")
    assert (path["from"], path["to"], path["result"]) == ("intermediate-1", "entry", "passed")


def test_the_broken_link_is_named(world: TrustSnapshot, own_ca: Authority, authority: Authority) -> None:
    who = subject("Own CA (test)", "FR", "NTRFR-000000050")
    leaf, stranger = own_ca.authority("Intermediate").leaf(subject=who), own_ca.authority("Intermediate").leaf(subject=who)
    mixed = ask(leaf, chain=(leaf.chain[0], stranger.chain[1]))
    assert edge(told(mixed, world), "signature")["code"] == "not_signed"
    beneath_a_leaf = ask(leaf, chain=(leaf.chain[0], stranger.chain[0]))
    assert edge(told(beneath_a_leaf, world), "signature")["code"] == "not_a_ca"
    brought = ask(leaf, chain=(leaf.chain[0], authority.certificate))
    assert edge(told(brought, world), "signature")["code"] == "presented_root"


def test_what_came_along_needlessly_is_said(world: TrustSnapshot, urssaf: Institution, authority: Authority) -> None:
    explained = told(ask(urssaf.seal, chain=(urssaf.seal.chain[0], authority.certificate)), world)
    assert explained["outcome"] == "TRUSTED"
    assert edge(explained, "signature")["code"] == "not_needed"
    assert edge(explained, "path")["from"] == "certificate"


def test_a_certificate_of_another_list_is_named_with_list_edition_and_part(world: TrustSnapshot, cnam: Institution) -> None:
    explained = told(ask(cnam.seal), world)
    sentence = (
        "this certificate is on list wallet edition 12 as wallet provider, CNAM-like (test), "
        "not on list pub-eaa edition 1 as Pub-EAA provider"
    )
    path = edge(explained, "path")
    assert (path["result"], path["code"], path["detail"]) == ("failed", "listed_elsewhere", sentence)
    assert path["next"].startswith("The issuer used a certificate made for another part")
    assert explained["elsewhere"] == [
        {"list": "wallet", "seq": 12, "as": "wallet provider", "entity": "CNAM-like (test)", "how": "certificate"}
    ]


def test_a_key_or_an_authority_of_another_list_is_found_too(
    world: TrustSnapshot, cnam: Institution, own_ca: Authority, authority: Authority
) -> None:
    renewed = authority.leaf(key=cnam.seal.private_key, subject=subject(cnam.name, "FR", cnam.registration_id))
    assert told(ask(renewed), world)["elsewhere"][0]["how"] == "key"
    assert edge(told(ask(renewed), world), "path")["detail"].startswith("this key is on list wallet edition 12")
    beneath = own_ca.leaf(subject=subject("Own CA (test)", "FR", "NTRFR-000000050"))
    asked = ask(beneath, list_id="wallet", format=None, type_id=None, attestation_type=None)
    assert told(asked, world)["elsewhere"][0]["how"] == "authority"
    assert edge(told(asked, world), "path")["detail"].startswith("the issuer of this certificate is on list pub-eaa")


def test_what_to_do_stands_at_the_edge_that_fails(world: TrustSnapshot, urssaf: Institution) -> None:
    explained = told(ask(urssaf.seal, **EHIC_ASKED), world)
    failing = [item for item in explained["edges"] if item["result"] == "failed"]
    assert [(item["question"], bool(item["next"])) for item in failing] == [("scope", True)]


def test_lists_that_cannot_be_used(world: TrustSnapshot, urssaf: Institution, operator: ListOperator) -> None:
    unknown = told(ask(urssaf.seal, list_id="pid"), world)
    assert (edge(unknown, "pinned")["code"], edge(unknown, "sealed")["code"]) == ("list_unknown", "list_never")
    assert unknown["outcome"] == "INDETERMINATE"
    empty = told(ask(urssaf.seal), snapshot({}, operator.root()))
    assert edge(empty, "sealed")["result"] == "not_checked"
    ended = told(ask(urssaf.seal), replace(world, root_expires=NOW.replace(year=2025)))
    assert (edge(ended, "pinned")["code"], edge(ended, "pinned")["next"]) == ("root_expired", "Install the current trust root.")
    later = told(ask(urssaf.seal, t_now=NOW.replace(year=2027), t_issue=NOW), replace(world, root_expires=NOW.replace(year=2028)))
    assert (edge(later, "sealed")["code"], edge(later, "sealed")["result"]) == ("list_expired", "not_checked")


def test_no_certificate_at_all(world: TrustSnapshot, urssaf: Institution) -> None:
    explained = told(ask(urssaf.seal, chain=()), world)
    assert (explained["certificate"], edge(explained, "path")["code"]) == (None, "chain_missing")
    assert explained["nodes"][0]["title"] == "no certificate"


def test_as_text(world: TrustSnapshot, cnam: Institution) -> None:
    lines = explain.to_text(told(ask(cnam.seal), world))
    assert lines[0] == "UNKNOWN_ISSUER (strict, judged for 2026-11-24T12:00:00Z)"
    assert any(
        line.startswith("[NO] certificate CNAM-like (test) → entry as Pub-EAA provider, path: this certificate") for line in lines
    )
    assert any(line.startswith("     what to do: The issuer used a certificate") for line in lines)
    assert "also on list wallet edition 12 as wallet provider: CNAM-like (test) (by certificate)" in lines
