"""`python -m issuer --settings FILE`: migrate the database and serve."""

import argparse
import sys
from pathlib import Path

from issuer.serving import serve
from issuer.settings import SettingsError


def main() -> int:
    """Exit code 3 with a sentence when the settings are refused."""
    parser = argparse.ArgumentParser(prog="python -m issuer", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    try:
        serve(parser.parse_args().settings)
    except SettingsError as exc:
        print(f"issuer: {exc}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
