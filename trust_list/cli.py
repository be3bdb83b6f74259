"""`portadoc trust-list …`: make, change, publish and serve trust lists; verify, fetch, explain and watch them.

Exit codes: 0 done or trusted, 1 refused or not trusted, 2 cannot be determined, 3 wrong use.
"""

import typer

from trust_list import cli_publisher, cli_reader, cli_root, cli_watch
from trust_list.bundle import cli as bundle
from trust_list.national import cli as national
from trust_list.registrar import cli as registrar

app = typer.Typer(help="Trust lists: author, publish, verify, explain.", no_args_is_help=True, add_completion=False)
app.add_typer(cli_publisher.app)
app.add_typer(cli_reader.app)
app.add_typer(cli_root.app, name="root")
app.add_typer(cli_watch.app)
app.add_typer(bundle.app, name="bundle")
app.add_typer(national.app, name="lotl")
app.add_typer(registrar.app, name="registrar")

if __name__ == "__main__":
    app()
