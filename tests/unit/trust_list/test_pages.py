"""The pages for people: what stands on them, search by query string, editions compared, a path drawn; nothing foreign is markup."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.support.list_pages import LATER, Shown, publish
from tests.support.pki import NOW, root
from trust_list import authoring, model
from trust_list.app import create_app
from trust_list.pages import data
from trust_list.profiles import names
from trust_list.store import Publisher
from vc.x509.certificate import sha256

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return publish(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def client(shown: Shown) -> Iterator[TestClient]:
    with TestClient(create_app(shown.home, clock=lambda: LATER), base_url="http://lists.test") as made:
        yield made


def read(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    return unescape(answer.text)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


PATHS = (
    "/lists",
    "/lists/pub-eaa",
    "/lists/pub-eaa/entities/NTRPL-000000040",
    "/lists/pub-eaa/archive",
    "/lists/pub-eaa/diff",
    "/explain",
)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_its_landmarks_and_no_script(client: TestClient, path: str) -> None:
    text = read(client, path)
    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert text.count("<h1") == 1
    for part in ("<header>", '<nav aria-label="Site">', '<main id="main">', "<footer>", 'href="#main"'):
        assert part in text
    assert "<script" not in text
    assert "style=" not in text
    assert text.count("<table") == text.count("<caption>")
    for identifier in [part.split('"')[0] for part in text.split('for="')[1:]]:
        assert f'id="{identifier}"' in text


def test_the_start_shows_every_list_and_how_it_stands(client: TestClient) -> None:
    text = read(client, "/lists")
    assert text.count("In force.") == 2
    assert "5, 4 of them notified" in text
    assert "2026-12-29 12:00 UTC (in 29 days)" in text
    assert "list_never_accepted" in text  # the root names a list that was never published


def test_every_list_has_a_title() -> None:
    assert set(data.TITLES) == set(names())


def test_a_list_says_who_may_issue_what_and_how_healthy_it_is(client: TestClient, shown: Shown) -> None:
    text = read(client, "/lists/pub-eaa")
    for body in shown.bodies:
        assert body.name in text
        assert body.registration_id in text
    edition = Publisher(shown.home).latest("pub-eaa")
    assert edition is not None
    for said in ("PDA1 for SE", "EHIC for HU", "nothing any more", "5 entities in edition 3", "1 day ago", edition.etag,
                 "List signer (test)", 'href="/lists/pub-eaa.jws"', 'href="/lists/pub-eaa.json"'):  # fmt: skip
        assert said in text
    assert "PDA1 for PL" not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 5),
        ("q=nemzeti", 1),
        ("q=NTRSE-000000030", 1),
        ("q=%C5%81odzi", 1),
        ("q=nobody", 0),
        ("country=GR", 1),
        ("type=pda1", 3),
        ("type=pda1&status=notified", 2),
        ("status=withdrawn", 1),
        ("role=revocation", 5),
        ("role=revocation&type=pda1", 0),  # of one and the same service
        ("country=SE&type=ehic&q=v%C3%A5rd", 1),
        ("other=1", 5),
    ],
)
def test_search_by_query_string(client: TestClient, query: str, found: int) -> None:
    text = read(client, f"/lists/pub-eaa?{query}")
    assert text.count('<th role="rowheader"') == found
    assert ("No entity fits" in text) == (found == 0)


def test_search_by_certificate(client: TestClient, shown: Shown) -> None:
    text = read(client, f"/lists/pub-eaa?q={sha256(shown.bodies[3].seal.chain[0]).hex().upper()}")
    assert text.count('<th role="rowheader"') == 1
    assert shown.bodies[3].name in text


def test_long_lists_come_in_pages(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PAGE", 2)
    first = read(client, "/lists/pub-eaa?role=issuance")
    assert first.count('<th role="rowheader"') == 2
    assert 'rel="next" href="?page=2&role=issuance"' in first
    assert 'rel="prev"' not in first
    last = read(client, "/lists/pub-eaa?role=issuance&page=99")
    assert last.count('<th role="rowheader"') == 1
    assert 'rel="prev" href="?page=2&role=issuance"' in last


def test_an_entity_with_its_history(client: TestClient, shown: Shown) -> None:
    text = read(client, f"/lists/pub-eaa/entities/{shown.withdrawn.registration_id}")
    for said in (shown.withdrawn.name, "Poland (PL)", "OJ:PL-TEST-1", "since 2026-11-29 12:00 UTC",
                 "since 2026-11-24 12:00 UTC, until 2026-11-29 12:00 UTC", "Reason: merged",
                 "urn:eudi:pda1:1", sha256(shown.withdrawn.seal.chain[0]).hex()):  # fmt: skip
        assert said in text
    assert text.count('<ol class="timeline"') == 3
    assert text.index('<li class="withdrawn">') < text.index('<li class="notified">')


@pytest.mark.parametrize(
    "path",
    ["/lists/other", "/lists/wallet", "/lists/pub-eaa/entities/NTRXX-1", "/lists/other/archive", "/lists/other/diff",
     "/lists/other/entities/NTRPL-000000040"],
)  # fmt: skip
def test_what_there_is_not(client: TestClient, path: str) -> None:
    assert "There is no such" in read(client, path, 404)


def test_editions_with_their_files(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read(client, "/lists/pub-eaa/archive")
    for number in (1, 2, 3):
        assert f'href="/lists/pub-eaa/{number}.jws"' in text
        assert client.get(f"/lists/pub-eaa/{number}.jws").status_code == 200
    assert 'diff?from=2&to=3"' in text
    assert "Older editions" not in text
    monkeypatch.setattr("trust_list.pages.routes._ARCHIVE", 2)
    assert '<a rel="next" href="?before=2">' in read(client, "/lists/pub-eaa/archive")
    older = read(client, "/lists/pub-eaa/archive?before=2")
    assert 'href="/lists/pub-eaa/1.jws"' in older
    assert 'href="/lists/pub-eaa/2.jws"' not in older


@pytest.mark.parametrize(
    ("query", "said", "unsaid"),
    [
        ("", ("From edition 2 to edition 3", "reason: merged", "withdrawn since"), ("Entity added",)),
        ("?from=1&to=2", ("Entity added", "Nemzeti Egészségbiztosítási Pénztár"), ("withdrawn since",)),
        ("?from=2&to=1", ("Entity removed",), ("withdrawn since",)),
        ("?from=1&to=3", ("Entity added", "PDA1 for PL"), ()),
        ("?from=1&to=1", ("Nothing differs",), ("<table",)),
        ("?to=1", ("the first one",), ("<table",)),
    ],
)
def test_editions_compared(client: TestClient, query: str, said: tuple[str, ...], unsaid: tuple[str, ...]) -> None:
    text = read(client, f"/lists/pub-eaa/diff{query}")
    for words in said:
        assert words in text
    for words in unsaid:
        assert words not in text


@pytest.mark.parametrize("query", ["?from=1&to=4", "?from=9&to=2"])
def test_editions_that_do_not_exist_are_not_compared(client: TestClient, query: str) -> None:
    assert "There is no such edition" in read(client, f"/lists/pub-eaa/diff{query}", 404)


def test_a_list_that_has_run_out_or_half_of_it(shown: Shown) -> None:
    late = TestClient(create_app(shown.home, clock=lambda: LATER + 29 * DAY))
    assert "This list has run out" in read(late, "/lists")
    assert "This list has run out" in read(late, "/lists/pub-eaa")
    half = read(TestClient(create_app(shown.home, clock=lambda: LATER + 14 * DAY)), "/lists")
    assert "Over half of this edition's time is gone" in half
    assert "next_update_near" in half


def test_a_publisher_without_lists(tmp_path: Path) -> None:
    authoring.init(tmp_path, base_url="http://lists.test", now=NOW)
    empty = TestClient(create_app(tmp_path))
    assert "No list has been published yet" in read(empty, "/lists")
    assert empty.get("/metrics").status_code == 503


def test_markup_in_a_name_is_text(tmp_path: Path) -> None:
    authoring.init(tmp_path, base_url="http://lists.test", now=NOW)
    authoring.publish(tmp_path, "pid", now=NOW)
    draft, path = Publisher(tmp_path).draft("pid"), tmp_path / "lists" / "pid" / "1.json"
    named = draft.scheme.SchemeOperatorName[0].model_copy(update={"value": "<b>x</b>"})
    scheme = draft.scheme.model_copy(update={"SchemeOperatorName": [named], "LoTESequenceNumber": 1})
    path.chmod(0o644)
    path.write_bytes(model.render(draft.model_copy(update={"ListAndSchemeInformation": scheme})))
    text = TestClient(create_app(tmp_path, clock=lambda: NOW)).get("/lists/pid").text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<b>x</b>" not in text


# --- the path of a certificate


def test_every_listed_certificate_has_a_link_to_its_path(client: TestClient, shown: Shown) -> None:
    text = read(client, "/lists/pub-eaa/entities/NTRSE-000000030")
    links = [part.split('"')[0] for part in text.split('href="')[1:] if part.startswith("/explain?")]
    assert len(links) == 3
    outcomes = [words for link in links for words in ("Trusted",) if f"</svg> {words}</h2>" in read(client, link)]
    assert outcomes == ["Trusted", "Trusted", "Trusted"]


def test_a_pasted_certificate_is_drawn_edge_by_edge(client: TestClient, shown: Shown) -> None:
    fields = {
        "certificate": pem(shown.stranger.seal.chain[0]),
        "list": "pub-eaa",
        "attestation_type": "pda1",
        "format": "dc+sd-jwt",
    }
    answer = client.post("/explain", data=fields)
    text = unescape(answer.text)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "Unknown issuer" in text
    for said in ("Does the certificate lead to the entry? ", "(not_listed)", "What to do:", "Is that signer pinned by the root?",
                 "Trust root", shown.stranger.name):  # fmt: skip
        assert said in text
    assert text.count("What to do:") == 1  # said once, not at each edge that hangs on it
    assert "BEGIN CERTIFICATE" in text  # stays in the form


def test_a_withdrawn_body_in_both_modes(client: TestClient, shown: Shown) -> None:
    fields = {"sha256": sha256(shown.withdrawn.seal.chain[0]).hex(), "list": "pub-eaa", "attestation_type": "pda1",
              "format": "dc+sd-jwt", "t_issue": "2026-11-25T12:00:00Z"}  # fmt: skip
    assert "</svg> Withdrawn</h2>" in client.post("/explain", data={**fields, "mode": "strict"}).text
    historical = client.post("/explain", data={**fields, "mode": "historical"}).text
    assert "</svg> Trusted at issuance</h2>" in historical
    assert "Read it with this" in historical


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"certificate": "nonsense"}, "no readable PEM certificate"),
        ({"sha256": "00"}, "no listed certificate has that SHA-256"),
        ({"sha256": "00", "list": "other"}, "no listed certificate has that SHA-256"),
        ({"role": "both"}, "role: "),
        ({"issuing_country": "fr"}, "issuing_country: "),
        ({"t_now": "yesterday"}, "t_now: a time looks like"),
        ({"attestation_type": "a<b"}, "attestation_type: types are"),
    ],
)
def test_a_question_that_cannot_be_asked(client: TestClient, shown: Shown, fields: dict[str, str], said: str) -> None:
    given = {"format": "dc+sd-jwt", **fields}
    if not {"certificate", "sha256"} & set(fields):
        given["certificate"] = pem(shown.bodies[0].seal.chain[0])
    answer = client.post("/explain", data=given)
    assert answer.status_code == 400
    assert said in unescape(answer.text)
    assert '<ol class="trunk"' not in answer.text


def test_a_chain_too_long_a_form_twice_and_a_body_too_large(client: TestClient, shown: Shown) -> None:
    long = pem(shown.bodies[0].seal.chain[0]) * 11
    assert client.post("/explain", data={"certificate": long}).status_code == 400
    assert client.post("/explain", content=b"list=a&list=b").status_code == 400
    assert client.post("/explain", content=b"certificate=" + b"a" * (128 << 10)).status_code == 413


def test_without_a_trust_root_nothing_is_explained(shown: Shown, tmp_path: Path) -> None:
    authoring.init(tmp_path, base_url="http://lists.test", now=NOW)
    answer = TestClient(create_app(tmp_path)).post("/explain", data={"certificate": pem(shown.bodies[0].seal.chain[0])})
    assert answer.status_code == 503
    assert "No trust root is published here" in answer.text


def test_a_name_in_a_certificate_is_neither_markup_nor_direction(client: TestClient) -> None:
    evil = root("CA").leaf(subject={"C": "FR", "O": "x", "CN": "<i>a</i>\u202eb"}).chain[0]
    text = client.post("/explain", data={"certificate": pem(evil)}).text
    assert "&lt;i&gt;a&lt;/i&gt;\ufffdb" in text
    assert "\u202e" not in text
    assert "<i>" not in text


def test_numbers_of_the_publisher(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
    assert [s.value for s in samples if s.name == "portadoc_trust_list_edition" and s.labels == {"list": "pub-eaa"}] == [3]


def test_a_new_edition_shows_at_once_in_explanations(tmp_path: Path) -> None:
    made = publish(tmp_path)
    client = TestClient(create_app(made.home, clock=lambda: LATER), base_url="http://lists.test")
    link = f"/explain?sha256={sha256(made.bodies[2].seal.chain[0]).hex()}&attestation_type=pda1&format={quote('dc+sd-jwt')}"
    assert "</svg> Trusted</h2>" in client.get(link).text
    authoring.withdraw(made.home, "pub-eaa", made.bodies[2].registration_id, reason="test", now=LATER)
    assert "</svg> Withdrawn</h2>" in client.get(link).text
