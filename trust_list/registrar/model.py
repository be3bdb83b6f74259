"""A registered party in the members of TS5's data model (WalletRelyingParty), read strictly; and what of it certificates state.

TS5 writes `meta` and `path` as text: here that text is the JSON of the DCQL member. Members the registrar does nothing with
(natural persons, intermediaries) are not taken: what is not checked is not registered.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vc.encoding import claims_path, json
from vc.errors import Malformed
from vc.openid4vci.registered_use import RequestedCredential, kind
from vc.openid4vci.registration_certificate import PROVIDERS, SERVICE_PROVIDER, ProvidedAttestation

Text = Annotated[str, Field(min_length=1, max_length=500)]
Uri = Annotated[str, Field(pattern=r"^(https?://|mailto:|tel:)[\x21-\x7e]{1,400}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
_CODE = "party"
MAX_PARTY = 256 * 1024


class _Member(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MultiLangString(_Member):
    lang: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    content: Text


class Identifier(_Member):
    """`identifier` in the semantic form of EN 319 412-1 §5.1.4 (`NTRFR-…`): what certificates name."""

    identifier: Annotated[str, Field(pattern=r"^[A-Z]{3}[A-Z]{2}-[\x21-\x7e]{1,64}$")]
    type: Text


class Law(_Member):
    lang: Text
    legalBasis: Text


class LegalPerson(_Member):
    legalName: Annotated[list[Text], Field(min_length=1, max_length=5)]
    establishedByLaw: Annotated[list[Law], Field(max_length=10)] = []


class Policy(_Member):
    type: Text
    policyURI: Uri


class Claim(_Member):
    path: Text


class Credential(_Member):
    format: Text
    meta: Text
    claims: Annotated[list[Claim], Field(max_length=200)] = []

    def requested(self, pointer: str) -> RequestedCredential:
        """What a request may ask for. Raises `Malformed("party")` or what `claims_path` raises, with the place."""
        format_name, types = _kind(self.format, self.meta, pointer)
        paths = tuple(
            claims_path.parse(_decoded(claim.path, f"{pointer}/claims/{index}/path"), pointer=f"{pointer}/claims/{index}/path")
            for index, claim in enumerate(self.claims)
        )
        return RequestedCredential(format=format_name, type_ids=types, claims=paths)


class ProvidedCredential(_Member):
    format: Text
    meta: Text

    def provided(self, pointer: str) -> ProvidedAttestation:
        """What may be issued. Raises `Malformed("party")` with the place."""
        format_name, types = _kind(self.format, self.meta, pointer)
        return ProvidedAttestation(format=format_name, type_ids=types)


class IntendedUse(_Member):
    intendedUseIdentifier: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    purpose: Annotated[list[MultiLangString], Field(min_length=1, max_length=30)]
    privacyPolicy: Policy
    createdAt: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    revokedAt: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    credentials: Annotated[list[Credential], Field(min_length=1, max_length=50)]


class SupervisoryAuthority(_Member):
    name: Text
    country: Country
    email: Annotated[list[Text], Field(max_length=5)] = []
    phone: Annotated[list[Text], Field(max_length=5)] = []
    formURI: Annotated[list[Uri], Field(max_length=5)] = []


class Party(_Member):
    """A registered relying party or issuer (TS5 WalletRelyingParty)."""

    identifier: Annotated[list[Identifier], Field(min_length=1, max_length=5)]
    country: Country
    legalPerson: LegalPerson
    tradeName: Text
    email: Annotated[list[Text], Field(max_length=5)] = []
    phone: Annotated[list[Text], Field(max_length=5)] = []
    infoURI: Annotated[list[Uri], Field(min_length=1, max_length=5)]
    supportURI: Annotated[list[Uri], Field(min_length=1, max_length=5)]
    policy: Annotated[list[Policy], Field(min_length=1, max_length=10)]
    srvDescription: Annotated[list[Annotated[list[MultiLangString], Field(min_length=1)]], Field(min_length=1, max_length=20)]
    isPSB: bool
    entitlements: Annotated[list[Uri], Field(min_length=1, max_length=10)]
    supervisoryAuthority: SupervisoryAuthority
    intendedUse: Annotated[list[IntendedUse], Field(max_length=50)] = []
    providesAttestations: Annotated[list[ProvidedCredential], Field(max_length=100)] = []

    @property
    def id(self) -> str:
        """The first identifier: what access and registration certificates name."""
        return self.identifier[0].identifier

    def use(self, name: str) -> IntendedUse | None:
        """The intended use of that identifier, None without."""
        return next((one for one in self.intendedUse if one.intendedUseIdentifier == name), None)

    def to_json(self) -> dict[str, Any]:
        """As TS5 has it; what is not stated is left out."""
        return self.model_dump(exclude_none=True)


def parse(data: bytes) -> Party:
    """A party from its JSON text. Raises `Malformed("party")` with the place, and what the strict JSON reader raises.

    Beyond the form: an entitlement that is known; who provides attestations is entitled to (GEN-5.2.4-05), who has an intended use
    is a service provider; every `meta` and `path` can be read; no intended use twice; a supervisory authority that can be reached.
    """
    try:
        party = Party.model_validate(json.loads_object(data, max_bytes=MAX_PARTY))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        raise Malformed(_CODE, first["msg"], pointer="".join(f"/{step}" for step in first["loc"])) from exc
    known = {SERVICE_PROVIDER, *PROVIDERS}
    if not known.issuperset(party.entitlements):
        raise Malformed(_CODE, "an entitlement that is not known", pointer="/entitlements")
    if party.providesAttestations and not PROVIDERS.intersection(party.entitlements):
        raise Malformed(_CODE, "attestations of somebody who is not entitled to provide any", pointer="/providesAttestations")
    if party.intendedUse and SERVICE_PROVIDER not in party.entitlements:
        raise Malformed(_CODE, "an intended use of somebody who is no service provider", pointer="/intendedUse")
    if len({one.intendedUseIdentifier for one in party.intendedUse}) != len(party.intendedUse):
        raise Malformed(_CODE, "an intended use is named twice", pointer="/intendedUse")
    authority = party.supervisoryAuthority
    if not (authority.email or authority.phone or authority.formURI):
        raise Malformed(_CODE, "nobody can reach the supervisory authority", pointer="/supervisoryAuthority")
    for number, use in enumerate(party.intendedUse):
        for index, one in enumerate(use.credentials):
            one.requested(f"/intendedUse/{number}/credentials/{index}")
    for index, provided in enumerate(party.providesAttestations):
        provided.provided(f"/providesAttestations/{index}")
    return party


def _kind(format: str, meta: str, pointer: str) -> tuple[str, tuple[str, ...]]:
    format_name, types = kind({"format": format, "meta": _decoded(meta, f"{pointer}/meta")}, _CODE, pointer)
    if not types or (format_name == "mso_mdoc" and len(types) != 1):
        raise Malformed(_CODE, "meta names no type", pointer=f"{pointer}/meta")
    return format_name, types


def _decoded(text: str, pointer: str) -> Any:
    """The JSON value that a text of TS5 stands for."""
    try:
        return json.loads(text.encode())
    except Malformed as exc:
        raise Malformed(_CODE, "not the JSON of a DCQL member", pointer=pointer) from exc
