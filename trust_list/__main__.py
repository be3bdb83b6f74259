"""`python -m trust_list --state DIR`: serve the lists of a publisher's directory until told to stop."""

import argparse
from pathlib import Path

from edge import logs
from trust_list.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m trust_list", description="Serve trust lists over HTTP.")
    parser.add_argument("--state", type=Path, required=True, help="publisher's directory, or a demo's state directory")
    arguments = parser.parse_args()
    logs.configure()
    serve(arguments.state)


if __name__ == "__main__":
    main()
