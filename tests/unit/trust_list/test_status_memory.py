"""Status lists kept in memory: the newest of each, and not more than a bound."""

from datetime import timedelta

from tests.support.pki import NOW
from trust_list.status_memory import KeptToken, ShortMemory


def _token(content: bytes, *, later: float = 0) -> KeptToken:
    moment = NOW + timedelta(seconds=later)
    return KeptToken(token=content, issued_at=moment, fetched_at=moment)


def test_the_newest_is_kept() -> None:
    memory, old, new = ShortMemory(), _token(b"old"), _token(b"new", later=1)
    memory.put("a", "jwt", new)
    memory.put("a", "jwt", old)
    assert (memory.get("a", "jwt"), memory.get("a", "cwt"), memory.get("b", "jwt")) == (new, None, None)


def test_the_first_goes_when_it_gets_too_much() -> None:
    """What a provider points to may be many large lists."""
    memory, one = ShortMemory(max_kept=100), _token(bytes(40))
    for name in ("a", "b", "a", "c"):
        memory.put(name, "jwt", one)
    assert [name for name in "abc" if memory.get(name, "jwt")] == ["a", "c"]
    memory.put("d", "jwt", _token(bytes(400)))
    assert [name for name in "abcd" if memory.get(name, "jwt")] == ["d"]
