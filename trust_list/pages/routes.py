"""The pages for people: the lists, one list, one entity, its editions and what changed, and the path of one certificate.

Plain HTML without script: search and filter are the query string. Everything shown is public.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from cryptography import x509
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from edge.inbound import form
from trust_list import explain, metrics, wire
from trust_list.decide import evaluate
from trust_list.pages import data, difference
from trust_list.pages.drawing import drawing
from trust_list.pages.known import Known
from trust_list.profiles import names
from trust_list.store import Edition, Publisher
from vc.clock import Clock
from vc.errors import Malformed, VcError
from vc.x509.certificate import MAX_CHAIN, der, from_der

MAX_FORM = 128 * 1024
_ARCHIVE = 50
_CHANGES = 500
_TYPES = ("pda1", "ehic", "pid")
_FORMATS = ("dc+sd-jwt", "mso_mdoc")
_FIELDS = ("list", "role", "format", "attestation_type", "issuing_country", "entity_id", "t_issue", "t_now", "mode")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One edition in the archive. `before`: the number of the one before it, 0 for the first."""

    sequence: int
    before: int
    issued: str
    next_update: str
    entities: int
    sha256: str


class Pages:
    """Answers for people. `max_age`: seconds a cache may keep a page."""

    def __init__(self, publisher: Publisher, clock: Clock, max_age: Callable[[], int]) -> None:
        self._publisher, self._clock, self._max_age = publisher, clock, max_age
        self._known = Known(publisher)
        self._templates = Environment(
            loader=PackageLoader("trust_list", "pages"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters["segment"] = lambda text: quote(text, safe="")
        self._templates.globals["query"] = lambda **given: urlencode({name: value for name, value in given.items() if value})

    def routes(self) -> list[Route]:
        return [
            Route("/lists", self.index),
            Route("/lists/{list_id}", self.one),
            Route("/lists/{list_id}/archive", self.archive),
            Route("/lists/{list_id}/diff", self.difference),
            Route("/lists/{list_id}/entities/{entity_id:path}", self.entity),
            Route("/explain", self.explain, methods=["GET", "POST"]),
            Route("/metrics", self.metrics),
        ]

    def index(self, _: Request) -> Response:
        now = self._clock()
        lists = [data.page(edition, now) for list_id in names() if (edition := self._publisher.latest(list_id)) is not None]
        return self._page("lists.html", lists=lists, alerts=self._known.alerts(now))

    def one(self, request: Request) -> Response:
        edition = self._current(request)
        if edition is None:
            return self._gone()
        now, wanted = self._clock(), data.Wanted.read(request.query_params)
        shown = data.page(edition, now)
        found = [entity for entity in shown.entities if wanted.fits(entity)]
        number = min(_number(request.query_params.get("page"), 1), max(1, -(-len(found) // data.PAGE)))
        return self._page(
            "list.html",
            list=shown,
            wanted=wanted,
            found=found[(number - 1) * data.PAGE : number * data.PAGE],
            count=len(found),
            page=number,
            pages=max(1, -(-len(found) // data.PAGE)),
            countries=sorted({(e.country_name, e.country) for e in shown.entities if e.country}),
            types=sorted({item.attestation_type for e in shown.entities for s in e.services for item in s.scope}),
            roles={s.role: s.role_word for e in shown.entities for s in e.services},
            alerts=[alert for alert in self._known.alerts(now) if alert.list_id in (None, shown.id)],
        )

    def entity(self, request: Request) -> Response:
        edition = self._current(request)
        shown = data.page(edition, self._clock()) if edition is not None else None
        entity = shown.entity(request.path_params["entity_id"]) if shown is not None else None
        full = data.listed(edition, entity.id) if edition is not None and entity is not None else None
        if full is None:
            return self._gone()
        return self._page("entity.html", list=shown, entity=entity, full=full)

    def archive(self, request: Request) -> Response:
        latest = self._current(request)
        if latest is None:
            return self._gone()
        below = _number(request.query_params.get("before"), latest.sequence + 1)
        past = [number for number in self._publisher.sequences(latest.list_id) if number <= latest.sequence]
        numbers = [number for number in past if number < below][-_ARCHIVE:]
        rows = [self._row(latest.list_id, number, past) for number in reversed(numbers)]
        older = numbers[0] if numbers and numbers[0] > past[0] else 0
        shown = data.page(latest, self._clock())
        return self._page("archive.html", list=shown, rows=[row for row in rows if row is not None], older=older)

    def difference(self, request: Request) -> Response:
        """What changed between two editions; the current one and the one before it unless asked otherwise."""
        latest = self._current(request)
        if latest is None:
            return self._gone()
        past = [number for number in self._publisher.sequences(latest.list_id) if number <= latest.sequence]
        to = _number(request.query_params.get("to"), latest.sequence)
        before = _number(request.query_params.get("from"), max((number for number in past if number < to), default=0))
        new, old = (self._publisher.edition(latest.list_id, number) if number in past else None for number in (to, before))
        told = difference.rows(old.lote, new.lote) if old is not None and new is not None else ()
        return self._page(
            "diff.html",
            200 if new is not None and (old is not None or before == 0) else 404,
            list=data.page(latest, self._clock()),
            numbers=list(reversed(past[-_ARCHIVE:])),
            old=old,
            new=new,
            before=before,
            to=to,
            changes=told[:_CHANGES],
            left=max(0, len(told) - _CHANGES),
        )

    async def explain(self, request: Request) -> Response:
        """The form, and below it the path of the certificate that was given or picked from a list."""
        if request.method == "POST":
            try:
                fields = form(await request.body())
            except Malformed as exc:
                return self._page("explain.html", 400, **self._form({}), problem=exc.detail, drawing=None)
        else:
            fields = dict(request.query_params)
        return await run_in_threadpool(self._explained, fields)

    def metrics(self, _: Request) -> Response:
        now = self._clock()
        known = self._known.snapshot(now)
        if known is None:
            return Response(b"# no trust root is published here\n", status_code=503, media_type=metrics.CONTENT_TYPE)
        return Response(metrics.text(known, self._known.alerts(now), now), media_type=metrics.CONTENT_TYPE)

    def _explained(self, fields: Mapping[str, str]) -> Response:
        values, now = self._form(fields), self._clock()
        if not (fields.get("certificate", "").strip() or fields.get("sha256")):
            return self._page("explain.html", **values, problem=None, drawing=None)
        known = self._known.snapshot(now)
        if known is None:
            return self._page("explain.html", 503, **values, problem="No trust root is published here.", drawing=None)
        try:
            chain = self._chain(fields)
            asked = {name: fields[name] for name in _FIELDS if fields.get(name, "").strip()}
            query = wire.read({**asked, "chain": [b64encode(der(item)).decode() for item in chain]}, clock=now)
        except VcError as exc:
            problem = f"{exc.pointer.removeprefix('/')}: {exc.detail}" if exc.pointer else exc.detail
            return self._page("explain.html", 400, **values, problem=problem, drawing=None)
        told = explain.to_json(query, evaluate(query, known), known)
        return self._page("explain.html", **values, problem=None, drawing=drawing(told), told=told)

    def _chain(self, fields: Mapping[str, str]) -> tuple[x509.Certificate, ...]:
        """The certificates given as PEM, signer first, or the listed one with that digest. Raises `Malformed`."""
        text = fields.get("certificate", "").strip()
        if text:
            try:
                chain = tuple(from_der(der(item)) for item in x509.load_pem_x509_certificates(text.encode()))
            except ValueError as exc:
                raise Malformed("certificate", "this is no readable PEM certificate") from exc
            if len(chain) > MAX_CHAIN:
                raise Malformed("certificate", f"at most {MAX_CHAIN} certificates make a chain")
            return chain
        list_id = fields.get("from_list") or fields.get("list") or "pub-eaa"
        edition = self._publisher.latest(list_id) if list_id in names() else None
        found = data.certificate(edition, fields["sha256"].lower()) if edition is not None else None
        if found is None:
            raise Malformed("certificate", "no listed certificate has that SHA-256")
        return (found,)

    def _form(self, fields: Mapping[str, str]) -> dict[str, Any]:
        usual = {"list": "pub-eaa", "role": "issuance", "mode": "strict", "format": "" if fields else "dc+sd-jwt"}
        return {
            "given": {name: fields.get(name, "").strip()[:255] or usual.get(name, "") for name in _FIELDS},
            "certificate": fields.get("certificate", "")[:MAX_FORM],
            "sha256": fields.get("sha256", "")[:64],
            "from_list": fields.get("from_list", "")[:20],
            "titles": {list_id: data.TITLES[list_id] for list_id in names()},
            "types": _TYPES,
            "formats": _FORMATS,
        }

    def _row(self, list_id: str, number: int, past: list[int]) -> _Row | None:
        edition = self._publisher.edition(list_id, number)
        if edition is None:
            return None
        scheme, entities = edition.lote.scheme, edition.lote.entities
        place = past.index(number)
        return _Row(
            sequence=number,
            before=past[place - 1] if place else 0,
            issued=data.moment(scheme.ListIssueDateTime),
            next_update=data.moment(scheme.NextUpdate) if scheme.NextUpdate else "closed",
            entities=len(entities),
            sha256=edition.etag,
        )

    def _current(self, request: Request) -> Edition | None:
        list_id = request.path_params["list_id"]
        return self._publisher.latest(list_id) if list_id in names() else None

    def _page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        text = self._templates.get_template(template).render(now=_shown(self._clock()), **values)
        cache = f"public, max-age={self._max_age()}" if status == 200 and template != "explain.html" else "no-store"
        return HTMLResponse(text, status_code=status, headers={"cache-control": cache})

    def _gone(self) -> Response:
        return self._page("gone.html", 404)


def _number(text: str | None, otherwise: int) -> int:
    """A positive number out of a query string."""
    return int(text) if text and text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0 else otherwise


def _shown(now: datetime) -> str:
    return data.moment(now)
