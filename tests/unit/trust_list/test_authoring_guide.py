"""The description in the guide is one that can be read, and makes a list without findings."""

from pathlib import Path

from tests.support.pki import NOW, Authority
from tests.support.trust import institution
from trust_list import authoring, description, findings
from trust_list.profiles import profile

GUIDE = Path(__file__).parents[3] / "docs" / "trust-list-authoring.md"


def test_the_example_of_the_guide_is_a_proper_list(tmp_path: Path, authority: Authority) -> None:
    text = GUIDE.read_text().split("```yaml\n")[1].split("```")[0]
    wanted = description.read(text.encode())
    body = institution(authority, "Exempelkassan (synthetic)", "SE", "NTRSE-000000030")
    files = {"seal.pem": body.seal.chain[:1], "status.pem": body.status.chain[:1]}
    authoring.init(tmp_path, base_url="https://lists.test", now=NOW)
    edition = authoring.author(tmp_path, wanted, lambda name: files[name], now=NOW)
    assert edition is not None
    assert findings.check(edition.lote, profile("pub-eaa")) == ()
    assert edition.lote.entities[0].law == "OJ:SE-SFS-2010:110"
