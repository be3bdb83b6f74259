"""Trust chains (OpenID Federation 1.0 §4, §6.2, §10.2): checked from the pinned anchor down."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from trust_list.federation.statements import Keys, Statement
from vc.errors import Malformed, Refused

_DOMAIN = re.compile(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)*")
ISSUER = "openid_credential_issuer"
FEDERATION_ENTITY = "federation_entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entity below the anchor: what it says of itself and what its superior says about it."""

    configuration: Statement
    statement: Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """From the entity asked about (`links[0]`) up; `anchor`: the entity configuration of the trust anchor."""

    links: tuple[Link, ...]
    anchor: Statement

    @property
    def subject(self) -> str:
        return self.links[0].configuration.sub

    @property
    def keys(self) -> Keys:
        """The federation keys of the entity asked about, as its superior names them."""
        return self.links[0].statement.keys

    @property
    def until(self) -> datetime:
        """When the first of its statements ends (§10.4)."""
        return min(one.exp for link in self.links for one in (link.configuration, link.statement, self.anchor))

    def metadata(self, entity_type: str) -> Mapping[str, Any]:
        """Metadata of that type; what the superior says replaces what the entity says (§6.1.4.2)."""
        said, imposed = self.links[0].configuration.metadata, self.links[0].statement.metadata
        return {**said.get(entity_type, {}), **imposed.get(entity_type, {})}

    def check(self, pinned: Keys, moments: Sequence[datetime], *, entity_type: str) -> None:
        """Raises `VcError` (codes `federation_…`) unless every statement stands at all `moments`, signed with a key
        that its superior names, and keeps the constraints above it.

        `entity_type`: in what capacity the subject is asked about.
        """
        self.anchor.check(pinned, moments)
        keys = self.anchor.keys
        for place in reversed(range(len(self.links))):
            link = self.links[place]
            link.statement.check(keys, moments)
            _check_constraints(link.statement, place, [one.configuration.sub for one in self.links[: place + 1]], entity_type)
            keys = link.statement.keys
            link.configuration.check(keys, moments)


def _check_constraints(statement: Statement, intermediates: int, below: Sequence[str], entity_type: str) -> None:
    """§6.2: for all that is below the one who states them; parameters that are not known are ignored, as that section says."""
    constraints = statement.claims.get("constraints", {})
    if not isinstance(constraints, dict):
        raise Malformed("federation_constraints", "constraints is not an object")
    longest = constraints.get("max_path_length")
    if "max_path_length" in constraints:
        if type(longest) is not int or longest < 0:
            raise Malformed("federation_constraints", "max_path_length is not a number of intermediates")
        if intermediates > longest:
            raise Refused("federation_path_length", f"{statement.iss} allows fewer intermediates than there are")
    allowed = constraints.get("allowed_entity_types")
    if "allowed_entity_types" in constraints:
        if not isinstance(allowed, list):
            raise Malformed("federation_constraints", "allowed_entity_types is not a list")
        if entity_type != FEDERATION_ENTITY and entity_type not in allowed:  # §6.2.3: federation_entity is always allowed
            raise Refused("federation_entity_type", f"{statement.iss} allows no {entity_type} below")
    names = constraints.get("naming_constraints", {})
    if not isinstance(names, dict):
        raise Malformed("federation_constraints", "naming_constraints is not an object")
    hosts = [(urlsplit(one).hostname or "") for one in below]
    if "permitted" in names:
        permitted = _domains(names["permitted"])
        if not all(any(_within(host, domain) for domain in permitted) for host in hosts):
            raise Refused("federation_naming", f"{statement.iss} does not permit a name below")
    if any(_within(host, domain) for host in hosts for domain in _domains(names.get("excluded", []))):
        raise Refused("federation_naming", f"{statement.iss} excludes a name below")


def _domains(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) and _DOMAIN.fullmatch(one.lower()) for one in value):
        raise Malformed("federation_constraints", "a naming constraint is a domain name")
    return [one.lower() for one in value]


def _within(host: str, domain: str) -> bool:
    """RFC 5280 §4.2.1.10 for URIs: with a leading dot any name below it, else this very host."""
    return host.endswith(domain) if domain.startswith(".") else host == domain
