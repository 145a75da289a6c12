"""Metrics: a text that Prometheus can read."""

from __future__ import annotations

import re

import httpx

from nvr import layout
from nvr.pulse import Pulse, PulseWriter
from tests.fakes.site import Site
from tests.fakes.station import WAIT_S

LINE = re.compile(r'^[a-z_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? -?[0-9.e+]+$')


def test_every_line_is_one_of_prometheus(site: Site) -> None:
    run = layout.run_folder(layout.volume_id(site.storage))
    writer = PulseWriter(layout.pulse_path(run, "recorder.hik1"))
    now_us = site.state.clock.now_us()
    writer.beat(Pulse("recorder.hik1", 1, "recording", site.state.clock.monotonic_us(), now_us, fps=25.0, dropped=3))
    headers = {"Authorization": f"Bearer {site.token()}"}
    answer = httpx.get(f"{site.url}/metrics", headers=headers, timeout=WAIT_S)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    for line in lines:
        assert line.startswith(("# HELP ", "# TYPE ")) or LINE.match(line), line
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert 'nvr_camera_up{camera="hik1"} 1' in lines
    assert 'nvr_camera_up{camera="hik2"} 0' in lines
    assert 'nvr_camera_dropped_total{camera="hik1"} 3' in lines
    assert "nvr_web_viewers 0" in lines
    assert "nvr_web_accesses_lost_total 0" in lines
    for path in run.iterdir():
        path.unlink()
    run.rmdir()
