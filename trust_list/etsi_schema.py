"""ETSI's JSON schema of TS 119 602, unmodified. The text of the standard prevails over it (Annex A.1)."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT7

from vc.encoding import json

_FOLDER = files("trust_list").joinpath("schema")


@cache
def _registry() -> Registry[Any]:
    """What the schemas refer to, answered from our files, never from the network. The TIE schema calls the main schema by a
    name no file has."""
    names = {"rfcs/rfc7517.json": "rfc7517.schema.json", "1960201-jsonSchema.json": "ts119602_v1.1.1_lote.schema.json"}
    resources = [(uri, DRAFT7.create_resource(json.loads(_FOLDER.joinpath(name).read_bytes()))) for uri, name in names.items()]
    return Registry().with_resources(resources)


@cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(_FOLDER.joinpath("ts119602_v1.1.1_lote.schema.json").read_bytes()), registry=_registry())


@cache
def _associated_bodies() -> Draft7Validator:
    """The part of the TIE schema for one extension, which has no root of its own."""
    schema = json.loads(_FOLDER.joinpath("ts119602_v1.1.1_tie.schema.json").read_bytes())
    return Draft7Validator({**schema, "$ref": "#/definitions/OtherAssociatedBodies"}, registry=_registry())


def faults(document: Any) -> Iterator[tuple[str, str]]:
    """Pointer and message of each place where `document` (`{"LoTE": …}`) does not follow the schema."""
    return _faults(_validator(), document)


def associated_bodies_faults(value: Any) -> Iterator[tuple[str, str]]:
    """As `faults`, for the value of an `OtherAssociatedBodies` extension (clause 6.5.5.1)."""
    return _faults(_associated_bodies(), value)


def _faults(validator: Draft7Validator, value: Any) -> Iterator[tuple[str, str]]:
    error: ValidationError
    for error in validator.iter_errors(value):
        yield "".join(f"/{step}" for step in error.absolute_path), error.message
