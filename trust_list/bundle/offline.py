"""What stands in for the network where there is none."""

from collections.abc import Mapping
from typing import NoReturn

from vc.errors import Unreachable


class NoNetwork:
    """Gives nothing to nobody: what is kept from a bundle is all there is. Satisfies `trust_list.client.Getter`."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None) -> NoReturn:
        raise Unreachable("offline", "there is no network here, and the bundle does not carry it")
