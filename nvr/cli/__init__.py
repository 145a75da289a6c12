"""The command line: parse, open, call, print.

Typer only here. Every command imports what it needs when it runs, so that ``nvr --help`` stays quick and a listing pays
for no camera library.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys


def main() -> None:
    """The ``nvr`` command. Exit codes: 0 done, 1 failed (one line says why), 2 bad usage or configuration."""
    try:
        _run()
    except KeyboardInterrupt:  # also in the middle of an import
        sys.exit(130)


def _run() -> None:
    # Imports make half a million objects and hardly any garbage: fewer collections save a tenth of a listing's CPU.
    gc.set_threshold(50_000, 20, 100)
    _open_standard_streams()
    from nvr.cli.app import app
    from nvr.errors import ConfigError, NvrError
    from nvr.logs import redact

    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here, where a full disk can still be said
    except ConfigError as error:
        sys.exit(_say(redact(str(error)), 2))
    except NvrError as error:
        sys.exit(_say(redact(str(error)), 1))
    except BrokenPipeError:  # `nvr events list | head`
        sys.exit(_discard_output())
    except OSError as error:
        _discard_output()
        name = f"{error.filename}: " if error.filename else ""
        sys.exit(_say(f"{name}{error.strerror or error}", 1))


def _open_standard_streams() -> None:
    """Where a stream was closed (``2>&-``), /dev/null: else the catalogue would get its number, and what goes there."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w", closefd=False))  # noqa: SIM115  # for the process's life


def _discard_output() -> int:
    """What is still buffered has nowhere to go; without this, Python says so at its end."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _say(text: str, code: int) -> int:
    print(f"nvr: {text}", file=sys.stderr)  # noqa: T201
    return code
