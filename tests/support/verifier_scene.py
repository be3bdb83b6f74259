"""What the verifier's flows start from: an issuer, a wallet that holds everything, and one open request with its good answer."""

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tests.support.verifier import Held, Institution, Wallet, World, check_results, codes, result, sample, verdict
from vc.documents import catalogue
from vc.documents.model import Document

PDA1 = {"dc+sd-jwt": "pda1_dc4eu-2_sd_jwt", "mso_mdoc": "eu.europa.ec.eudi.pda1_mdoc"}
EHIC = {"dc+sd-jwt": "ehic_dc4eu-1_sd_jwt", "mso_mdoc": "eu.europa.ec.eudi.ehic_mdoc"}
PID = {"dc+sd-jwt": "pid_sd_jwt", "mso_mdoc": "pid_mdoc"}
FORMATS = ("dc+sd-jwt", "mso_mdoc")


def document_of(entry: dict[str, Any], kind: str) -> Document:
    return catalogue.DOCUMENT_TYPES[kind].parse(entry["document_data"], identity=entry["identity"])


def pid_of(entry: dict[str, Any]) -> Document:
    return catalogue.DOCUMENT_TYPES["pid"].parse({}, identity=entry["identity"])


class Scene:
    """A world with an issuer of documents, a PID provider and a wallet that holds both in both formats."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = self.make_world(folder)
        self.urssaf: Institution = self.world.institution("urssaf", types=("pda1",))
        self.cnam: Institution = self.world.institution("cnam", types=("ehic",))
        self.pids: Institution = self.world.institution("pids", types=("pid",))
        self.world.publish_lists()
        self.wallet = Wallet(self.world, [])
        entry = sample("pda1", "pda1-01")
        for form in FORMATS:
            self.hold(self.pids, PID[form], pid_of(entry))
        self.index: dict[str, int] = {}
        for form in FORMATS:
            self.hold(self.urssaf, PDA1[form], document_of(entry, "pda1"))
            self.index[form] = self.world.last_index()

    def make_world(self, folder: Path) -> World:
        """The world to build the scene in."""
        return World(folder)

    def hold(self, issuer: Institution, configuration: str, document: Document, **changes: Any) -> Held:
        held = self.world.issue(issuer, configuration, document, **changes)
        self.wallet.held.append(held)
        return held


class Attack:
    """One open request and the good answer to it, to be bent."""

    def __init__(self, scene: Scene, client: TestClient, **question: Any) -> None:
        self.scene, self.client = scene, client
        self.made = scene.wallet.ask(client, **question)
        self.asked = scene.wallet.fetch(client, self.made["request_uri"])
        self.vp_token = scene.wallet.present(self.asked)

    def post(self, form: dict[str, str]) -> Any:
        return self.scene.wallet.post(self.client, self.asked, form)

    def send(self, vp_token: dict[str, list[str]] | None = None) -> Any:
        return self.post(self.scene.wallet.form(self.asked, self.vp_token if vp_token is None else vp_token))

    def refused(self, answer: Any, code: str, check: str) -> None:
        """The wallet is told what is wrong, and the verdict is reject with the code."""
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"] == "invalid_request"
        assert check in answer.json()["error_description"]
        found = verdict(self.client, self.made)
        assert found["outcome"] == "reject"
        assert code in codes(found), (codes(found), found["checks"])
        assert check_results(found)[check] == "failed"

    def unharmed(self, answer: Any, status: int = 400) -> None:
        """Turned away with something to act on, and the transaction still takes the good answer."""
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"] == "invalid_request"
        assert len(answer.json()["error_description"]) > 10
        assert result(self.client, self.made)["state"] == "pending"
        assert self.send().status_code == 200
        assert verdict(self.client, self.made)["outcome"] == "accept"
