"""Which wallet providers are believed (VCI-WIA-4, EAA-I-8, SECURITY A-14). The control of every refusal is `test_a_listed_…`."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from edge.outbound import FetchLimits, Outbound
from edge.settings import SettingsError
from issuer import serving
from issuer.wallet_trust import Provider, WalletTrust
from tests.support import pki
from tests.support.internet import Internet
from tests.support.issuer import TestClock, build
from tests.support.pki import NOW
from tests.support.wallet_provider import LIST_HOST, WalletLists, WalletProvider
from trust_list.client import TrustClient
from trust_list.revocation import RevocationLists
from trust_list.status_lists import StatusLists
from trust_list.status_memory import ShortMemory
from vc.errors import Refused, Unreachable, VcError
from vc.keys.signer import LocalSigner
from vc.status.reference import StatusReference
from vc.x509 import crl
from vc.x509.crl import Reason, Revocation

DAY = timedelta(days=1)


class Scene:
    """One listed provider, another that is listed too, and a stranger of the same CA."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.internet = TestClock(), Internet()
        self.provider = WalletProvider()
        self.other = WalletProvider(
            name="Other provider (test)",
            registration_id="NTRFR-WALLET2",
            host="other-provider.test",
            authority=self.provider.authority,
        )
        self.lists = WalletLists(folder, self.internet, self.clock, self.provider, self.other)
        self.trust = self.lists.trust()

    def believe(
        self, signer: LocalSigner | None = None, *, status: StatusReference | None = None, trust: WalletTrust | None = None
    ) -> Provider:
        chain = (signer or self.provider.signer).chain
        statuses = () if status is None else (status,)
        return (trust or self.trust).believe(chain, statuses, family="attestation", now=self.clock())

    def refuses(self, kind: type[VcError], code: str, why: str, **asked: Any) -> None:
        with pytest.raises(kind) as caught:
            self.believe(**asked)
        assert (type(caught.value), caught.value.code) == (kind, code)
        assert why in caught.value.detail


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_listed_provider_is_believed_and_named(scene: Scene) -> None:
    found = scene.believe(status=scene.provider.status())
    assert found == Provider(entity_id="NTRFR-WALLET1", name="Wallet provider (test)")


def test_without_a_status_no_list_is_asked(scene: Scene) -> None:
    scene.believe()
    assert not scene.internet.requests(scene.provider.host)


def test_a_certificate_of_the_same_ca_is_not_enough(scene: Scene) -> None:
    stranger = scene.provider.authority.leaf(subject={"C": "FR", "O": "Stranger (test)", "CN": "stranger"})
    scene.refuses(Refused, "attestation_untrusted", "is not on list wallet edition 1 [not_listed]", signer=stranger)


def test_nothing_is_fetched_for_a_stranger(scene: Scene) -> None:
    """An attestation of somebody unlisted makes us ask no address of theirs (SECURITY D-13)."""
    stranger = scene.provider.authority.leaf(subject={"C": "FR", "O": "Stranger (test)", "CN": "stranger"})
    scene.refuses(Refused, "attestation_untrusted", "[not_listed]", signer=stranger, status=scene.provider.status())
    assert not scene.internet.requests(scene.provider.host)


def test_a_listed_key_signs_for_nobody_else(scene: Scene) -> None:
    """The key is listed, the certificate around it names another body."""
    forged = scene.provider.leaf(
        key=scene.provider.signer.private_key, subject={"C": "FR", "O": "Forger", "organizationIdentifier": "NTRFR-9", "CN": "x"}
    )
    scene.refuses(Refused, "attestation_untrusted", "[key_of_other_body]", signer=forged)


def test_the_status_signer_signs_no_attestations(scene: Scene) -> None:
    scene.refuses(Refused, "attestation_untrusted", "[listed_for_other_role]", signer=scene.provider.status_signer)


def test_no_certificate_is_no_provider(scene: Scene) -> None:
    scene.refuses(Refused, "attestation_untrusted", "[chain_missing]", signer=pki.holder())


def test_a_listed_certificate_that_ran_out_signs_no_more(scene: Scene) -> None:
    """It was good when the attestation says it was made: that is only the word of whoever has the key."""
    scene.believe()
    scene.clock.advance(days=24)  # the list itself is good for 30 days from its issue, five days ago
    scene.believe()
    short = WalletProvider(name="Short (test)", registration_id="NTRFR-WALLET3", host="short.test")
    short.signer = short.leaf(not_after=NOW + 2 * DAY)
    lists = WalletLists(scene.lists.folder / "short", scene.internet, TestClock(), short)
    trust = lists.trust()
    assert trust.believe(short.signer.chain, (), family="attestation", now=NOW).entity_id == "NTRFR-WALLET3"
    with pytest.raises(Refused) as caught:
        trust.believe(short.signer.chain, (), family="attestation", now=NOW + 3 * DAY)
    assert (caught.value.code, "[cert_expired]" in caught.value.detail) == ("attestation_untrusted", True)


def test_a_provider_taken_off_the_list_is_believed_no_more(scene: Scene) -> None:
    scene.believe()
    scene.lists.withdraw(scene.provider)
    scene.clock.advance(minutes=5)
    scene.refuses(Refused, "attestation_untrusted", "is not on list wallet edition 2 [not_listed]")
    assert scene.believe(signer=scene.other.signer).entity_id == "NTRFR-WALLET2"


# --- outages: later, never yes, never no


def test_a_list_never_read_decides_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.internet.down.add(LIST_HOST)
    scene.refuses(Unreachable, "attestation_trust", "[list_never_accepted]", trust=scene.lists.trust("fresh"))


def test_a_list_is_used_through_an_outage_until_it_runs_out(scene: Scene) -> None:
    scene.believe()
    scene.internet.down.add(LIST_HOST)
    scene.clock.advance(hours=23)
    scene.believe()
    scene.clock.advance(hours=2)
    scene.refuses(Unreachable, "attestation_trust", "[list_expired]")


def test_a_clock_that_was_set_back_decides_nothing(scene: Scene) -> None:
    scene.believe()
    scene.clock.advance(days=-10)
    scene.refuses(Unreachable, "attestation_trust", "[clock_set_back]")


def test_an_unreadable_status_decides_nothing(scene: Scene) -> None:
    scene.internet.down.add(scene.provider.host)
    scene.refuses(Unreachable, "attestation_status", "[unreachable]", status=scene.provider.status())


@pytest.mark.parametrize(
    "bend",
    [
        lambda scene: scene.provider.token.update(signer=scene.other.status_signer),
        lambda scene: scene.provider.token.update(signer=scene.provider.signer),
        lambda scene: scene.provider.token.update(signer=pki.root().leaf()),
        lambda scene: scene.provider.token.update(uri="https://wallet-provider.test/status/2"),
        lambda scene: scene.provider.token.update(exp=NOW),
        lambda scene: scene.internet.function(scene.provider.host, lambda _asked: httpx2.Response(200, content=b"<html>")),
    ],
    ids=["another provider's", "the attester's key", "unlisted", "another list", "over", "no list"],
)
def test_a_bad_status_list_decides_nothing(scene: Scene, bend: Callable[[Scene], Any]) -> None:
    bend(scene)
    scene.refuses(Unreachable, "attestation_status", "cannot be read at present", status=scene.provider.status())


def test_a_status_is_kept_through_an_outage_for_a_day(scene: Scene) -> None:
    scene.believe(status=scene.provider.status())
    scene.internet.down.add(scene.provider.host)
    scene.clock.advance(hours=23)
    scene.believe(status=scene.provider.status())
    scene.clock.advance(hours=2)  # the list's own end lies eleven hours ahead still
    scene.refuses(Unreachable, "attestation_status", "minutes old", status=scene.provider.status())


def test_what_was_revoked_stays_so_in_an_old_list(scene: Scene) -> None:
    scene.provider.values[7] = 1
    scene.refuses(Refused, "attestation_revoked", "revoked", status=scene.provider.status())
    scene.internet.down.add(scene.provider.host)
    scene.clock.advance(hours=25)
    scene.refuses(Refused, "attestation_revoked", "revoked", status=scene.provider.status())


# --- revocation


@pytest.mark.parametrize(("value", "word"), [(1, "revoked"), (2, "suspended"), (3, "application-specific")])
def test_only_valid_is_valid(scene: Scene, value: int, word: str) -> None:
    scene.provider.values[7] = value
    scene.refuses(Refused, "attestation_revoked", word, status=scene.provider.status(7))
    assert scene.believe(status=scene.provider.status(8)).entity_id == "NTRFR-WALLET1"


def test_a_new_revocation_is_seen_when_the_list_is_due(scene: Scene) -> None:
    scene.believe(status=scene.provider.status())
    scene.provider.values[7] = 1
    scene.clock.advance(seconds=61)
    scene.refuses(Refused, "attestation_revoked", "revoked", status=scene.provider.status())


@pytest.mark.parametrize(
    "reference",
    [
        StatusReference(uri="https://wallet-provider.test/status/1", idx=1_000_000),
        StatusReference(uri="ftp://wallet-provider.test/status/1", idx=1),
        StatusReference(uri="http://wallet-provider.test/status/1", idx=1),
    ],
    ids=["past the end", "no web address", "plain http"],
)
def test_a_reference_that_can_never_be_read_is_refused(scene: Scene, reference: StatusReference) -> None:
    scene.refuses(Refused, "attestation_status", "cannot be read", status=reference)


def test_the_family_begins_the_codes_and_every_status_counts(scene: Scene) -> None:
    scene.provider.values[7] = 1
    for signer, statuses, code in (
        (pki.holder(), (), "proof_attestation_untrusted"),
        (scene.provider.signer, (scene.provider.status(8), scene.provider.status(7)), "proof_attestation_revoked"),
    ):
        with pytest.raises(Refused) as caught:
            scene.trust.believe(signer.chain, statuses, family="proof_attestation", now=NOW)
        assert caught.value.code == code


@pytest.mark.parametrize("content", [None, b"", b"{}", b"not json"])
def test_an_unreadable_trust_root_stops_the_start(scene: Scene, tmp_path: Path, content: bytes | None) -> None:
    """A service that cannot know whom to believe does not begin to answer."""
    trust = {"root": "root.json", "state": "state", "refresh_seconds": 60}
    settings = build(tmp_path, trust=trust).settings
    if content is not None:
        (tmp_path / "root.json").write_bytes(content)
    with pytest.raises(SettingsError, match=r"setting trust\.root"):
        serving.wallet_trust(settings, scene.lists.outbound(), scene.clock)


def test_without_a_root_nobody_is_believed(scene: Scene, tmp_path: Path) -> None:
    assert serving.wallet_trust(build(tmp_path).settings, scene.lists.outbound(), scene.clock) is None


# --- the authority of the provider's certificate


class Revocable(Scene):
    """The provider's certificate names a list of its authority; `revoked` are the entries of that list."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        address = "https://wallet-ca.test/list.crl"
        self.revoked: list[Revocation] = []
        self.internet.function("wallet-ca.test", self._list)
        self.provider = WalletProvider(name="Third (test)", registration_id="NTRFR-WALLET3", host="third.test")
        self.provider.signer = self.provider.leaf(crl_url=address)
        (folder / "third").mkdir()
        self.lists = WalletLists(folder / "third", self.internet, self.clock, self.provider)
        self.chain = (*self.provider.signer.chain, self.provider.authority.certificate)
        client = TrustClient(self.lists.root_file, folder / "third-state", self.lists.outbound(), self.clock, refresh_seconds=60)
        statuses = StatusLists(self.lists.outbound(), ShortMemory(), min_ttl=timedelta(seconds=1))
        revocation = RevocationLists(self.lists.outbound(), ShortMemory())
        self.trust = WalletTrust(client.snapshot, statuses, clock=self.clock, revocation=revocation)

    def _list(self, _asked: httpx2.Request) -> httpx2.Response:
        authority = self.provider.authority
        built = crl.build(
            authority.certificate, authority.key,
            number=1, this_update=self.clock(), next_update=self.clock() + DAY, revoked=self.revoked,
        )  # fmt: skip
        return httpx2.Response(200, content=built)

    def ask(self) -> Provider:
        return self.trust.believe(self.chain, (), family="attestation", now=self.clock())


@pytest.fixture
def revocable(tmp_path: Path) -> Revocable:
    return Revocable(tmp_path)


def test_a_provider_whose_authority_has_nothing_against_it_is_believed(revocable: Revocable) -> None:
    assert revocable.ask().entity_id == "NTRFR-WALLET3"
    assert len(revocable.internet.requests("list.crl")) == 1


@pytest.mark.parametrize("reason", [Reason.KEY_COMPROMISE, Reason.SUPERSEDED])
def test_a_provider_whose_certificate_was_revoked_is_refused(revocable: Revocable, reason: Reason) -> None:
    serial = revocable.chain[0].serial_number
    revocable.revoked.append(Revocation(serial=serial, since=revocable.clock() - DAY, reason=reason))
    with pytest.raises(Refused) as caught:
        revocable.ask()
    assert caught.value.code == "attestation_untrusted"
    assert str(reason) in caught.value.detail


def test_a_provider_whose_authority_cannot_be_asked_is_not_believed_now(revocable: Revocable) -> None:
    revocable.internet.function("wallet-ca.test", lambda _: httpx2.Response(500))
    with pytest.raises(Unreachable) as caught:
        revocable.ask()
    assert caught.value.code == "attestation_trust"


def test_the_service_asks_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(serving, "WalletTrust", lambda *_, **more: given.update(more))
    monkeypatch.setattr(serving, "TrustClient", lambda *_, **__: SimpleNamespace(snapshot=None))
    trust = SimpleNamespace(root=tmp_path, state=tmp_path, refresh_seconds=60)
    settings: Any = SimpleNamespace(trust=trust, allow_http_loopback=True, tls_ca=None)
    serving.wallet_trust(settings, Outbound(FetchLimits()), lambda: NOW)
    assert isinstance(given["revocation"], RevocationLists)
