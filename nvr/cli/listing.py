"""How listings are printed: a table for a person, plain columns into a pipe, JSON where asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer

Row = Sequence[str]
WIDEST = 10_000
"""Characters of a line; no table is that wide."""


def print_json(value: Any) -> None:
    """One JSON value, a line. Instants and durations must be text and numbers already."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def print_json_array(rows: Iterable[dict[str, Any]]) -> None:
    """One JSON array, written as the rows come, so that a long listing needs no memory."""
    out = sys.stdout
    out.write("[")
    for number, row in enumerate(rows):
        out.write((",\n " if number else "") + json.dumps(row, ensure_ascii=False))
    out.write("]\n")


def print_table(header: Row, rows: Iterable[Row], empty: str) -> None:
    """Rows of text under a header. ``empty`` says what it means that there is none."""
    listed = [tuple(row) for row in rows]
    if not listed:
        typer.echo(empty, err=not sys.stdout.isatty())
        return
    if sys.stdout.isatty():
        _print_decorated(header, listed)
        return
    widths = [max(len(row[column]) for row in [tuple(header), *listed]) for column in range(len(header))]
    for row in [tuple(header), *listed]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_decorated(header: Row, rows: list[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in header:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # As wide as it is: a terminal breaks long lines, a table would break times and paths, which then cannot be copied.
    Console(width=WIDEST).print(table)
