"""How listings look: for a person, into a pipe, as JSON."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from nvr.cli.listing import print_json, print_json_array, print_table
from tests.fakes.station import COMMAND, ROOT


def test_columns_are_aligned_without_decoration(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "label"), [("1", "person"), ("20", "car")], "none")
    assert capsys.readouterr().out == "id  label\n1   person\n20  car\n"


def test_an_empty_listing_says_why_beside_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id",), [], "no events since noon")
    assert capsys.readouterr() == ("", "no events since noon\n")


def test_an_empty_listing_says_why_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    print_table(("id",), [], "no events since noon")
    assert terminal.getvalue() == "no events since noon\n"


@pytest.mark.parametrize("rows", [[], [{"a": 1}], [{"a": None}, {"a": "ü"}]])
def test_an_array_is_json_however_many_rows_it_has(
    rows: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    print_json_array(iter(rows))
    text = capsys.readouterr().out
    assert json.loads(text) == rows
    assert text.endswith("]\n")


def test_an_object_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"camera": "hik1", "end": None})
    assert capsys.readouterr().out == '{"camera": "hik1", "end": null}\n'


@pytest.mark.parametrize("columns", ["80", "400"])
def test_a_terminal_gets_a_table_whose_cells_are_whole_and_no_markup(
    config: Path, tmp_path: Path, columns: str
) -> None:
    """The path of a snapshot may hold square brackets, which rich would take for a style. In a narrow terminal lines
    run over, so that a path can be copied."""
    folder = tmp_path / "[red]"
    folder.mkdir()
    (tmp_path / "storage").rename(folder / "storage")
    moved = config.rename(folder / "nvr.yaml")
    main, sub = pty.openpty()
    command = [*COMMAND, "events", "list", "--config", str(moved)]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": columns, "TERM": "xterm"}
    done = subprocess.run(command, stdout=sub, stderr=subprocess.PIPE, timeout=60, check=False, env=env)
    os.close(sub)
    shown = os.read(main, 65_536).decode()
    os.close(main)
    assert done.returncode == 0, done.stderr
    assert "person" in shown
    assert "[red]/storage/snapshots/hik1/b.jpg" in shown
    assert "─" in shown
