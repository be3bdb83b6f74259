"""`credential_reuse_policy`: how often a copy of a credential is shown, and when new ones are fetched (EAA-I-4; ETSI TS
119 472-3, ARF Annex II)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vc.errors import Malformed
from vc.openid4vci import members

ID = "arf_annex_ii"
_CODE = "metadata"


class Detail(StrEnum):
    """The methods of the ARF. A (`once_only`) or B (`limited_time`) is offered always."""

    ONCE_ONLY = "once_only"
    LIMITED_TIME = "limited_time"
    ROTATING_BATCH = "rotating-batch"
    PER_RELYING_PARTY = "per-relying-party"


_SPELLINGS = {"limited-time": Detail.LIMITED_TIME}  # as some issuers write it
_ALWAYS = {Detail.ONCE_ONLY, Detail.LIMITED_TIME}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReuseOption:
    """One way to use the copies. `details`: methods, preferred first. `batch_size`: copies in a batch.

    `reissue_trigger_unused`: a new batch is fetched when so many copies are left. `reissue_trigger_lifetime_left`: or when
    they end in so many seconds. None: not said.
    """

    details: tuple[str, ...]
    batch_size: int | None = None
    reissue_trigger_unused: int | None = None
    reissue_trigger_lifetime_left: int | None = None

    def render(self) -> dict[str, Any]:
        """One entry of `options`."""
        given = {
            "batch_size": self.batch_size,
            "reissue_trigger_unused": self.reissue_trigger_unused,
            "reissue_trigger_lifetime_left": self.reissue_trigger_lifetime_left,
        }
        return {
            "details": [str(detail) for detail in self.details],
            **{name: value for name, value in given.items() if value is not None},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusePolicy:
    """The options of an issuer, preferred first."""

    options: tuple[ReuseOption, ...]

    def render(self) -> dict[str, Any]:
        """The value of `credential_reuse_policy`."""
        return {"id": ID, "options": [option.render() for option in self.options]}


def parse(owner: Mapping[str, Any], pointer: str) -> ReusePolicy | None:
    """The policy in `credential_metadata`; None when there is none, or one of a kind we do not know.

    Raises `Malformed("metadata")`: no options, an option without a method we know, numbers that are none, neither method A nor
    method B in any option.
    """
    if "credential_reuse_policy" not in owner:
        return None
    at = f"{pointer}/credential_reuse_policy"
    policy = members.an_object(owner["credential_reuse_policy"], _CODE, at)
    if members.required_text(policy, "id", _CODE, at) != ID:
        return None
    entries = members.array(policy, "options", _CODE, at)
    if entries is None:
        raise Malformed(_CODE, "missing", pointer=f"{at}/options")
    options = tuple(_option(entry, f"{at}/options/{index}") for index, entry in enumerate(entries))
    if not any(_ALWAYS.intersection(option.details) for option in options):
        raise Malformed(_CODE, "neither once_only nor limited_time is offered", pointer=f"{at}/options")
    return ReusePolicy(options=options)


def _option(entry: object, pointer: str) -> ReuseOption:
    option = members.an_object(entry, _CODE, pointer)
    named = members.texts(option, "details", _CODE, pointer) or ()
    known = tuple(dict.fromkeys(_SPELLINGS.get(name) or Detail(name) for name in named if name in {*Detail, *_SPELLINGS}))
    if not known:
        raise Malformed(_CODE, "no method of the ARF", pointer=f"{pointer}/details")
    return ReuseOption(
        details=known,
        batch_size=members.positive(option, "batch_size", _CODE, pointer),
        reissue_trigger_unused=members.positive(option, "reissue_trigger_unused", _CODE, pointer, least=0),
        reissue_trigger_lifetime_left=members.positive(option, "reissue_trigger_lifetime_left", _CODE, pointer),
    )
