"""The trust root file: strict, and never empty (T-11)."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from tests.support.pki import Authority, new_key
from tests.support.trust import ListOperator
from trust_list.root import MAX_ROOT, TrustRoot
from vc.encoding import json
from vc.errors import Refused, VcError
from vc.keys.jwk import from_public, thumbprint
from vc.x509.certificate import der


def document(operator: ListOperator, **changes: Any) -> dict[str, Any]:
    return {**json.loads_object(operator.root().render()), **changes}


def first(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**document, "lists": [{**document["lists"][0], **changes}, *document["lists"][1:]]}


def test_reads_the_contract_form(operator: ListOperator) -> None:
    data = b"""{"version":1,"expires":"2027-01-01T00:00:00Z","lists":[{"id":"pub-eaa",
      "type":"http://uri.etsi.org/19602/LoTEType/EUPubEAAProvidersList","uri":"http://localhost:1/lists/pub-eaa.jws",
      "signers":["%s"],"minSequence":7}]}""" % (b"ab" * 32)
    entry = TrustRoot.load(data).for_list("pub-eaa")
    assert (entry.min_sequence, entry.signers, entry.certificates) == (7, frozenset({b"\xab" * 32}), {})


def test_an_unknown_list(operator: ListOperator) -> None:
    with pytest.raises(Refused) as caught:
        operator.root().for_list("registrars")
    assert caught.value.code == "list_not_in_root"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: {**d, "lists": []}, "trust_root"),
        (lambda d: {**d, "version": 0}, "trust_root"),
        (lambda d: {**d, "version": "1"}, "trust_root"),
        (lambda d: {**d, "expires": "2027-01-01"}, "trust_root"),
        (lambda d: {**d, "surplus": 1}, "trust_root"),
        (lambda d: {**d, "lists": [d["lists"][0], d["lists"][0]]}, "trust_root"),
        (lambda d: first(d, signers=[]), "trust_root"),
        (lambda d: first(d, signers=["AB" * 32]), "trust_root"),
        (lambda d: first(d, signers=["ab" * 20]), "trust_root"),
        (lambda d: first(d, minSequence=0), "trust_root"),
        (lambda d: first(d, id="../x"), "trust_root"),
        (lambda d: first(d, certificates=["%%%"]), "trust_root"),
        (lambda d: first(d, certificates=["AAAA"]), "certificate"),
    ],
)
def test_refuses(operator: ListOperator, change: Any, code: str) -> None:
    with pytest.raises(VcError) as caught:
        TrustRoot.load(json.dumps(change(document(operator))))
    assert caught.value.code == code


def test_refuses_a_certificate_that_is_not_pinned(operator: ListOperator, authority: Authority) -> None:
    stranger = b64encode(der(authority.certificate)).decode()
    with pytest.raises(VcError) as caught:
        TrustRoot.load(json.dumps(first(document(operator), certificates=[stranger])))
    assert caught.value.code == "trust_root"


def test_keys_and_threshold_are_read_back_as_written(operator: ListOperator) -> None:
    keys = (new_key().public_key(), new_key().public_key())
    root = replace(operator.root(), keys={thumbprint(key): key for key in keys}, threshold=2, updates="https://lists.test/root/")
    assert TrustRoot.load(root.render()) == root
    assert (operator.root().keys, operator.root().threshold) == ({}, 0)


ONE = from_public(new_key().public_key())


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"keys": [ONE]}, "trust_root"),
        ({"threshold": 1}, "trust_root"),
        ({"keys": [ONE], "threshold": 0}, "trust_root"),
        ({"keys": [ONE], "threshold": 2}, "trust_root"),
        ({"keys": [ONE, {**ONE, "kid": "another name"}], "threshold": 2}, "trust_root"),
        ({"keys": [{**ONE, "d": "AA"}], "threshold": 1}, "key_private"),
        ({"keys": [{"kty": "oct", "k": "AA"}], "threshold": 1}, "key_private"),
        ({"updates": "https://lists.test/root/"}, "trust_root"),
        ({"keys": [ONE], "threshold": 1, "updates": "https://lists.test/root"}, "trust_root"),
        ({"keys": [ONE], "threshold": 1, "updates": "file:///etc/"}, "trust_root"),
    ],
)
def test_refuses_keys_that_prove_nothing(operator: ListOperator, members: dict[str, Any], code: str) -> None:
    with pytest.raises(VcError) as caught:
        TrustRoot.load(json.dumps(document(operator, **members)))
    assert caught.value.code == code


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version":1,"version":1}', b" " * (MAX_ROOT + 1)])
def test_refuses_what_is_no_root(data: bytes) -> None:
    with pytest.raises(VcError):
        TrustRoot.load(data)
