"""The consent text: who, what, where to; strangers' texts are made harmless (SECURITY W-3)."""

from datetime import UTC, datetime

import pytest

from tests.support.openid4vp import Verifier
from wallet_sim import consent
from wallet_sim.consent import Shown
from wallet_sim.holdings import Holding


def shown(*paths: tuple[str | int | None, ...]) -> Shown:
    holding = Holding(
        number=7, format="dc+sd-jwt", type_id="urn:\u202etest", configuration_id="c", issuer="i",
        received=datetime(2026, 11, 24, tzinfo=UTC), copies=(),
    )  # fmt: skip
    return Shown(query_id="q", holding=holding, paths=frozenset(paths))


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ({"C": "DE", "O": "Inspection", "CN": "x"}, "Inspection (DE)"),
        ({"O": "Inspection", "CN": "x"}, "Inspection"),
        ({"CN": "Only a name"}, "Only a name"),
        ({"C": "DE"}, "unnamed (DE)"),
        ({"O": "Insp\u202eection\u0007"}, "Insp�ection�"),
    ],
)
def test_the_verifier_is_named_by_its_certificate(subject: dict[str, str], name: str) -> None:
    verifier = Verifier()
    verifier.signer = verifier.authority.leaf(subject=subject, dns_names=("verifier.example",))
    request = verifier.verify(verifier.token(verifier.claims()), outer=verifier.client_id())
    assert consent.verifier_name(request) == name


def test_every_claim_is_named_and_nothing_hidden() -> None:
    verifier = Verifier()
    request = verifier.verify(verifier.token(verifier.claims()))
    text = consent.describe(request, [shown(("family_name",), ("address", "loc\u2028ality"), ("nations", 0)), shown()])
    assert "credential 7: urn:�test (dc+sd-jwt)" in text
    assert "    - address/loc�ality\n    - family_name\n    - nations/0" in text
    assert "    - nothing beyond what every presentation of it shows" in text
    assert "(encrypted)" in text
    assert "x509_hash" in text


def test_disclosed_names_by_query() -> None:
    assert consent.disclosed([shown(("b",), ("a", 1))]) == {"q": ["a/1", "b"]}
