"""Token Status List draft-20 (and -14): the published lists and tokens through our reader."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import pytest

from vc.cose import sign1
from vc.encoding import base64url, cbor
from vc.errors import VerificationFailed
from vc.keys import jwk
from vc.status import token
from vc.status.bits import StatusList, decompress
from vc.status.reference import from_claim

HERE = Path(__file__).parent / "status-list"
SIZE = 2**20


def read(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text())


KEY = jwk.parse_public({name: value for name, value in read("key")["jwk"].items() if name != "d"})
NOW = datetime(2023, 7, 1, tzinfo=UTC)
URI = "https://example.com/statuslists/1"


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_lists_of_two_to_the_twenty_entries(bits: int) -> None:
    vector = read(f"{bits}bit_2pow20")
    packed_json = base64url.decode(vector["json"]["lst"])
    packed_cbor = cbor.loads(bytes.fromhex(vector["cbor_hex"]))
    assert (vector["json"]["bits"], packed_cbor["bits"], vector["all_other_entries"]) == (bits, bits, 0)
    expected = {int(idx): value for idx, value in vector["entries"].items()}
    ours = StatusList.from_indices(SIZE, bits, expected)
    for packed in (packed_json, packed_cbor["lst"]):
        listed = decompress(packed, bits)
        assert listed.size == SIZE
        assert {idx: listed.get(idx) for idx in expected} == expected
        assert listed == ours  # so every other entry is 0
    assert decompress(ours.compress(), bits) == ours


@pytest.mark.parametrize("example", read("small_examples")["examples"], ids=lambda example: example["name"])
def test_small_examples(example: dict[str, Any]) -> None:
    listed = decompress(base64url.decode(example["json"]["lst"]), example["bits"])
    assert bytes(listed.data).hex() == example["byte_array_hex"]
    assert [listed.get(idx) for idx in range(listed.size)] == example["statuses"]
    assert cbor.loads(bytes.fromhex(example["cbor_hex"]))["lst"] == base64url.decode(example["json"]["lst"])
    made = StatusList.from_indices(listed.size, example["bits"], dict(enumerate(example["statuses"])))
    assert made == listed


def test_status_list_token_jwt() -> None:
    vector = read("status_list_token_jwt")
    checked = token.verify(token.parse_jwt(vector["compact"]), KEY, uri=URI, now=NOW)
    assert (checked.uri, checked.ttl) == (URI, 43200)
    assert (checked.iat.timestamp(), checked.exp and checked.exp.timestamp()) == (1686920170, 2291720170)
    assert bytes(checked.list.data).hex() == "b9a3"


@pytest.mark.parametrize("tagged", [True, False])
def test_status_list_token_cwt(tagged: bool) -> None:
    data = bytes.fromhex(read("status_list_token_cwt")["cose_sign1_tagged_hex"])
    data = data if tagged else data.removeprefix(b"\xd2")  # draft-14 printed it without the tag
    checked = token.verify(token.parse_cwt(data), KEY, uri=URI, now=NOW)
    assert (checked.ttl, bytes(checked.list.data).hex(), checked.iat.timestamp()) == (43200, "b9a3", 1686920170)
    with pytest.raises(VerificationFailed):
        token.verify(token.parse_cwt(data), KEY, uri="https://example.com/statuslists/2", now=NOW)


def test_referenced_token_cwt() -> None:
    structure = sign1.parse(cbor.loads(bytes.fromhex(read("referenced_token_cwt")["cose_sign1_tagged_hex"])))
    claims = cbor2.loads(sign1.verify(structure, KEY))
    reference = from_claim(claims[65535])
    assert (reference.uri, reference.idx) == (URI, 0)
