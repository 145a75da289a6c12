"""The documents say what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

import nvr
from nvr.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
COMMANDS = (ROOT / "docs/commands.md").read_text()


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command with the names of its options."""
    tree = get_command(app)
    assert isinstance(tree, typer.core.TyperGroup)
    for name, command in tree.commands.items():
        below = getattr(command, "commands", None)
        for sub, leaf in below.items() if below else [("", command)]:
            yield (
                f"{name} {sub}".strip(),
                [option for each in leaf.params for option in each.opts if option[:2] == "--"],
            )


OPTIONS = [
    pytest.param(command, option, id=f"{command} {option}")
    for command, options in commands()
    for option in options
    if option not in ("--config", "--help")
]


@pytest.mark.parametrize("command", [command for command, _ in commands()])
def test_every_command_is_documented(command: str) -> None:
    assert f"`nvr {command}" in COMMANDS


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_every_option_stands_with_its_command(command: str, option: str) -> None:
    (usage, *_) = re.findall(rf"`nvr {command}(?![\w-])([^`]*)`", COMMANDS)
    assert option in usage


def test_the_configuration_is_an_option_of_what_reads_one() -> None:
    without = {command for command, options in commands() if "--config" not in options}
    assert without == {"config schema", "demo"}
    assert "`--config FILE` goes with every command but `config schema` and `demo`" in COMMANDS


def test_no_option_is_documented_that_is_not_there() -> None:
    there = {option for _, options in commands() for option in options} | {"--version"}
    assert set(re.findall(r"--[a-z][a-z-]+", COMMANDS)) <= there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen:
            seen.add(page)
            links = re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", page.read_text())
            waiting += [(page.parent / link).resolve() for link in links]
    assert set((ROOT / "docs").glob("*.md")) <= seen


def test_the_changelog_has_this_version() -> None:
    assert f"## {nvr.__version__}" in (ROOT / "CHANGELOG.md").read_text()
