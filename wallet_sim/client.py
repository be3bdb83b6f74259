"""The wallet as a client of one authorization server: who it says it is, and what shows it (attestation-based authentication)."""

from dataclasses import dataclass, field

from edge.outbound import Fetched
from vc.clock import Clock
from vc.keys.signer import LocalSigner
from vc.openid4vci import challenge, wallet_attestation
from wallet_sim.answers import refusal
from wallet_sim.issuance_seams import InstancePart, PopPart, ReceivingSeams
from wallet_sim.provider import WalletProvider
from wallet_sim.transcript import Wire, json_object


@dataclass(slots=True)
class Attester:
    """Shows that a request comes from an instance the wallet provider vouches for.

    `instance`: the key of this wallet at this server and nowhere else. `server`: its issuer identifier. `challenge_endpoint` None:
    the server wants no challenge (VCI-WIA-6). An attestation is used at this server only and for this run only (VCI-WIA-9).
    """

    wire: Wire
    clock: Clock
    provider: WalletProvider
    instance: LocalSigner
    server: str
    challenge_endpoint: str | None
    seams: ReceivingSeams
    _attestation: str | None = field(default=None, repr=False)
    _challenge: str | None = field(default=None, repr=False)
    _last_pop: str | None = field(default=None, repr=False)

    def headers(self) -> dict[str, str]:
        """The two headers of one request, with a challenge nobody used yet."""
        if self._attestation is None:
            part = InstancePart(provider=self.provider, key=self.instance.public_key, now=self.clock())
            self._attestation = self.seams.attest_instance(part)
        if self._challenge is None and self.challenge_endpoint is not None:
            self._challenge = self._fetch_challenge(self.challenge_endpoint)
        pop = self.seams.prove_instance(
            PopPart(
                instance=self.instance,
                issuer=None if self.provider.issuer is None else self.provider.client_id,
                audience=self.server,
                now=self.clock(),
                challenge=self._challenge,
                last=self._last_pop,
            )
        )
        self._challenge, self._last_pop = None, pop
        return {wallet_attestation.HEADER: self._attestation, wallet_attestation.POP_HEADER: pop}

    def learn(self, answer: Fetched) -> None:
        """Keep the challenge of an answer; it may come with any."""
        given = answer.headers.get(wallet_attestation.CHALLENGE_HEADER)
        if given:
            self._challenge = given

    def renew(self) -> None:
        """Have a fresh attestation next time."""
        self._attestation = None

    def _fetch_challenge(self, url: str) -> str:
        answer = self.wire.post(url)
        if answer.status != 200:
            raise refusal(answer, "challenge")
        return challenge.parse_response(json_object(answer, what="challenge"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`attester` None: a public client the server has in its register."""

    client_id: str
    attester: Attester | None = None
