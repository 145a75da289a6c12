"""The scene of the demonstration: a video that records, and in which something moves."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from nvr.media import scene
from nvr.media.scene import FPS, GOP, HEIGHT, WIDTH, draw_scene


def test_the_scene_is_a_video_with_figures_that_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "SECONDS", 4)
    path, progress = tmp_path / "scene.mp4", list[tuple[int, int]]()
    draw_scene(path, lambda done, total: progress.append((done, total)))
    assert progress == [(number, FPS * 4) for number in range(1, FPS * 4 + 1)]
    assert [file.name for file in tmp_path.iterdir()] == ["scene.mp4"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (WIDTH, HEIGHT)
        assert stream.average_rate == FPS
        frames = list(container.decode(stream))
    assert len(frames) == FPS * 4
    assert [number for number, frame in enumerate(frames) if frame.key_frame] == list(range(0, FPS * 4, GOP))
    first, last = (frames[place].to_ndarray(format="gray").astype(np.int16) for place in (50, -1))
    assert int((abs(first - last) > 30).sum()) > 2_000
    assert int((abs(first - last)[: HEIGHT // 4] > 30).sum()) == 0  # nothing moves in the sky
