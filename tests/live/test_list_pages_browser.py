"""The pages of the lists in a real browser: they fit narrow and wide windows, in light and dark, can be read and walked through
with the keyboard, show foreign letters, and are searched without script.

Set PORTADOC_SCREENSHOTS to a directory to keep what was seen.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.sync_api import Page, expect

from tests.live.services import browser
from tests.support.list_pages import LATER, Shown, publish
from tests.support.served import served
from trust_list.app import create_app
from vc.x509.certificate import sha256

WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")
CONTRAST = """() => {
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n };
  const part = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const found = [];
  let seen = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    let ground = null;
    for (let at = element; at && !ground; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) ground = colour;
    }
    const ink = parse(style.color);
    const colour = over([...ink.slice(0, 3), ink[3] * opacity], ground);
    const [high, low] = [light(colour), light(ground)].sort((a, b) => b - a);
    seen += 1;
    if ((high + 0.05) / (low + 0.05) < 4.5) found.push(`${text.slice(0, 40)}: ${((high + 0.05) / (low + 0.05)).toFixed(2)}`);
  }
  return [seen, found];
}"""
"""Texts whose contrast with their ground is under 4.5 (WCAG 2.2, 1.4.3), and how many were looked at."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return publish(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def base(shown: Shown) -> Iterator[str]:
    with served(create_app(shown.home, clock=lambda: LATER)) as address:
        yield address


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as made:
        yield made


def paths(shown: Shown) -> dict[str, str]:
    known = f"sha256={sha256(shown.bodies[2].seal.chain[0]).hex()}&attestation_type=pda1&format=dc%2Bsd-jwt&list=pub-eaa"
    gone = f"sha256={sha256(shown.withdrawn.seal.chain[0]).hex()}&attestation_type=pda1&format=dc%2Bsd-jwt&list=pub-eaa"
    return {
        "lists": "/lists",
        "list": "/lists/pub-eaa",
        "entity": f"/lists/pub-eaa/entities/{shown.withdrawn.registration_id}",
        "archive": "/lists/pub-eaa/archive",
        "diff": "/lists/pub-eaa/diff?from=1&to=3",
        "explain-trusted": f"/explain?{known}",
        "explain-withdrawn": f"/explain?{gone}",
    }


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_can_be_read(page: Page, base: str, shown: Shown, width: int, scheme: str) -> None:
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for name, path in paths(shown).items():
        page.goto(base + path)
        _keep(page, f"{name}-{width}-{scheme}")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{name} is {over} px too wide"
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 24, 28)"}[scheme]
        seen, found = page.evaluate(CONTRAST)
        assert seen > 20
        assert found == [], name
    assert [fault for fault in faults if "favicon" not in fault and "404" not in fault] == []


def test_foreign_letters_are_shown_as_they_are(page: Page, base: str, shown: Shown) -> None:
    page.goto(f"{base}/lists/pub-eaa")
    for body in shown.bodies:
        link = page.get_by_role("link", name=body.name, exact=True)
        expect(link).to_be_visible()
        assert link.inner_text() == body.name
    page.get_by_role("link", name=shown.withdrawn.name).click()
    expect(page.locator("h1")).to_have_text("Zakład Ubezpieczeń Społecznych, oddział w Łodzi (test)")


def test_search_without_script(base: str, shown: Shown, page: Page) -> None:
    assert page.context.browser is not None
    context = page.context.browser.new_context(java_script_enabled=False)
    try:
        plain = context.new_page()
        plain.goto(f"{base}/lists/pub-eaa")
        plain.get_by_label("Country").select_option("SE")
        plain.get_by_label("May issue", exact=True).select_option("ehic")
        plain.get_by_role("button", name="Search").click()
        expect(plain.locator("caption")).to_have_text("1 of 5 entities fit")
        assert "country=SE" in plain.url
        expect(plain.get_by_label("Country")).to_have_value("SE")
        plain.get_by_label("Name, identifier or certificate digest").fill("nobody")
        plain.keyboard.press("Enter")
        expect(plain.get_by_text("No entity fits.")).to_be_visible()
    finally:
        context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_stay_tables_for_those_who_hear_them(page: Page, base: str, shown: Shown, width: int) -> None:
    """Narrow windows stack the cells; roles and captions stay."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{base}/lists/pub-eaa")
    table = page.get_by_role("table")
    assert table.get_by_role("row").count() == 6
    assert table.get_by_role("rowheader").count() == 5
    assert table.get_by_role("columnheader").count() == 4


def test_the_keyboard_leads_past_the_head_and_shows_where_it_is(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{base}/lists")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_text("Skip to content")
    assert focused.bounding_box() is not None
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Public sector bodies that issue attestations (PDA1, EHIC)")
    assert page.locator(":focus").evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Public sector bodies that issue attestations (PDA1, EHIC)")


def test_a_pasted_certificate_is_drawn(page: Page, base: str, shown: Shown) -> None:
    page.goto(f"{base}/explain")
    page.get_by_label("Certificate (PEM)").fill(shown.stranger.seal.chain[0].public_bytes(Encoding.PEM).decode())
    page.get_by_label("Document", exact=True).select_option("pda1")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#answer")).to_have_text("Unknown issuer")
    _keep(page, "explain-unknown")
    boxes = page.locator(".trunk > li > .box")
    assert [text.splitlines()[0] for text in boxes.all_inner_texts()] == [
        "Signer's certificate", "Entry on the list", "Trust list", "Signer of the list", "Trust root",
    ]  # fmt: skip
    places = [box["y"] for box in (one.bounding_box() for one in boxes.all()) if box is not None]
    assert places == sorted(places)
    styles = page.locator(".links > li").evaluate_all(
        "all => all.map(one => [one.className, getComputedStyle(one).borderLeftStyle])"
    )
    assert {tuple(style) for style in styles} == {("failed", "double"), ("not_checked", "dashed"), ("passed", "solid")}


def _keep(page: Page, name: str) -> None:
    folder = os.environ.get("PORTADOC_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
