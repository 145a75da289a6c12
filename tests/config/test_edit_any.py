"""Any places that fit come back from the file, and leave nothing in it when they go."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.config.edit import places, save_places
from tests.config.test_edit import EMPTY, HEAD, TAIL, ZONED

Polygon = list[list[float]]
_corner = st.integers(0, 5000)
_side = st.integers(500, 5000)
POLYGONS = st.tuples(_corner, _corner, _side).map(
    lambda drawn: [
        [part / 10_000 for part in corner]
        for corner in ((drawn[0], drawn[1]), (drawn[0] + drawn[2], drawn[1]), (drawn[0], drawn[1] + drawn[2]))
    ]
)
ZONES = st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True), POLYGONS, max_size=5)


@settings(max_examples=40, deadline=None)
@given(ZONES, st.lists(POLYGONS, max_size=3))
def test_any_places_come_back(zones: dict[str, Polygon], masks: list[Polygon]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nvr.yaml"
        path.write_text(HEAD + ZONED + TAIL)
        new = {**EMPTY, "zones": {name: {"points": points} for name, points in zones.items()}, "masks": masks}
        save_places(path, "hik1", new)
        assert places(path, "hik1") == new
        assert path.read_text().startswith(HEAD)
        assert path.read_text().endswith(TAIL)
        save_places(path, "hik1", EMPTY)
        assert path.read_text() == f"{HEAD}  hik1:\n    host: 192.0.2.1\n    detect:\n      min_score: 0.5\n{TAIL}"
