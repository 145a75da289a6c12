"""The documents say what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.main import get_command

import nvr
from nvr.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def commands() -> list[str]:
    tree = get_command(app)
    assert isinstance(tree, typer.core.TyperGroup)
    found = []
    for name, command in tree.commands.items():
        below = getattr(command, "commands", None)
        found += [f"{name} {sub}" for sub in below] if below else [name]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    assert f"nvr {command}" in (ROOT / "docs/commands.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_changelog_has_this_version() -> None:
    assert f"## {nvr.__version__}" in (ROOT / "CHANGELOG.md").read_text()
