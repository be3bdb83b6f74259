"""Which headers a seal carries (ETSI TS 119 182-1 V1.2.1 clause 5; TRUST 1.2)."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.pki import NOW
from tests.support.trust import ListOperator
from trust_list import authoring, jades, model
from trust_list.accept import accept
from trust_list.jades_profiles import HeaderProfile, check, header_profile
from trust_list.root import TrustRoot
from trust_list.store import Publisher
from vc.encoding import json
from vc.errors import Refused, VerificationFailed
from vc.jose import jws
from vc.x509.certificate import sha256

BASELINE, APTITUDE = HeaderProfile.BASELINE, HeaderProfile.APTITUDE
PROPER = {"alg": "ES256", "typ": "JOSE", "iat": 1795392000, "x5t#S256": "AAAA", "x5c": ["AAAA"]}


@pytest.mark.parametrize(
    ("profile", "members"),
    [(BASELINE, ["alg", "typ", "iat", "x5t#S256", "x5c"]), (APTITUDE, ["alg", "typ", "iat", "x5t#S256"])],
)
def test_a_seal_carries_exactly_the_headers_of_its_profile(
    operator: ListOperator, profile: HeaderProfile, members: list[str]
) -> None:
    header = jws.parse(jades.sign(b"{}", operator.signer, at=NOW, profile=profile)).header
    assert list(header) == members
    assert header["typ"] == "JOSE"
    assert check(header, profile) == ()


def test_the_profiles_exclude_each_other(operator: ListOperator) -> None:
    header = jws.parse(jades.sign(b"{}", operator.signer, at=NOW)).header
    assert [item.pointer for item in check(header, APTITUDE)] == ["/x5c"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"iat": None}, [("error", "iat")]),
        ({"iat": "1795392000"}, [("error", "iat")]),
        ({"iat": True}, [("error", "iat")]),
        ({"sigT": "2026-11-24T12:00:00Z"}, [("warning", "sigT")]),
        ({"x5t": "AAAA"}, [("error", "x5t")]),
        ({"sigD": {}}, [("error", "detached")]),
        ({"b64": False}, [("error", "detached")]),
        ({"x5c": None}, []),
        ({"x5t#S256": None}, []),
        ({"x5c": None, "x5t#S256": None}, [("error", "certificate")]),
        ({"x5c": None, "x5t#S256": None, "x5t#o": {}}, []),
        ({"x5c": None, "x5t#S256": None, "sigX5ts": []}, []),
        ({"typ": "JAdES"}, [("warning", "typ")]),
        ({"typ": None}, []),
    ],
)
def test_what_a_new_seal_lacks(change: dict[str, Any], found: list[tuple[str, str]]) -> None:
    header = {name: value for name, value in {**PROPER, **change}.items() if value is not None}
    assert [(item.severity, item.code) for item in check(header, BASELINE)] == found


def test_the_aptitude_profile_needs_the_digest() -> None:
    header = {name: value for name, value in PROPER.items() if name not in ("x5c", "x5t#S256")} | {"x5t#o": {}}
    assert [item.code for item in check(header, APTITUDE)] == ["x5t#S256"]


def test_a_publisher_seals_after_its_profile(tmp_path: Path) -> None:
    """Readers with the certificate in their root accept it; a root without it cannot know the signer."""
    authoring.init(tmp_path, base_url="https://lists.test", now=NOW, headers=APTITUDE)
    edition = authoring.publish(tmp_path, "pub-eaa", now=NOW)
    assert "x5c" not in jws.parse(edition.jws.decode()).header
    root = authoring.trust_root(tmp_path, now=NOW)
    assert accept("pub-eaa", edition.jws, root=TrustRoot.load(root.render()), state=None, now=NOW).notes == ()
    bare = json.loads_object(root.render())
    for entry in bare["lists"]:
        entry.pop("certificates", None)
    with pytest.raises(VerificationFailed) as caught:
        accept("pub-eaa", edition.jws, root=TrustRoot.load(json.dumps(bare)), state=None, now=NOW)
    assert caught.value.code == "list_signer_unknown"


def test_a_profile_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        header_profile("baseline-lt")
    assert caught.value.code == "jades_profile"
    authoring.init(tmp_path, base_url="https://lists.test", now=NOW)
    config = json.loads_object((tmp_path / "config.json").read_bytes())
    assert config["jades"] == "baseline"
    (tmp_path / "config.json").write_bytes(json.dumps({**config, "jades": "other"}))
    with pytest.raises(Refused) as caught:
        authoring.publish(tmp_path, "pub-eaa", now=NOW)
    assert caught.value.code == "jades_profile"
    assert Publisher(tmp_path).latest("pub-eaa") is None


def test_reading_both_profiles_gives_the_same_list(operator: ListOperator) -> None:
    lote = operator.lote()
    certificate = operator.signer.chain[0]
    for profile in HeaderProfile:
        token = jades.sign(model.render(lote), operator.signer, at=NOW, profile=profile).encode()
        pins = frozenset({sha256(certificate)})
        sealed = jades.verify(token, pinned=pins, known={sha256(certificate): certificate}, now=NOW)
        assert (sealed.payload, sealed.signer, sealed.signed_at, sealed.notes) == (model.render(lote), certificate, NOW, ())
