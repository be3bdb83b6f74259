"""The list of trusted entities as typed values (ETSI TS 119 602 V1.1.1 clause 6, JSON binding).

Members carry the standard's own names. Reading is strict: unknown members, other JSON types and other time forms are
refused. The one exception is the standard's own: its schema lets unknown members of a ServiceDigitalIdentity pass, so they
pass here too and are kept.
"""

import binascii
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any

from cryptography import x509
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from trust_list.countries import normal
from vc.encoding import json
from vc.errors import Malformed
from vc.x509.certificate import der, from_der

MAX_LIST = 5 * 1024 * 1024
"""Octets of a list's JSON and of its JWS (TRUST 7.2)."""
MAX_SEQUENCE = 2**53 - 1
WITHDRAWAL_REASON = "WithdrawalReason"
"""Private, non-critical service extension: why a service was withdrawn, in the operator's words (TRUST 7.2 rule 6)."""
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def read_time(value: object) -> datetime:
    """Clause 6.1: UTC, `Z`, no fractions of a second."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or len(value) != 20 or not value.isascii():
        raise ValueError("not a UTC time of the form 2026-01-31T00:00:00Z")
    return datetime.strptime(value, _FORM).replace(tzinfo=UTC)


def write_time(moment: datetime) -> str:
    """`moment` (aware UTC) as the list writes it."""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%SZ}"


def _text(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("an empty text says nothing")
    return value


UtcTime = Annotated[datetime, BeforeValidator(read_time), PlainSerializer(write_time, return_type=str)]
Text = Annotated[str, BeforeValidator(_text)]
Uri = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]+$", max_length=2048)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class MultiLangString(_Part):
    lang: Text
    value: Text


class MultiLangUri(_Part):
    lang: Text
    uriValue: Uri


class PostalAddress(_Part):
    lang: Text
    StreetAddress: str
    Locality: str | None = None
    StateOrProvince: str | None = None
    PostalCode: str | None = None
    Country: str


class OperatorAddress(_Part):
    SchemeOperatorPostalAddress: list[PostalAddress] = Field(min_length=1)
    SchemeOperatorElectronicAddress: list[MultiLangUri] = Field(min_length=1)


class Policy(_Part):
    LoTEPolicy: MultiLangUri | None = None
    LoTELegalNotice: str | None = None


class PkiObject(_Part):
    """`val`: standard base64 of DER, no PEM armour."""

    encoding: Uri | None = None
    specRef: str | None = None
    val: str


class DigitalIdentity(_Part):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    X509Certificates: list[PkiObject] | None = Field(default=None, min_length=1)
    X509SubjectNames: list[str] | None = Field(default=None, min_length=1)
    PublicKeyValues: list[dict[str, Any]] | None = Field(default=None, min_length=1)
    X509SKIs: list[str] | None = Field(default=None, min_length=1)
    OtherIds: list[str] | None = Field(default=None, min_length=1)

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The listed certificates, read anew each time: read ones weigh ten times their octets, and a list has thousands.

        Raises `Malformed("lote_certificate")` or `Malformed("certificate")`.
        """
        return tuple(from_der(_base64(item.val)) for item in self.X509Certificates or ())

    @cached_property
    def skis(self) -> tuple[bytes, ...]:
        """The listed subject key identifiers. Raises `Malformed("lote_certificate")`."""
        return tuple(_base64(item) for item in self.X509SKIs or ())


class LoTEQualifier(_Part):
    LoTEType: Uri
    SchemeOperatorName: list[MultiLangString] = Field(min_length=1)
    SchemeTypeCommunityRules: list[MultiLangUri] | None = Field(default=None, min_length=1)
    SchemeTerritory: str | None = None
    MimeType: str


class OtherLoTEPointer(_Part):
    LoTELocation: Uri
    ServiceDigitalIdentities: list[DigitalIdentity] = Field(min_length=1)
    LoTEQualifiers: list[LoTEQualifier] = Field(min_length=1)


class SchemeInformation(_Part):
    """`ListAndSchemeInformation`, clause 6.3. `NextUpdate` is null in a closed list (clause 6.3.15)."""

    LoTEVersionIdentifier: int
    LoTESequenceNumber: int = Field(ge=1, le=MAX_SEQUENCE)
    LoTEType: Uri | None = None
    SchemeOperatorName: list[MultiLangString] = Field(min_length=1)
    SchemeOperatorAddress: OperatorAddress | None = None
    SchemeName: list[MultiLangString] | None = Field(default=None, min_length=1)
    SchemeInformationURI: list[MultiLangUri] | None = Field(default=None, min_length=1)
    StatusDeterminationApproach: Uri | None = None
    SchemeTypeCommunityRules: list[MultiLangUri] | None = Field(default=None, min_length=1)
    SchemeTerritory: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    PolicyOrLegalNotice: list[Policy] | None = Field(default=None, min_length=1)
    HistoricalInformationPeriod: int | None = None
    PointersToOtherLoTE: list[OtherLoTEPointer] | None = Field(default=None, min_length=1)
    ListIssueDateTime: UtcTime
    NextUpdate: UtcTime | None
    DistributionPoints: list[Uri] | None = Field(default=None, min_length=1)
    SchemeExtensions: list[Any] | None = Field(default=None, min_length=1)


class ServiceSupplyPoint(_Part):
    ServiceType: Uri | None = None
    uriValue: Uri


class Service(_Part):
    """Clause 6.6."""

    ServiceTypeIdentifier: Uri | None = None
    ServiceName: list[MultiLangString] = Field(min_length=1)
    ServiceDigitalIdentity: DigitalIdentity
    ServiceStatus: Uri | None = None
    StatusStartingTime: UtcTime | None = None
    SchemeServiceDefinitionURI: list[MultiLangUri] | None = Field(default=None, min_length=1)
    ServiceSupplyPoints: list[ServiceSupplyPoint] | None = Field(default=None, min_length=1)
    ServiceDefinitionURI: list[MultiLangUri] | None = Field(default=None, min_length=1)
    ServiceInformationExtensions: list[dict[str, Any]] | None = Field(default=None, min_length=1)


class PastService(_Part):
    """Clause 6.7: one status the service had before; the newest instance stands first."""

    ServiceTypeIdentifier: Uri | None = None
    ServiceName: list[MultiLangString] = Field(min_length=1)
    ServiceDigitalIdentity: DigitalIdentity
    ServiceStatus: Uri
    StatusStartingTime: UtcTime
    ServiceInformationExtensions: list[dict[str, Any]] | None = Field(default=None, min_length=1)


class EntityService(_Part):
    ServiceInformation: Service
    ServiceHistory: list[PastService] | None = Field(default=None, min_length=1)


class EntityAddress(_Part):
    TEPostalAddress: list[PostalAddress] = Field(min_length=1)
    TEElectronicAddress: list[MultiLangUri] = Field(min_length=1)


class EntityInformation(_Part):
    """Clause 6.5."""

    TEName: list[MultiLangString] = Field(min_length=1)
    TETradeName: list[MultiLangString] | None = Field(default=None, min_length=1)
    TEAddress: EntityAddress
    TEInformationURI: list[MultiLangUri] = Field(min_length=1)
    TEInformationExtensions: list[dict[str, Any]] | None = Field(default=None, min_length=1)


_COUNTRY_MARK = "http://uri.etsi.org/19602/ListOfTrustedEntities/"


class TrustedEntity(_Part):
    TrustedEntityInformation: EntityInformation
    TrustedEntityServices: list[EntityService] = Field(min_length=1)

    @property
    def name(self) -> str:
        """The first name, which in our lists is the English or only one."""
        return self.TrustedEntityInformation.TEName[0].value

    @property
    def names(self) -> frozenset[str]:
        return frozenset(item.value for item in self.TrustedEntityInformation.TEName)

    @property
    def trade_names(self) -> frozenset[str]:
        return frozenset(item.value for item in self.TrustedEntityInformation.TETradeName or ())

    @property
    def registration_ids(self) -> tuple[str, ...]:
        """Trade names that are registration identifiers (EN 319 412-1 §5.1.4), not law references."""
        trade = self.TrustedEntityInformation.TETradeName or ()
        return tuple(item.value for item in trade if not item.value.startswith("OJ:"))

    @property
    def law(self) -> str | None:
        """The law reference `OJ:…` (Table H.2), None when the list type has none."""
        trade = self.TrustedEntityInformation.TETradeName or ()
        return next((item.value for item in trade if item.value.startswith("OJ:")), None)

    @property
    def entity_id(self) -> str:
        """What names this entity in decisions and commands: its registration identifier, else its name."""
        return self.registration_ids[0] if self.registration_ids else self.name

    @property
    def country(self) -> str | None:
        """The ISO country of the country URI, which stands in TEAddress (Annex H) or TEInformationURI (Annexes D and I)."""
        information = self.TrustedEntityInformation
        for item in (*information.TEAddress.TEElectronicAddress, *information.TEInformationURI):
            if item.uriValue.startswith(_COUNTRY_MARK):
                return normal(item.uriValue.rsplit("/", 1)[1])
        return None


class LoTE(_Part):
    """One edition of a list. An absent `TrustedEntitiesList` means: nobody is or was approved (clause 6.4)."""

    ListAndSchemeInformation: SchemeInformation
    TrustedEntitiesList: list[TrustedEntity] | None = Field(default=None, min_length=1)

    @property
    def scheme(self) -> SchemeInformation:
        return self.ListAndSchemeInformation

    @property
    def entities(self) -> tuple[TrustedEntity, ...]:
        return tuple(self.TrustedEntitiesList or ())


class Document(_Part):
    """The JSON text of a list: the wrapper that the schema asks for."""

    list_: LoTE = Field(alias="LoTE")


def parse(payload: bytes) -> LoTE:
    """The list of one JSON text. Raises `Malformed`: `lote_structure` with pointer, or the codes of `json.loads`."""
    return read(payload)[0]


def read(payload: bytes) -> tuple[LoTE, dict[str, Any]]:
    """As `parse`, with the JSON value beside it: a large list is not read twice."""
    value = json.loads_object(payload, max_bytes=MAX_LIST)
    try:
        return Document.model_validate(value).list_, value
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "".join(f"/{step}" for step in first["loc"])
        raise Malformed("lote_structure", f"{first['msg']} ({exc.error_count()} fault(s))", pointer=pointer) from exc


def render(lote: LoTE) -> bytes:
    """The list as compact JSON in the standard's member order; absent members stay absent."""
    value = {"LoTE": lote.model_dump(mode="json", exclude_none=True)}
    if lote.scheme.NextUpdate is None:
        value["LoTE"]["ListAndSchemeInformation"]["NextUpdate"] = None
    return json.dumps(value)


def pki_object(certificate: x509.Certificate) -> PkiObject:
    """A certificate as the list carries it."""
    return PkiObject(val=b64encode(der(certificate)).decode("ascii"))


def _base64(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise Malformed("lote_certificate", "a value is not standard base64") from exc
