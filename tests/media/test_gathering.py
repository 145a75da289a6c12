"""A span's files are found, with a row or without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr.media import gathering
from nvr.media.gathering import gather
from nvr.media.index import read_index
from nvr.model import Segment
from tests.fakes.archive import Archive, instant
from tests.fakes.clip import write


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage", write(tmp_path / "tape.mp4", frames=400))
    yield made
    made.close()


def test_a_file_that_has_no_row_yet_is_gathered(archive: Archive) -> None:
    one, two = archive.add(0, 50), archive.add(50, 100)
    assert [each.path for each in gather(archive.storage, "hik1", [one], instant(10), instant(90))] == [
        one.path,
        two.path,
    ]
    assert gather(archive.storage, "hik1", [], instant(120), instant(190)) == []


@pytest.mark.parametrize(("until", "looks"), [(90, 0), (174, 0), (210, 1)])
def test_what_began_after_the_span_is_not_read(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, until: int, looks: int
) -> None:
    """To know what is being written, all of it has to be read; a second is left for names that were taken."""
    rows = [archive.add(0, 100)]
    archive.add(200, 400, state="open")
    looked: list[Path] = []

    def counted(storage: Path, file: Path) -> Segment:
        looked.append(file)
        return read_index(storage, file)

    monkeypatch.setattr(gathering, "read_index", counted)
    found = gather(archive.storage, "hik1", rows, instant(0), instant(until))
    assert [each.start for each in found] == [instant(0), instant(200)][: 1 + looks]
    assert len(looked) == looks
