"""What people see when a sign-in does not lead back to the wallet by itself: texts, one template, its style."""

from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from issuer.pages.words import Words

STYLE_PATH = "/static/issuer.css"
STYLE = files("issuer").joinpath("pages/issuer.css").read_bytes()
# Everything is escaped, an unknown name is an error: what came from outside stays text (SECURITY A-17).
_TEMPLATES = Environment(loader=PackageLoader("issuer", "pages"), autoescape=True, undefined=StrictUndefined)


def page(
    words: Words,
    *,
    language: str,
    name: str,
    demo: bool,
    wallet_url: str | None,
    host: str | None = None,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page that says what happened, why, and what to do next. `wallet_url`: where the wallet is told, None when it cannot be.

    `host`: of the wallet, where the person is asked whether it is theirs.
    """
    text = _TEMPLATES.get_template("page.html").render(
        words=words, language=language, name=name, demo=demo, wallet_url=wallet_url, host=host, style=STYLE_PATH
    )
    return HTMLResponse(text, status, headers={"cache-control": "no-store", **(headers or {})})
