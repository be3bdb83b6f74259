"""Registration certificates as a registrar makes them, with single facts changed by the test."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from issuer.entitlements import issued_by
from tests.support.pki import NOW, root
from vc.openid4vci import registration_certificate
from vc.openid4vci.registration_certificate import ProvidedAttestation, Registration


def written(
    path: Path, *, sub: str = "NTRFR-TEST1", types: tuple[str, ...] = ("pda1",), expires: datetime | None = None, **changes: Any
) -> str:
    """The certificate of an institution that issues `types`, in the file `path` as settings name it; gives the text."""
    kinds = dict.fromkeys((one.format, one.type_id) for one in issued_by(types))
    stated: dict[str, Any] = {
        "sub": sub,
        "name": "Institution (test)",
        "legal_name": "Institution (test)",
        "country": "FR",
        "registry_uri": "https://registrar.test/api",
        "service_description": {"en": "Documents"},
        "entitlements": (registration_certificate.PUB_EAA_PROVIDER,),
        "provides_attestations": tuple(ProvidedAttestation(format=form, type_ids=(name,)) for form, name in kinds),
        "privacy_policy": "https://institution.test/privacy",
        "info_uri": "https://institution.test",
        "support_uri": "https://institution.test/support",
        "supervisory_authority": {"uri": "https://authority.test"},
        "certificate_policy": "https://registrar.test/policy",
        **changes,
    }
    ends = expires or NOW + timedelta(days=300)
    text = registration_certificate.create(root("Test registrar").leaf(), Registration(**stated), now=NOW, expires=ends)
    path.write_text(text + "\n", encoding="ascii")
    return text
