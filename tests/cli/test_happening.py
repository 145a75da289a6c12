"""What the commands about events share."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nvr.cli.happening import as_json, check_kind, lasted
from nvr.errors import ConfigError
from nvr.model import Event
from tests.fakes.station import ROOT

START = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize("module", ["event", "events", "export", "happening", "marks", "watch"])
def test_each_module_can_be_imported_first(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import nvr.cli.{module}"], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_kind_that_no_event_has_is_refused() -> None:
    for kind in (None, "object", "motion", "camera", "health"):
        check_kind(kind)
    with pytest.raises(ConfigError, match='--kind: got "person"'):
        check_kind("person")


def test_what_lasts_is_told_as_far_as_it_was_seen() -> None:
    seen = Event("hik1", "object", "person", START, START + timedelta(seconds=4))
    assert lasted(seen) == "4.0s…"
    told = as_json(seen, Path("storage"), (7,))
    assert (told["end"], told["received"], told["thumbnail"], told["also"]) == (None, None, None, [7])
