"""XML from strangers: what is refused before anything is believed (SECURITY T-8, T-9)."""

import pytest

from tests.support.pki import NOW
from tests.support.trusted_lists import EXCLUSIVE, Draft, Form, Sealer, seal, sealer
from trust_list.national import parsing, reading
from trust_list.national.reading import read
from trust_list.national.signature import verify
from vc.errors import Malformed, Refused, VcError, VerificationFailed

SIGNER, OTHER = sealer(), sealer("Other signer (test)")
GOOD = seal(Draft().xml(), SIGNER)


def opened(data: bytes, *pinned: Sealer) -> str:
    signed = verify(read(data), [one.certificate for one in pinned or (SIGNER,)], at=NOW)
    return parsing.parse(signed, digest=b"").territory


def code(data: bytes, *pinned: Sealer) -> str:
    with pytest.raises(VcError) as caught:
        opened(data, *pinned)
    return caught.value.code


def doctype(inside: str, use: str = "") -> bytes:
    head = f"<!DOCTYPE TrustServiceStatusList [{inside}]><TrustServiceStatusList"
    return GOOD.replace(b"<TrustServiceStatusList", head.encode(), 1).replace(
        b"Operator (test)", use.encode() or b"Operator (test)"
    )


def test_a_good_list_is_read() -> None:
    assert opened(GOOD) == "FR"
    assert opened(b"\xef\xbb\xbf" + GOOD, OTHER, SIGNER) == "FR"


def test_the_list_may_be_named_by_its_identifier() -> None:
    assert opened(seal(Draft().xml(), SIGNER, Form(uri="#list"))) == "FR"


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (doctype(BOMB, "&e11;"), "xml_dtd"),
        (doctype('<!ENTITY x SYSTEM "file:///etc/hostname">', "&x;"), "xml_dtd"),
        (doctype(""), "xml_dtd"),
        (GOOD.replace(b"UTF-8", b"UTF-16").decode().encode("utf-16"), "xml"),
        (GOOD[:-20], "xml"),
        (b"", "xml"),
        (b"<a/>" * 2, "xml"),
        (b"<a>" * 300 + b"</a>" * 300, "xml"),
        (GOOD.replace(b"<SchemeInformation>", b"<SchemeInformation><?cut here?>"), "xml_instruction"),
        (b"<a/>", "list_form"),
    ],
    ids=[
        "entity bomb",
        "external entity",
        "document type",
        "UTF-16",
        "truncated",
        "empty",
        "two roots",
        "nested",
        "instruction",
        "else",
    ],
)
def test_dangerous_xml_is_refused(data: bytes, wanted: str) -> None:
    assert code(data) == wanted


def test_what_is_too_long_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_XML", len(GOOD) - 1)
    assert code(GOOD) == "too_large"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<SchemeTerritory>FR", b"<SchemeTerritory>DE"),
        (b"2026-11-24T12:00:00Z</xades:SigningTime", b"2026-11-25T12:00:00Z</xades:SigningTime"),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"),
    ],
    ids=["list", "signed properties", "value"],
)
def test_a_changed_octet_is_seen(before: bytes, after: bytes) -> None:
    assert before in GOOD
    with pytest.raises(VerificationFailed, match="xml_signature"):
        opened(GOOD.replace(before, after))


def test_only_pinned_signers_count() -> None:
    with pytest.raises(Refused, match="signer_unknown"):
        opened(GOOD, OTHER)


def test_naming_a_pinned_signer_is_not_being_one() -> None:
    borrowed = seal(Draft().xml(), OTHER, Form(stated=SIGNER.certificate))
    with pytest.raises(VerificationFailed, match="xml_signature"):
        opened(borrowed)


def test_the_signer_must_be_valid_at_the_time() -> None:
    with pytest.raises(VerificationFailed, match="xml_signature"):
        verify(read(GOOD), [SIGNER.certificate], at=NOW.replace(year=2031))


def test_a_signature_around_another_list_is_refused() -> None:
    """Signature wrapping: the true list is moved inside a false one, whose signature still speaks of the true one."""
    inner = seal(Draft(territory="DE").xml(), SIGNER, Form(uri="#list")).split(b"?>", 1)[1]
    false = Draft().xml().replace(b'Id="list"', b'Id="false"')
    cut = inner.index(b"<ds:Signature")
    signature, bare = inner[cut : inner.rindex(b"</TrustServiceStatusList>")], inner[:cut] + b"</TrustServiceStatusList>"
    nested = false.replace(b"</TrustServiceStatusList>", b"<Extra>" + bare + b"</Extra>" + signature + b"</TrustServiceStatusList>")
    assert code(nested) == "xml_signature"
    whole = false.replace(b"</TrustServiceStatusList>", b"<Extra>" + inner + b"</Extra></TrustServiceStatusList>")
    assert code(whole) == "xml_signature"


def test_an_identifier_used_twice_is_refused() -> None:
    """The root bears the identifier, and so does another element: which one was meant is not guessed."""
    data = seal(Draft().xml().replace(b"<SchemeInformation>", b'<SchemeInformation Id="list">'), SIGNER, Form(uri="#list"))
    assert code(data) == "xml_signature"


def test_two_signatures_are_refused() -> None:
    assert code(seal(GOOD, SIGNER)) == "xml_signature"


def test_no_signature_is_refused() -> None:
    assert code(Draft().xml()) == "xml_signature"


THIRD = '<ds:Reference URI=""><ds:DigestMethod Algorithm="x"/><ds:DigestValue>AA==</ds:DigestValue></ds:Reference>'
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED_ONLY = ("http://www.w3.org/2000/09/xmldsig#enveloped-signature",)


@pytest.mark.parametrize(
    "form",
    [
        Form(transforms=(EXCLUSIVE,)),
        Form(transforms=ENVELOPED_ONLY),
        Form(transforms=(*ENVELOPED_ONLY, "http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE)),
        Form(canonical=INCLUSIVE),
        Form(kind="http://example.org/other"),
        Form(uri="#properties"),
        Form(uri="https://lists.example/other.xml"),
        Form(third=THIRD),
    ],
    ids=["not enveloped", "not canonical", "xpath", "inclusive", "type", "only properties", "elsewhere", "third reference"],
)
def test_another_form_of_signature_is_malformed(form: Form) -> None:
    with pytest.raises(Malformed, match="xml_signature"):
        opened(seal(Draft().xml(), SIGNER, form))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<TSLVersionIdentifier>5", b"<TSLVersionIdentifier>4"),
        (b"<TSLSequenceNumber>5", b"<TSLSequenceNumber>five"),
        (b"<ListIssueDateTime>2026", b"<ListIssueDateTime>year"),
        (b"12:00:00Z</ListIssueDateTime>", b"12:00:00</ListIssueDateTime>"),
        (b"<SchemeTerritory>FR</SchemeTerritory>", b""),
    ],
    ids=["version", "sequence", "time", "zone", "missing"],
)
def test_a_list_of_another_form_is_malformed(before: bytes, after: bytes) -> None:
    draft = Draft().xml()
    assert before in draft
    assert code(seal(draft.replace(before, after), SIGNER)) == "list_form"
