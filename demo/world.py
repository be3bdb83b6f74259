"""Who takes part in the test world. Every name is marked as a test; numbers are invented."""

from collections.abc import Mapping
from dataclasses import dataclass

PID_PROVIDER = "test-pid"
HAIP_INSTITUTION = "at-social-security"
LAW = "OJ:EU32004R0883"
"""Regulation (EC) No 883/2004, by its CELEX number: the law that makes an institution responsible for PDA1 and EHIC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One institution. `country`: ISO 3166-1 alpha-2. `types`: the documents it issues."""

    id: str
    name: str
    country: str
    types: tuple[str, ...]

    @property
    def registration_id(self) -> str:
        """In the form of ETSI EN 319 412-1 §5.1.4, visibly synthetic."""
        return f"NTR{self.country}-TEST-{self.id.upper()}"

    @property
    def list_id(self) -> str:
        """The trust list it belongs on."""
        return "pid" if self.types == ("pid",) else "pub-eaa"

    @property
    def sign_in(self) -> bool:
        """Whether people sign in there with their PID; its own provider cannot ask for it before it gave one."""
        return self.types != ("pid",)

    @property
    def issuance_profile(self) -> str:
        """`haip` for one institution, so that both profiles can be seen side by side; `pilot` for the others."""
        return "haip" if self.id == HAIP_INSTITUTION else "pilot"


_BOTH: Mapping[str, str] = {
    "AT": "Österreichische Sozialversicherung (test)",
    "BE": "Belgische sociale zekerheid / Sécurité sociale belge (test)",
    "BG": "Българско социално осигуряване (test)",
    "CH": "Sozialversicherung Schweiz / Assurances sociales suisses (test)",
    "CY": "Υπηρεσίες Κοινωνικών Ασφαλίσεων Κύπρου (test)",
    "CZ": "Česká správa sociálního pojištění (test)",
    "DE": "Deutsche Verbindungsstelle Sozialversicherung (test)",
    "DK": "Dansk Social Sikring (test)",
    "EE": "Eesti Sotsiaalkindlustus (test)",
    "ES": "Seguridad Social de España (test)",
    "FI": "Suomen sosiaaliturva (test)",
    "GB": "United Kingdom Social Security (test)",
    "GR": "Ελληνική Κοινωνική Ασφάλιση (test)",
    "HR": "Hrvatsko socijalno osiguranje (test)",
    "HU": "Magyar Társadalombiztosítás (test)",
    "IE": "Slándáil Shóisialta na hÉireann (test)",
    "IS": "Almannatryggingar Íslands (test)",
    "IT": "Previdenza sociale italiana (test)",
    "LI": "Liechtensteinische Sozialversicherung (test)",
    "LT": "Lietuvos socialinis draudimas (test)",
    "LU": "Lëtzebuerger Sozialversécherung (test)",
    "LV": "Latvijas sociālā apdrošināšana (test)",
    "MT": "Sigurtà Soċjali ta' Malta (test)",
    "NL": "Nederlandse sociale verzekeringen (test)",
    "NO": "Norsk folketrygd (test)",
    "PL": "Polskie Ubezpieczenia Społeczne (test)",
    "PT": "Segurança Social de Portugal (test)",
    "RO": "Asigurările Sociale din România (test)",
    "SE": "Svensk socialförsäkring (test)",
    "SI": "Slovensko socialno zavarovanje (test)",
    "SK": "Slovenské sociálne poistenie (test)",
}  # issues PDA1 and EHIC alike; France has one institution for each

FRANCE = (
    Member(id="fr-urssaf", name="Urssaf (test)", country="FR", types=("pda1",)),
    Member(id="fr-cnam", name="CNAM (test)", country="FR", types=("ehic",)),
)
PID = Member(id=PID_PROVIDER, name="Fournisseur d'identité numérique (test)", country="FR", types=("pid",))


def members() -> tuple[Member, ...]:
    """Every institution of the test world: the French two, one for each other State, the PID provider last."""
    others = (
        Member(id=f"{country.lower()}-social-security", name=name, country=country, types=("pda1", "ehic"))
        for country, name in _BOTH.items()
    )
    return (*FRANCE, *others, PID)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletProvider:
    """The provider of the test wallet, for the list of wallet providers. `solution`: URI of the wallet solution."""

    name: str = "Wallet provider (test)"
    country: str = "FR"
    registration_id: str = "NTRFR-TEST-WALLET"
    solution: str = "https://wallet.example/solutions/test"
