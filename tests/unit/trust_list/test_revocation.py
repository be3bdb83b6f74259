"""Was a certificate revoked? The answer comes from the key that issued it, or there is none; nothing fails open."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from edge.outbound import Fetched
from tests.support.pki import NOW, Authority, root
from trust_list.revocation import PAUSE, REFRESH, Answer, RevocationLists, Standing
from trust_list.status_memory import ShortMemory
from vc.errors import Malformed, Refused, Unreachable
from vc.x509 import crl
from vc.x509.certificate import der
from vc.x509.crl import Reason, Revocation

LIST, OTHER_LIST, CER = "http://ca.example/ca.crl", "http://mirror.example/ca.crl", "http://ca.example/ca.cer"
DAY = timedelta(days=1)
CA = root()
LEAF = CA.leaf(crl_url=LIST, ca_issuers_url=CER).chain[0]
AUTHORITIES = (CA.certificate,)


def listed(
    *revoked: Revocation, authority: Authority = CA, this_update: datetime = NOW - DAY, next_update: datetime = NOW + DAY
) -> bytes:
    built = crl.build(
        authority.certificate, authority.key, number=1, this_update=this_update, next_update=next_update, revoked=revoked
    )
    return bytes(built)


def revoked(reason: Reason = Reason.KEY_COMPROMISE, *, certificate: x509.Certificate = LEAF) -> Revocation:
    return Revocation(serial=certificate.serial_number, since=NOW - DAY, reason=reason)


class Net:
    """Addresses and what they answer: octets, a status, or an error. Remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.asked: list[str] = []

    def get(self, url: str, *, headers: Any = None, max_bytes: int | None = None) -> Fetched:
        self.asked.append(url)
        answer = self.answers.get(url, 404)
        if isinstance(answer, Exception):
            raise answer
        assert max_bytes is not None, "an address must not send without end"
        if isinstance(answer, int):
            return Fetched(status=answer, headers={}, body=b"", url=url)
        return Fetched(status=200, headers={}, body=answer, url=url)


def net(answer: Any, **more: Any) -> Net:
    return Net(**{LIST: answer, **more})


def asked(
    lists: RevocationLists,
    certificate: x509.Certificate = LEAF,
    issuers: tuple[x509.Certificate, ...] = AUTHORITIES,
    *,
    signed_at: datetime | None = None,
    now: datetime = NOW,
) -> Answer:
    return lists.check(certificate, issuers, signed_at=signed_at, now=now)


def lists(outbound: Net | None) -> RevocationLists:
    return RevocationLists(outbound, ShortMemory())


@pytest.mark.parametrize(
    ("answer", "standing", "code"),
    [
        pytest.param(listed(), Standing.GOOD, "crl_good", id="not named"),
        pytest.param(listed(revoked()), Standing.REVOKED, "crl_revoked", id="revoked"),
        pytest.param(listed(revoked(Reason.SUPERSEDED)), Standing.REVOKED, "crl_revoked", id="superseded before it signed"),
        pytest.param(listed(authority=root()), Standing.UNKNOWN, "crl_signature", id="signed by a look-alike"),
        pytest.param(listed(authority=root("Other root")), Standing.UNKNOWN, "crl_issuer", id="of another authority"),
        pytest.param(listed(next_update=NOW - timedelta(hours=1)), Standing.UNKNOWN, "crl_expired", id="over"),
        pytest.param(b"<html>", Standing.UNKNOWN, "crl", id="no list"),
        pytest.param(404, Standing.UNKNOWN, "crl_unreachable", id="not there"),
        pytest.param(302, Standing.UNKNOWN, "crl_unreachable", id="elsewhere"),
        pytest.param(Unreachable("timeout", "no answer in time"), Standing.UNKNOWN, "crl_unreachable", id="silent"),
        pytest.param(Refused("destination", "private"), Standing.UNKNOWN, "crl_unreachable", id="an address that is not asked"),
    ],
)
def test_what_is_said(answer: Any, standing: Standing, code: str) -> None:
    said = asked(lists(net(answer)))
    assert (said.standing, said.code) == (standing, code)
    assert said.clear is (standing is Standing.GOOD)


def test_a_certificate_that_names_no_list_is_told_by_the_trust_list_alone() -> None:
    nobody = Net()
    said = asked(lists(nobody), CA.leaf().chain[0])
    assert (said.standing, said.code, said.clear) == (Standing.UNNAMED, "crl_not_named", True)
    assert asked(lists(nobody), root(crl_url=LIST).certificate).standing is Standing.UNNAMED
    assert nobody.asked == []


def test_a_certificate_whose_only_list_cannot_be_used_is_unknown() -> None:
    said = asked(lists(Net()), CA.leaf(crl_url="ldap://ca.example/list").chain[0])
    assert (said.standing, said.code) == (Standing.UNKNOWN, "crl_points")


def test_what_was_signed_before_a_harmless_revocation_stands() -> None:
    known = lists(net(listed(revoked(Reason.SUPERSEDED))))
    assert asked(known, signed_at=NOW - 2 * DAY).clear
    assert not asked(known, signed_at=NOW).clear
    assert not asked(lists(net(listed(revoked()))), signed_at=NOW - 2 * DAY).clear


def test_the_next_address_is_asked_when_the_first_gives_nothing() -> None:
    names = [x509.UniformResourceIdentifier(address) for address in (OTHER_LIST, LIST)]
    point = x509.DistributionPoint(names, None, None, None)
    leaf = CA.leaf(more=((x509.CRLDistributionPoints([point]), False),)).chain[0]
    assert asked(lists(net(listed(), **{OTHER_LIST: 500})), leaf).clear
    assert asked(lists(net(listed(), **{OTHER_LIST: b"no list"})), leaf).clear


def test_the_authority_is_found_at_the_address_in_the_certificate_once() -> None:
    internet = net(listed(), **{CER: der(CA.certificate)})
    known = lists(internet)
    assert asked(known, issuers=(root("Other root").certificate,)).clear
    assert asked(known, issuers=()).clear
    assert internet.asked.count(CER) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(404, id="nothing there"),
        pytest.param(b"no certificate", id="no certificate"),
        pytest.param(der(root().certificate), id="same name, other key"),
        pytest.param(der(LEAF), id="the leaf itself"),
    ],
)
def test_whoever_did_not_sign_the_certificate_cannot_speak_about_it(answer: Any) -> None:
    """A stranger at the address could otherwise bring his own authority with his own list."""
    said = asked(lists(net(listed(), **{CER: answer})), issuers=())
    assert (said.standing, said.code) == (Standing.UNKNOWN, "crl_issuer_unknown")


def test_a_list_by_a_stranger_whose_authority_is_served_beside_it_is_no_answer() -> None:
    stranger = root()
    said = asked(lists(net(listed(authority=stranger), **{CER: der(stranger.certificate)})), issuers=(stranger.certificate,))
    assert said.standing is Standing.UNKNOWN


def test_a_kept_list_is_used_without_asking_then_refreshed_then_used_through_an_outage_to_its_end() -> None:
    internet = net(listed())
    known = lists(internet)
    for moment in (NOW, NOW + REFRESH - timedelta(seconds=1)):
        assert asked(known, now=moment).clear
    assert internet.asked == [LIST]
    internet.answers[LIST] = listed(revoked(), this_update=NOW)
    assert asked(known, now=NOW + REFRESH).standing is Standing.REVOKED
    internet.answers[LIST] = 503
    assert asked(known, now=NOW + 3 * REFRESH).standing is Standing.REVOKED
    assert asked(known, now=NOW + DAY + timedelta(minutes=2)).code == "crl_unreachable"


def test_an_older_list_does_not_undo_a_newer_one() -> None:
    internet = net(listed(revoked(), this_update=NOW - timedelta(hours=1)))
    known = lists(internet)
    assert asked(known).standing is Standing.REVOKED
    internet.answers[LIST] = listed(this_update=NOW - DAY)
    assert asked(known, now=NOW + REFRESH).standing is Standing.REVOKED


def test_a_clock_that_was_set_back_asks_again() -> None:
    internet = net(listed(this_update=NOW - 3 * DAY))
    known = lists(internet)
    asked(known)
    asked(known, now=NOW - DAY)
    assert internet.asked == [LIST, LIST]


def test_an_address_that_gave_nothing_is_left_alone_for_a_while() -> None:
    internet = net(500)
    known = lists(internet)
    for moment in (NOW, NOW + PAUSE - timedelta(seconds=1)):
        assert asked(known, now=moment).code == "crl_unreachable"
    assert internet.asked == [LIST]
    internet.answers[LIST] = listed()
    assert asked(known, now=NOW + PAUSE).clear
    assert asked(known, now=NOW + PAUSE).clear


def test_without_a_network_a_list_from_a_bundle_answers() -> None:
    offline = lists(None)
    assert asked(offline).code == "crl_unreachable"
    offline.keep(LIST, listed(), fetched_at=NOW - 2 * REFRESH)
    assert asked(offline).clear
    offline.keep(LIST, listed(revoked(), this_update=NOW), fetched_at=NOW)
    assert asked(offline).standing is Standing.REVOKED
    assert asked(offline, now=NOW + 2 * DAY).standing is Standing.UNKNOWN
    with pytest.raises(Malformed):
        offline.keep(LIST, b"no list", fetched_at=NOW)


def test_a_forged_list_in_the_memory_is_no_answer() -> None:
    known = lists(None)
    known.keep(LIST, listed(authority=root()), fetched_at=NOW)
    assert asked(known).standing is Standing.UNKNOWN


def test_memories_of_failures_and_of_lists_are_bounded() -> None:
    known = lists(Net())
    for number in range(200):
        assert asked(known, CA.leaf(crl_url=f"http://ca.example/{number}.crl").chain[0]).code == "crl_unreachable"
    assert len(known._failed) <= 64
    for number in range(70):
        known.keep(LIST, listed(this_update=NOW - DAY + timedelta(seconds=number)), fetched_at=NOW)
        assert asked(known).clear
    assert len(known._parsed) <= 64
