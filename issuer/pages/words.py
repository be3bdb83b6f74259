"""Every text of the pages, by language and by what stopped the sign-in (or asks). Another language is another entry of `LANGUAGES`.

No text names a person, a document, or what the provider said: pages are shown to whoever sits at the screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One page: what happened, why, what to do next."""

    title: str
    what: str
    why: str
    next: str
    heading_why: str = "Why"
    heading_next: str = "What you can do"
    back: str = "Back to your wallet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a sign-in that stopped is answered: HTTP status of the page, the wallet's error code (RFC 6749 §4.1.2.1) and its text."""

    status: int
    error: str
    description: str


ENDINGS: Mapping[str, Ending] = {
    "not_here": Ending(status=404, error="invalid_request", description="there is no sign-in here"),
    "request_invalid": Ending(status=400, error="invalid_request", description="the request is not one of this server"),
    "link_over": Ending(status=400, error="invalid_request_uri", description="the request_uri is unknown, used or over"),
    "sign_in_over": Ending(status=400, error="access_denied", description="the sign-in took too long, or was finished before"),
    "other_browser": Ending(status=403, error="access_denied", description="the sign-in was begun in another browser"),
    "provider_refused": Ending(status=403, error="access_denied", description="the person was not signed in"),
    "provider_unreachable": Ending(
        status=503, error="temporarily_unavailable", description="the sign-in provider cannot be reached at present"
    ),
    "provider_untrusted": Ending(status=502, error="server_error", description="the answer of the sign-in provider is not usable"),
    "claims_missing": Ending(status=403, error="access_denied", description="the sign-in did not state name and birth date"),
    "no_document": Ending(status=403, error="access_denied", description="no document is about the person who signed in"),
    "several_documents": Ending(
        status=403, error="access_denied", description="several documents are about the person who signed in; use an offer of one"
    ),
    "form_unavailable": Ending(
        status=403, error="invalid_scope", description="the document cannot be issued in a form that was asked for"
    ),
    "busy": Ending(status=503, error="temporarily_unavailable", description="the service cannot answer at present"),
}

_ENGLISH: Mapping[str, Words] = {
    "not_here": Words(
        title="Nothing to sign in to",
        what="There is no sign-in at this address.",
        why="The address is incomplete or belongs to an institution that hands out its documents in another way.",
        next="Open the offer of your institution again, or ask your institution how you get your document.",
    ),
    "request_invalid": Words(
        title="This request cannot be used",
        what="The request your wallet opened this page with is not complete or not allowed.",
        why="A wallet has to announce each request to us first and open this page with the reference it got. Nothing was sent on, "
        "because we do not know where it would go.",
        next="Close this page and start again in your wallet. If it happens again, the wallet has a fault: tell its provider.",
    ),
    "link_over": Words(
        title="This link is used up",
        what="This link to sign in cannot be used any more.",
        why="Each link is good once and for about a minute, and only for the wallet that asked for it.",
        next="Close this page and start again in your wallet.",
    ),
    "sign_in_over": Words(
        title="The sign-in is over",
        what="You were not signed in, and nothing was issued.",
        why="The sign-in took longer than ten minutes, or this page was opened a second time.",
        next="Go back to your wallet and start again.",
    ),
    "question": Words(
        title="Is this your wallet?",
        what="You are signed in, and your document was found. It will be sent to the wallet at this address:",
        why="Anybody can send you a link that leads here. If the wallet is not yours, somebody else would get your document.",
        next="Go on only if you began in your own wallet and know this address. Otherwise close this page: nothing is sent then.",
        back="It is mine: send the document",
    ),
    "other_browser": Words(
        title="Continue in the other browser",
        what="The sign-in was begun in another browser, so it cannot be finished in this one.",
        why="This protects you: otherwise somebody could send you a link and receive your document in their wallet.",
        next="Return to the browser in which you began. If you did not begin anything, close this page; nothing was given away.",
    ),
    "provider_refused": Words(
        title="You were not signed in",
        what="The sign-in service did not confirm who you are, so nothing was issued.",
        why="You stopped the sign-in, or the service declined it.",
        next="Go back to your wallet and try again, with the sign-in you use for public services.",
    ),
    "provider_unreachable": Words(
        title="The sign-in service does not answer",
        what="You could not be signed in, because the sign-in service cannot be reached at present.",
        why="The service is out of order or overloaded. Your document is not affected.",
        next="Try again in a few minutes. If it lasts, tell your institution.",
    ),
    "provider_untrusted": Words(
        title="The sign-in could not be verified",
        what="The sign-in service answered in a way that we must not rely on, so nothing was issued.",
        why="The answer was not signed as agreed, or was not meant for us. This is a fault between the two services, not yours.",
        next="Try again. If it happens again, tell your institution, with the time of your attempt.",
    ),
    "claims_missing": Words(
        title="The sign-in did not say enough",
        what="You are signed in, but your document could not be looked for.",
        why="The sign-in service did not tell us your full name and your complete date of birth. "
        "Without both we cannot tell people apart.",
        next="Try again and agree to share name and date of birth. Otherwise ask your institution for an offer with a code.",
    ),
    "no_document": Words(
        title="No document for you here",
        what="You are signed in, but this institution holds no document of this kind for you that can be collected.",
        why="The document may not be ready, may have been withdrawn or have run out, may be held by another institution, or may be "
        "written with another name or date of birth than your sign-in.",
        next="Ask your institution whether the document exists, and whether it has your name and date of birth as on your identity "
        "card. It can also send you an offer with a code.",
    ),
    "several_documents": Words(
        title="More than one document",
        what="You are signed in, but this institution holds more than one document of this kind for you.",
        why="Your wallet did not say which one it wants, and we do not choose for you.",
        next="Ask your institution for an offer of the one you need: it comes as a link or a picture to scan, and leads to that "
        "document only.",
    ),
    "form_unavailable": Words(
        title="Not available in this form",
        what="Your document was found, but cannot be issued in the form your wallet asked for.",
        why="That form has no room for something your document says, and a document must not lose a part of what it states.",
        next="Ask your institution for an offer: it names the forms your document can be issued in.",
    ),
    "busy": Words(
        title="Not available at present",
        what="The service cannot answer at present. Nothing was issued.",
        why="It is overloaded or being worked on.",
        next="Try again in a few minutes.",
    ),
}
LANGUAGES: Mapping[str, Mapping[str, Words]] = {"en": _ENGLISH}
DEFAULT_LANGUAGE = "en"


def language_of(accept_language: str) -> str:
    """The first language of an `Accept-Language` header that there are texts in."""
    for part in accept_language.split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return DEFAULT_LANGUAGE
