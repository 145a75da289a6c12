"""The command line: parse, open, call, print.

Typer only here. Every command imports what it needs when it runs, so that ``nvr --help`` stays quick and a listing pays
for no camera library.
"""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """The ``nvr`` command. Exit codes: 0 done, 1 failed (one line says why), 2 bad usage or configuration."""
    # Imports make half a million objects and hardly any garbage: fewer collections save a tenth of a listing's CPU.
    gc.set_threshold(50_000, 20, 100)
    from nvr.cli.app import app
    from nvr.errors import ConfigError, NvrError
    from nvr.logs import redact

    try:
        app()
    except ConfigError as error:
        sys.exit(_say(redact(str(error)), 2))
    except NvrError as error:
        sys.exit(_say(redact(str(error)), 1))
    except BrokenPipeError:  # `nvr events list | head`
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(text: str, code: int) -> int:
    print(f"nvr: {text}", file=sys.stderr)  # noqa: T201
    return code
