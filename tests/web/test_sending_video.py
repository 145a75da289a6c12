"""What goes out of recorded video while it is being sent: its times, its limits, its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import av
import httpx
import pytest

from tests.fakes.archive import shown
from tests.fakes.site import Past

SECOND = timedelta(seconds=1)


def at(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def span(past: Past, start: float, end: float) -> dict[str, str]:
    return {"from": at(past.start + start * SECOND), "to": at(past.start + end * SECOND)}


@pytest.mark.parametrize("start", [0, 3.5, 4.96, 6.3])
def test_a_download_without_an_origin_plays_from_its_first_picture_on(
    admin: httpx.Client, past: Past, tmp_path: Path, start: float
) -> None:
    """As the page asks for an event's: from between two key frames."""
    answer = admin.get("cameras/hik1/video.mp4", params=span(past, start, 9) | {"download": "1"})
    assert answer.headers["x-nvr-start"] == at(past.start + int(start) * SECOND)[:19] + ".000000Z"
    file = tmp_path / "got.mp4"
    file.write_bytes(answer.content)
    pictures = shown(file)
    first = 25 * int(start)
    assert [picture.number for picture in pictures] == list(range(first, first + len(pictures)))
    assert pictures[-1].number is not None
    assert pictures[-1].number >= 9 * 25 - 1
    assert [picture.at_us for picture in pictures] == pytest.approx([40_000 * n for n in range(len(pictures))], abs=80)
    with av.open(str(file)) as container:
        packets = [each for each in container.demux(video=0) if each.size]
    assert [(each.dts or 0) * (each.time_base or 0) for each in packets] == pytest.approx(
        [n / 25 for n in range(len(packets))], abs=1e-4
    )
    assert {round((each.duration or 0) * (each.time_base or 0) * 1000) for each in packets} == {40}
