"""A status list of ten million entries, one per cent set: pack, compress, sign; against zlib level 6 alone on the packed bytes."""

import zlib
from collections.abc import Callable

import numpy as np

from bench import material
from vc.status.bits import StatusList
from vc.status.token import sign_jwt

ENTRIES, SET = 10_000_000, 100_000
_INDICES = np.random.default_rng(7).choice(ENTRIES, SET, replace=False)


def ours_publish() -> Callable[[], str]:
    """From the revoked indices to the signed token."""

    def work() -> str:
        return sign_jwt(
            StatusList.from_indices(ENTRIES, 1, _INDICES),
            uri="https://issuer.example/fr-urssaf/status/1",
            iat=material.NOW,
            exp=material.UNTIL,
            ttl=300,
            signer=material.SEAL,
        )

    return work


def zlib_6() -> Callable[[], bytes]:
    """Compression alone, of the list already packed."""
    packed = bytes(StatusList.from_indices(ENTRIES, 1, _INDICES).data)
    return lambda: zlib.compress(packed, 6)


def size_ratio() -> float:
    """Our compressed size divided by zlib's."""
    packed = StatusList.from_indices(ENTRIES, 1, _INDICES)
    return len(packed.compress()) / len(zlib.compress(bytes(packed.data), 6))
