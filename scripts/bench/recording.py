#!/usr/bin/env python3
"""What recording costs: nvr against as many ``ffmpeg -c copy -f segment``, from the same camera.

    scripts/bench/recording.py [--cameras 1,4,8] [--seconds 60]

1080p25 at 4 Mb/s over TCP, video alone, no analysis; ffmpeg writes fragmented MP4 as well. Start-up is counted. After
each run every recorded packet is compared with the footage: a recording is a piece of the endless loop, so each packet
must be the successor of the one before it.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import measure

TAIL = 64
"""The end of a frame's slice is the same in every container, whatever parameter sets stand before it."""


def marks(path: Path) -> Iterator[str]:
    """A mark for each video packet of a file."""
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.size:
                yield hashlib.sha1(bytes(packet)[-TAIL:]).hexdigest()


def missing(files: list[Path], loop: list[str]) -> tuple[int, int]:
    """How many packets were recorded, and how many are missing between the first and the last of them."""
    places = {mark: number for number, mark in enumerate(loop)}
    recorded = [places[mark] for file in files for mark in marks(file)]
    steps = ((after - before - 1) % len(loop) for before, after in itertools.pairwise(recorded))
    return len(recorded), sum(steps)


def run_nvr(port: int, cameras: int, seconds: int, loop: list[str]) -> tuple[measure.Cost, int, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = measure.write_config(folder, port, cameras, "  detect: off\n  audio: off")
        session = measure.Session([measure.nvr("start", "--config", str(config))])
        measure.wait(seconds, f"nvr, {cameras} camera(s)")
        cost = session.stop()
        counts = [
            missing(sorted((folder / "storage/segments" / f"cam{n}").rglob("*.mp4")), loop)
            for n in range(1, cameras + 1)
        ]
        if not all(packets for packets, _ in counts):
            raise SystemExit(f"nothing recorded:\n{session.messages()}")
        return cost, sum(packets for packets, _ in counts), sum(lost for _, lost in counts)


def run_ffmpeg(camera: measure.Camera, cameras: int, seconds: int, loop: list[str]) -> tuple[measure.Cost, int, int]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = [
            f"ffmpeg -nostdin -loglevel error -rtsp_transport tcp -allowed_media_types video -i {camera.url(n)} "
            "-an -c copy -f segment -segment_time 60 -reset_timestamps 1 -segment_format mp4 -segment_format_options "
            f"movflags=frag_keyframe+empty_moov+default_base_moof {folder}/cam{n}-%03d.mp4".split()
            for n in range(1, cameras + 1)
        ]
        session = measure.Session(commands)
        measure.wait(seconds, f"ffmpeg, {cameras} camera(s)")
        cost = session.stop()
        counts = [missing(sorted(folder.glob(f"cam{n}-*.mp4")), loop) for n in range(1, cameras + 1)]
        return cost, sum(packets for packets, _ in counts), sum(lost for _, lost in counts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", default="1,4,8")
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    counts = [int(count) for count in arguments.cameras.split(",")]
    rows = []
    with measure.camera(max(counts)) as camera:
        loop = list(marks(measure.ROOT / ".cache/footage/main-h264.mkv"))
        for cameras in counts:
            nvr, packets, lost = run_nvr(camera.port, cameras, arguments.seconds, loop)
            peer, peer_packets, peer_lost = run_ffmpeg(camera, cameras, arguments.seconds, loop)
            for who, cost, kept, gone in (("nvr", nvr, packets, lost), ("ffmpeg", peer, peer_packets, peer_lost)):
                cpu, memory = f"{cost.cpu / peer.cpu:.2f}", f"{cost.settled / peer.settled:.2f}"
                used = (f"{cost.cpu / cameras:.2f}", cpu, f"{cost.settled:.0f}", memory)
                rows.append((str(cameras), who, *used, str(kept), str(gone)))
    measure.table(
        f"recording 1080p25 4 Mb/s for {arguments.seconds} s",
        ("cameras", "", "CPU s per camera", "ratio", "PSS MB, all", "ratio", "packets", "missing"),
        rows,
    )


if __name__ == "__main__":
    main()
