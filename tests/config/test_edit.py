"""Places of a camera are written into a file that a person wrote, and the rest of it stays byte for byte."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nvr.config import load
from nvr.config.edit import places, save_places
from nvr.errors import ConfigError

EMPTY: dict[str, Any] = {"zones": {}, "lines": {}, "masks": []}
POINTS = [[0.1, 0.2], [0.9, 0.2], [0.5, 0.9]]
GATE = {**EMPTY, "zones": {"gate": {"points": POINTS}}}
WRITTEN = "zones:\n{0}  gate:\n{0}    points: [[0.1, 0.2], [0.9, 0.2], [0.5, 0.9]]\n"
HEAD = """\
# yaml-language-server: $schema=nvr.schema.json
# Recorded since 2019 — ask Jörg before you change this.

storage: 'video'              # on the big disk
retention: {continuous: 7d, events: "30d"}   # see the notice at the door

defaults: &shared
  username: &user viewer
  password: "p#1: \\"quoted\\""
  detect:
    labels: [person, car]
    # min_score: 0.5

cameras:
  # --- in front ---
"""
TAIL = """\

  yard:   # the recorder
    host: 192.0.2.9
    username: *user
    channel: 3
    detect:
      labels:
        - dog
        - cat     # sometimes
    schedule:
      mon-fri: ["18:00-08:00"]

  attic: {<<: *shared, host: 192.0.2.8, audio: 'off'}  # rarely
# the end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nvr.yaml"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  hik1:\n    host: 192.0.2.1", None),
        ("  hik1:\n    host: 192.0.2.1 # it", None),
        ("  hik1:\n    host: 192.0.2.1\n    detect:\n      mode: motion", ""),
        ("  hik1:\n    host: 192.0.2.1\n    detect:\n      # what\n      mode: motion", ""),
        ("  hik1:\n    <<: *shared\n    username: *user\n    host: 192.0.2.1\n    detect:\n      fps: 5", ""),
    ],
    ids=["no detect", "comment", "detect", "commented detect", "merge"],
)
def test_zones_are_added_and_all_else_stays_as_it_was(path: Path, before: str, after: str | None) -> None:
    path.write_text(f"{HEAD}{before}\n{TAIL[1:]}")
    save_places(path, "hik1", GATE)
    added = ("    detect:\n      " if after is None else "      ") + WRITTEN.format("      ")
    assert path.read_text() == f"{HEAD}{before}\n{added}{TAIL[1:]}"
    assert places(path, "hik1") == GATE
    assert load(path).cameras["hik1"].detect.zones["gate"].points == tuple(map(tuple, POINTS))


def test_a_short_form_is_written_out(path: Path) -> None:
    path.write_text(f"{HEAD}  hik1:\n    host: 192.0.2.1\n    detect: motion\n    record: events\n{TAIL}")
    save_places(path, "hik1", GATE)
    written = f"    detect:\n      mode: motion\n      {WRITTEN.format('      ')}    record: events\n"
    assert path.read_text() == f"{HEAD}  hik1:\n    host: 192.0.2.1\n{written}{TAIL}"
    assert load(path).cameras["hik1"].detect.mode == "motion"


def test_a_camera_that_says_nothing_itself_gets_keys(path: Path) -> None:
    text = "defaults: {host: 192.0.2.1}\ncameras:\n  hik1:\n  hik2:   # nothing yet\n"
    path.write_text(text)
    save_places(path, "hik1", GATE)
    written = f"    detect:\n      {WRITTEN.format('      ')}"
    assert path.read_text() == text.replace("  hik1:\n", f"  hik1:\n{written}")


def test_a_camera_on_one_line_stays_on_it(path: Path) -> None:
    path.write_text(f"{HEAD}  hik1: {{host: 192.0.2.1, port: 554}}\n{TAIL}")
    save_places(path, "hik1", GATE)
    points = "[[0.1, 0.2], [0.9, 0.2], [0.5, 0.9]]"
    line = f"  hik1: {{host: 192.0.2.1, port: 554, detect: {{zones: {{gate: {{points: {points}}}}}}}}}\n"
    assert path.read_text() == f"{HEAD}{line}{TAIL}"


@pytest.mark.parametrize("indent", [2, 3, 4, 8])
def test_a_file_is_indented_as_it_was(path: Path, indent: int) -> None:
    lines = ["cameras:", "\thik1:", "\t\thost: 192.0.2.1", "\thik2:", "\t\thost: 192.0.2.2 # b", ""]
    text = "\n".join(lines).replace("\t", " " * indent)
    path.write_text(text)
    save_places(path, "hik1", GATE)
    assert path.read_text().startswith(text[: text.index(" " * indent + "hik2")])
    assert path.read_text().endswith(text[text.index(" " * indent + "hik2") :])


def test_lines_end_as_they_did(path: Path) -> None:
    text = "# a\r\ncameras:\r\n  hik1:\r\n    host: 192.0.2.1\r\n"
    path.write_bytes(text.encode())
    save_places(path, "hik1", GATE)
    added = f"    detect:\n      {WRITTEN.format('      ')}".replace("\n", "\r\n")
    assert path.read_bytes() == (text + added).encode()


ZONED = """\
  hik1:
    host: 192.0.2.1
    detect:
      zones:
        # where cars turn
        gate:
          points: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.8]]
          labels: [person]  # no cars
          dwell: 2s
          schedule:
            mon-fri: ["18:00-08:00"]
        door: {points: "0.1,0.5 0.9,0.5 0.5,1", labels: [car]}
      min_score: 0.5
"""


def test_other_keys_of_a_zone_and_their_comments_survive(path: Path) -> None:
    path.write_text(HEAD + ZONED + TAIL)
    new = places(path, "hik1")
    new["zones"]["gate"]["points"] = POINTS
    save_places(path, "hik1", new)
    moved = ZONED.replace("[[0.1, 0.1], [0.9, 0.1], [0.5, 0.8]]", "[[0.1, 0.2], [0.9, 0.2], [0.5, 0.9]]")
    assert path.read_text() == HEAD + moved + TAIL


def test_what_is_saved_as_it_was_changes_no_byte(path: Path) -> None:
    path.write_text(HEAD + ZONED + TAIL)
    save_places(path, "hik1", places(path, "hik1"))
    assert path.read_text() == HEAD + ZONED + TAIL


def test_one_zone_goes_and_its_neighbour_stays(path: Path) -> None:
    path.write_text(HEAD + ZONED + TAIL)
    new = places(path, "hik1")
    del new["zones"]["door"]
    save_places(path, "hik1", new)
    assert path.read_text() == HEAD + "".join(line for line in ZONED.splitlines(True) if "door" not in line) + TAIL


def test_without_any_place_their_keys_go_and_the_others_stay(path: Path) -> None:
    path.write_text(HEAD + ZONED + TAIL)
    save_places(path, "hik1", EMPTY)
    assert path.read_text() == f"{HEAD}  hik1:\n    host: 192.0.2.1\n    detect:\n      min_score: 0.5\n{TAIL}"
    path.write_text("cameras:\n  hik1:\n    host: 192.0.2.1\n")
    save_places(path, "hik1", GATE)
    save_places(path, "hik1", EMPTY)
    assert path.read_text() == "cameras:\n  hik1:\n    host: 192.0.2.1\n"


@pytest.mark.parametrize(
    "line",
    [
        "storage:   video",
        "web: { port:  81 }",
        "database: ~",
        "retention: &unused\n  events: 9d",
        "retention: {events: 9d,\n  continuous: 7d}",
    ],
)
def test_spaces_within_lines_stay(path: Path, line: str) -> None:
    path.write_text(f"{line}\ncameras:\n  hik1:\n    host: 192.0.2.1\n")
    save_places(path, "hik1", GATE)
    assert path.read_text().startswith(f"{line}\ncameras:")


@pytest.mark.parametrize("first", ["{host: 192.0.2.1, detect: &d {mode: motion}}", "&c {host: 192.0.2.1}"])
def test_no_other_camera_is_changed(path: Path, first: str) -> None:
    second = "{host: 192.0.2.2, detect: *d}" if "&d" in first else "*c"
    path.write_text(f"cameras:\n  hik1: {first}\n  hik2: {second}\n")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="hik1 shares its detect with another camera"):
        save_places(path, "hik1", GATE)
    assert path.read_bytes() == before


SHARED = (
    "defaults:\n  detect: {zones: {all: {points: [[0, 0], [1, 0], [1, 1]]}}}\ncameras:\n  hik1: {host: 192.0.2.1}\n"
)


def test_shared_zones_are_shown_and_a_camera_s_own_replace_them(path: Path) -> None:
    path.write_text(SHARED)
    assert list(places(path, "hik1")["zones"]) == ["all"]
    save_places(path, "hik1", GATE)
    assert path.read_text().startswith(SHARED.partition("cameras:")[0])
    assert list(load(path).cameras["hik1"].detect.zones) == ["gate"]


def test_a_camera_without_zones_has_none_of_the_shared_ones(path: Path) -> None:
    path.write_text(SHARED)
    save_places(path, "hik1", EMPTY)
    assert load(path).cameras["hik1"].detect.zones == {}
    assert places(path, "hik1") == EMPTY


def test_lines_and_masks_are_written_too(path: Path) -> None:
    path.write_text("cameras:\n  hik1: \n    host: 192.0.2.1\n")
    new = {
        **GATE,
        "lines": {"in": {"points": [[0, 0.5], [1, 0.5]], "direction": "in"}},
        "masks": [POINTS, POINTS[::-1]],
    }
    save_places(path, "hik1", new)
    assert places(path, "hik1") == new
    assert load(path).cameras["hik1"].detect.lines["in"].direction == "in"


CROSSED = {**EMPTY, "zones": {"gate": {"points": [[0, 0], [1, 1], [1, 0], [0, 1]]}}}


def test_what_nvr_start_would_refuse_is_not_saved(path: Path) -> None:
    path.write_text(HEAD + ZONED + TAIL)
    with pytest.raises(
        ConfigError, match=r"nvr\.yaml:\d+: cameras\.hik1\.detect\.zones\.gate.points: crosses"
    ) as raised:
        save_places(path, "hik1", CROSSED)
    assert "/.nvr.yaml" not in str(raised.value)
    line = int(str(raised.value).split("nvr.yaml:")[1].split(":")[0])
    assert "points" in (HEAD + ZONED).splitlines()[line - 1]
    assert path.read_text() == HEAD + ZONED + TAIL
    assert [file.name for file in path.parent.iterdir()] == ["nvr.yaml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cameras:\n  hik2: {host: 192.0.2.1}\n", "has no camera hik1 any more"),
        ("- hik1\n", "has no camera hik1 any more"),
        ("", "has no camera hik1 any more"),
        ("cameras: [\n", "cannot be changed: it is not YAML"),
        (None, "cannot be changed: No such file"),
    ],
)
def test_a_file_without_the_camera_is_told_and_left_alone(path: Path, text: str | None, words: str) -> None:
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=words) as raised:
        save_places(path, "hik1", GATE)
    assert str(path) in str(raised.value)
    assert (path.read_text() if path.exists() else None) == text


def test_a_folder_that_may_not_be_written_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "nvr.yaml").write_text(SHARED)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(ConfigError, match=r"nvr\.yaml cannot be written: Permission denied; check who may"):
                save_places(folder / "nvr.yaml", "hik1", GATE)
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)
        assert (folder / "nvr.yaml").read_text() == SHARED


def test_a_link_stays_a_link_and_the_file_keeps_its_mode(path: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "config.yaml"
    real.write_text(SHARED)
    real.chmod(0o640)
    path.symlink_to(real)
    save_places(path, "hik1", GATE)
    assert path.is_symlink()
    assert list(places(real, "hik1")["zones"]) == ["gate"]
    assert real.stat().st_mode & 0o7777 == 0o640
    assert [file.name for file in real.parent.iterdir()] == ["config.yaml"]
