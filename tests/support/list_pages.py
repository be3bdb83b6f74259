"""A publisher with something to look at: bodies of several countries with accents in their names, and a history of editions."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.support.pki import NOW, root
from tests.support.trust import EHIC, PDA1, PID, Institution, institution
from trust_list import authoring

DAY = timedelta(days=1)
LATER = NOW + 6 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`home`: the publisher's directory, to be looked at `LATER`. `withdrawn` is the body that lost its notification."""

    home: Path
    bodies: tuple[Institution, ...]
    withdrawn: Institution
    stranger: Institution


def publish(folder: Path) -> Shown:
    """Editions 1 to 3 of the Pub-EAA list, a first one of the PID list, and the trust root."""
    authority = root("Seal CA (test)")
    rows = (
        ("Caisse d’assurance maladie d’Île-de-France (test)", "FR", "NTRFR-000000020", (EHIC,)),
        ("Zakład Ubezpieczeń Społecznych, oddział w Łodzi (test)", "PL", "NTRPL-000000040", (PDA1,)),
        ("Exempelkassan för vård och försäkring (test)", "SE", "NTRSE-000000030", (PDA1, EHIC)),
        ("Οργανισμός Ασφάλισης (test)", "GR", "NTREL-000000050", (PDA1, EHIC)),
        ("Nemzeti Egészségbiztosítási Pénztár (test)", "HU", "NTRHU-000000060", (EHIC,)),
    )
    bodies = tuple(institution(authority, name, country, number, *types) for name, country, number, types in rows)
    providers = institution(authority, "Ministère de l’Intérieur (test)", "FR", "NTRFR-000000090", PID)
    home = folder / "trust-list"
    home.mkdir()
    authoring.init(home, base_url="https://lists.test", now=NOW)
    authoring.add_entities(home, "pub-eaa", [body.draft() for body in bodies[:4]], now=NOW)
    authoring.publish(home, "pub-eaa", now=NOW)
    authoring.add_entities(home, "pid", [providers.draft()], now=NOW)
    authoring.publish(home, "pid", now=NOW)
    authoring.add_entities(home, "pub-eaa", [bodies[4].draft()], now=NOW + 2 * DAY)
    authoring.withdraw(home, "pub-eaa", bodies[1].registration_id, reason="merged", now=NOW + 5 * DAY)
    authoring.write_trust_root(home, home / "trust-root.json", now=NOW)
    stranger = institution(root("Other CA (test)"), "Nobody’s Insurance (test)", "FR", "NTRFR-000000099", PDA1)
    return Shown(home=home, bodies=bodies, withdrawn=bodies[1], stranger=stranger)
