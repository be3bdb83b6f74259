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


@cache
def _validator() -> Draft7Validator:
    """Its reference to the JWK schema is answered from our files, never from the network."""
    folder = files("trust_list").joinpath("schema")
    lote = json.loads(folder.joinpath("ts119602_v1.1.1_lote.schema.json").read_bytes())
    jwk = json.loads(folder.joinpath("rfc7517.schema.json").read_bytes())
    registry: Registry[Any] = Registry().with_resource("rfcs/rfc7517.json", DRAFT7.create_resource(jwk))
    return Draft7Validator(lote, registry=registry)


def faults(document: Any) -> Iterator[tuple[str, str]]:
    """Pointer and message of each place where `document` (`{"LoTE": …}`) does not follow the schema."""
    error: ValidationError
    for error in _validator().iter_errors(document):
        yield "".join(f"/{step}" for step in error.absolute_path), error.message
