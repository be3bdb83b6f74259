"""Display objects and claims descriptions (OpenID4VCI 1.0 §12.2.4, Appendix B.2): what a wallet shows of a credential."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vc.encoding import claims_path
from vc.encoding.claims_path import Path
from vc.errors import Malformed
from vc.openid4vci import members

_CODE = "metadata"
_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")  # the shape of BCP 47, not its registry
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDescription:
    """One claim a credential may have. `labels`: name by locale, "" for a display without one. The order is the display order."""

    path: Path
    mandatory: bool = False
    labels: Mapping[str, str] | None = None

    def render(self) -> dict[str, Any]:
        """The object as it stands in `credential_metadata.claims`."""
        display = [{"name": name, **({"locale": locale} if locale else {})} for locale, name in (self.labels or {}).items()]
        return {
            "path": list(self.path),
            **({"mandatory": True} if self.mandatory else {}),
            **({"display": display} if display else {}),
        }


def displays(owner: Mapping[str, Any], pointer: str, *, name_required: bool) -> tuple[Mapping[str, Any], ...]:
    """The `display` array: at most one object per locale, images with a `uri` that is https or data (VCI-META-14)."""
    entries = members.array(owner, "display", _CODE, pointer) or []
    for index, entry in enumerate(entries):
        at = f"{pointer}/display/{index}"
        members.an_object(entry, _CODE, at)
        if name_required:
            members.required_text(entry, "name", _CODE, at)
        else:
            members.text(entry, "name", _CODE, at)
        locale = members.text(entry, "locale", _CODE, at)
        if locale is not None and not _LOCALE.fullmatch(locale):
            raise Malformed(_CODE, "not a language tag", pointer=f"{at}/locale")
        for image in ("logo", "background_image"):
            if image in entry:
                _require_image(entry[image], f"{at}/{image}")
        for colour in ("background_color", "text_color"):
            if colour in entry and not (isinstance(entry[colour], str) and _COLOUR.fullmatch(entry[colour])):
                raise Malformed(_CODE, "not a colour like #12107c", pointer=f"{at}/{colour}")
    if len({entry.get("locale") for entry in entries}) != len(entries):
        raise Malformed(_CODE, "two display objects for one locale", pointer=f"{pointer}/display")
    return tuple(entries)


def _require_image(image: object, pointer: str) -> None:
    uri = members.required_text(members.an_object(image, _CODE, pointer), "uri", _CODE, pointer)
    if not uri.startswith(("https://", "data:")):
        raise Malformed(_CODE, "neither https nor data", pointer=f"{pointer}/uri")


def claims(owner: Mapping[str, Any], pointer: str, *, mdoc: bool) -> tuple[ClaimDescription, ...]:
    """The `claims` array (VCI-META-15): right paths, none twice, none that contradict each other.

    `mdoc`: paths begin with namespace and element.
    """
    entries = members.array(owner, "claims", _CODE, pointer) or []
    found = tuple(_claim(entry, f"{pointer}/claims/{index}") for index, entry in enumerate(entries))
    paths = [claim.path for claim in found]
    if len(set(paths)) != len(paths):
        raise Malformed(_CODE, "two descriptions of one claim", pointer=f"{pointer}/claims")
    if mdoc and not all(len(path) >= 2 and isinstance(path[0], str) and isinstance(path[1], str) for path in paths):
        raise Malformed(_CODE, "the path of an mdoc claim begins with namespace and element", pointer=f"{pointer}/claims")
    _require_no_contradiction(paths, f"{pointer}/claims")
    return found


def _claim(entry: object, pointer: str) -> ClaimDescription:
    claim = members.an_object(entry, _CODE, pointer)
    labels = {
        display.get("locale", ""): str(display["name"])
        for display in displays(claim, pointer, name_required=False)
        if "name" in display
    }
    return ClaimDescription(
        path=claims_path.parse(claim.get("path"), pointer=f"{pointer}/path"),
        mandatory=members.flag(claim, "mandatory", _CODE, pointer),
        labels=labels or None,
    )


def _require_no_contradiction(paths: Sequence[Path], pointer: str) -> None:
    """Below one element all paths go on in the same way: by name, by index, or by null (Appendix B.2)."""
    kinds: dict[Path, type] = {}
    for path in paths:
        for length, component in enumerate(path):
            if kinds.setdefault(path[:length], type(component)) is not type(component):
                raise Malformed(_CODE, "two paths see one element as object and array, or mix index and null", pointer=pointer)
