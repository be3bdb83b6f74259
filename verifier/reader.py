"""The surroundings of a check on the command line: trust lists from a root file, status lists over bounded HTTP, nothing else."""

import ipaddress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from edge.outbound import FetchLimits, Outbound
from trust_list.bundle.applied import Device
from trust_list.bundle.offline import NoNetwork
from trust_list.client import TrustClient
from trust_list.revocation import RevocationLists
from trust_list.root import TrustRoot
from trust_list.status_memory import ShortMemory
from vc.clock import Clock
from vc.errors import Unreachable
from verifier import bare
from verifier.bare import Case
from verifier.revocation import RevocableTrust
from verifier.sources import TrustSource
from verifier.status import SignerJudge, StatusLists
from verifier.trust import ListTrust, NoTrust
from verifier.verdict import Verdict

_MIN_TTL = timedelta(seconds=60)
_REFRESH_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything a check asks. One of these serves any number of checks; lists are fetched once and kept as long as they allow."""

    trust: TrustSource
    judge: SignerJudge
    status: StatusLists
    outbounds: tuple[Outbound, ...]

    def close(self) -> None:
        """Give back what was opened."""
        for outbound in self.outbounds:
            outbound.close()

    def check(self, case: Case) -> Verdict:
        """The verdict on one artefact."""
        return bare.check(case, trust=self.trust, status=self.status, judge=self.judge)


def surroundings(*, root: Path | None, keep_in: Path, ca_file: Path | None, clock: Clock) -> Surroundings:
    """With `root`, trust lists are fetched from where it says and the accepted editions kept in `keep_in`; without it nothing is
    trusted. Raises `Malformed` for a root file that is none and OSError for one that cannot be read."""
    if root is None:
        outbound = Outbound(FetchLimits(), ca_file=ca_file)
        nobody = NoTrust()
        return _surroundings(nobody, outbound, nobody)
    lists = TrustRoot.load(root.read_bytes()).lists
    # A root whose lists live on this machine describes a test world; only then may anything on this machine be asked.
    limits = FetchLimits(allow_loopback=all(_on_loopback(one.uri) for one in lists))
    outbound = Outbound(limits, ca_file=ca_file)
    client = TrustClient(root, keep_in, outbound=outbound, clock=clock, refresh_seconds=_REFRESH_SECONDS)
    client.refresh()  # wait for the lists: a command has nothing else to go by
    judge = ListTrust(client.snapshot, clock=clock)
    plainly = Outbound(replace(limits, allow_plain_http=True), ca_file=ca_file)
    trust = RevocableTrust(judge, RevocationLists(plainly, ShortMemory()), client.snapshot)
    return _surroundings(judge, outbound, trust, plainly)


def offline(directory: Path, *, clock: Clock) -> Surroundings:
    """By the bundle in force on a device, and by nothing else: nothing is asked of any network.

    Raises `Unreachable("bundle_never_applied")` and as `Device.load`. A bundle that is over gives surroundings too: their verdicts
    say that nothing can be determined.
    """
    opened = Device(directory).load(now=clock())
    if opened is None:
        raise Unreachable("bundle_never_applied", "no bundle has been applied yet: nothing can be determined")
    known, tokens, revocations = opened.snapshot(), ShortMemory(), RevocationLists(None, ShortMemory())
    opened.remember_statuses(tokens)
    opened.remember_revocations(revocations)
    judge = ListTrust(lambda: known, clock=clock)
    trust = RevocableTrust(judge, revocations, lambda: known)
    status = StatusLists(NoNetwork(), tokens, judge, min_ttl=_MIN_TTL)
    return Surroundings(trust=trust, judge=judge, status=status, outbounds=())


def _surroundings(judge: ListTrust | NoTrust, outbound: Outbound, trust: TrustSource, *others: Outbound) -> Surroundings:
    status = StatusLists(outbound, ShortMemory(), judge, min_ttl=_MIN_TTL)
    return Surroundings(trust=trust, judge=judge, status=status, outbounds=(outbound, *others))


def _on_loopback(uri: str) -> bool:
    host = urlsplit(uri).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
