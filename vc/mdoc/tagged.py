"""Encoded CBOR (tag 24, RFC 8949 §3.4.5.1) that keeps the bytes it came in.

What is hashed and signed in an mdoc is the complete tag-24 encoding (ISO/IEC 18013-5 §9.1.2.5), so the received bytes are
cut out of the message and kept; nothing is ever encoded again.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cbor2 import CBORTag

from vc.encoding.cbor import BYTES, TEXT, head
from vc.errors import Malformed

TAG_24 = b"\xd8\x18"


class Encoded(NamedTuple):
    """`tagged`: the complete encoding (d8 18, head, content). `content`: the bytes inside, themselves one CBOR item."""

    tagged: bytes
    content: bytes


SHORT = 1024
TEXT_HEADS = [head(TEXT, length) for length in range(SHORT)]
TAG_HEADS = [TAG_24 + head(BYTES, length) for length in range(SHORT)]


def text(value: str) -> bytes:
    """`value` as a CBOR text string. Raises `Malformed("text")` for lone surrogates."""
    try:
        data = value.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise Malformed("text", "the text has no UTF-8 form") from exc
    length = len(data)
    return (TEXT_HEADS[length] if length < SHORT else head(TEXT, length)) + data


def tag_head(length: int) -> bytes:
    """What stands before `length` bytes of content: the tag and the head of the byte string."""
    return TAG_HEADS[length] if length < SHORT else TAG_24 + head(BYTES, length)


def wrap(content: bytes) -> Encoded:
    """Tag 24 around one encoded CBOR item."""
    return Encoded(tag_head(len(content)) + content, content)


def parse(data: bytes) -> Encoded:
    """The tag-24 item that `data` is, in shortest form and nothing after it. Raises `Malformed("tag24")`."""
    start = 3 + _LENGTH_SIZES.get(data[2:3], 0)
    encoded = Encoded(data, data[start:])
    if tag_head(len(encoded.content)) != data[:start]:
        raise Malformed("tag24", "not CBOR in tag 24, in shortest form")
    return encoded


_LENGTH_SIZES = {b"\x58": 1, b"\x59": 2, b"\x5a": 4}


class Cutter:
    """Cuts tag-24 items out of the message they came in, in the order of the message."""

    def __init__(self, message: bytes) -> None:
        self._message, self._at = message, 0

    def cut(self, entries: Sequence[Any], pointer: str) -> tuple[list[bytes], list[bytes]]:
        """The received bytes of the decoded tag-24 items `entries`: complete with the tag, and their contents.

        Raises `Malformed("tag24")` when one is something else, or when it did not arrive in the one shortest form
        (ISO/IEC 18013-5 §8.1: otherwise a changed encoding would pass as the signed one, SECURITY M-2).
        """
        complete, contents = [], []
        at, message = self._at, self._message
        for entry in entries:
            content = entry.value if type(entry) is CBORTag and entry.tag == 24 else None
            if type(content) is not bytes:
                raise Malformed("tag24", "not a byte string in tag 24", pointer=pointer)
            item = (TAG_HEADS[len(content)] if len(content) < SHORT else tag_head(len(content))) + content
            if not message.startswith(item, at):  # the items of a namespace follow each other; before the first stands its name
                at = message.find(item, at)
                if at < 0:
                    raise Malformed("tag24", "the tag 24 item is not in shortest form", pointer=pointer)
            at += len(item)
            complete.append(item)
            contents.append(content)
        self._at = at
        return complete, contents
