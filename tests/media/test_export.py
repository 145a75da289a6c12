"""A clip has every picture of its span, at its instant, bit for bit as it was recorded."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import av
import pytest

from nvr.errors import StorageError
from nvr.media.clip import Clip
from nvr.media.export import Exported, Order, export
from nvr.media.gathering import gather
from nvr.model import Gap, Segment
from nvr.reason import Reason
from tests.fakes.archive import FRAME, START, Archive, digests, instant, shown
from tests.fakes.clip import write

SECOND = timedelta(seconds=1)
FRAMES = 400


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 s, a key frame every second."""
    return write(tmp_path_factory.mktemp("tape") / "tape.mp4", frames=FRAMES)


@pytest.fixture
def archive(tmp_path: Path, tape: Path) -> Iterator[Archive]:
    made = Archive(tmp_path / "storage", tape)
    yield made
    made.close()


def cut(
    archive: Archive,
    segments: list[Segment],
    since: datetime,
    until: datetime,
    *,
    gaps: tuple[Gap, ...] = (),
    target: Path | None = None,
    force: bool = False,
) -> Exported:
    order = Order("hik1", since, until, target or archive.storage.parent / "clip.mp4", gaps, force)
    return export(archive.storage, segments, order, lambda done, total: None)


def numbers(clip: Clip) -> list[int | None]:
    return [picture.number for picture in shown(clip.path)]


def assert_at_its_instant(clip: Clip, reordered: int = 0) -> None:
    """Every picture is where its number says, to a tick of 90 kHz; ``reordered`` frames of B-frame delay are equal."""
    for picture in shown(clip.path):
        assert picture.number is not None
        at = clip.start + timedelta(microseconds=picture.at_us)
        assert abs(at - instant(picture.number) - reordered * FRAME) <= timedelta(microseconds=12)


def assert_ffmpeg_plays(path: Path, frames: int) -> None:
    """Debian's FFmpeg, which is not the one in PyAV, decodes it without a word."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0"]
    command += ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", str(path)]
    probed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (probed.stdout.strip().rstrip(","), probed.stderr) == (str(frames), "")
    play = ["ffmpeg", "-v", "warning", "-xerror", "-i", str(path), "-map", "0:v", "-f", "null", "-"]
    played = subprocess.run(play, capture_output=True, text=True, timeout=60, check=False)
    assert (played.returncode, played.stderr) == (0, "")


def test_a_span_over_segments_a_gap_and_the_open_file_is_whole(archive: Archive, tape: Path) -> None:
    segments = [archive.add(0, 100), archive.add(100, 150), archive.add(200, 275, run="run-2", state="salvaged")]
    archive.add(275, 400, run="run-2", state="open")
    since, until = instant(60), instant(380)
    found = gather(archive.storage, "hik1", segments, since, until)
    assert [segment.state for segment in found] == ["closed", "closed", "salvaged", "open"]
    done = cut(archive, found, since, until)
    (clip,) = done.clips
    whole = numbers(clip)
    assert whole[-1] is not None
    assert whole == [*range(50, 150), *range(200, 200 + segments[2].packets), *range(275, whole[-1] + 1)]
    assert 350 <= whole[-1] < 380, "the open file is whole but for its last fragment"
    assert clip.start == instant(50)
    assert clip.end == instant(whole[-1] + 1)
    assert clip.packets == len(whole)
    assert clip.bytes == clip.path.stat().st_size
    assert_at_its_instant(clip)
    every = digests(tape)
    assert digests(clip.path) == [every[number] for number in whole if number is not None]
    assert_ffmpeg_plays(clip.path, len(whole))
    assert done.notes == ()


def test_a_gap_is_a_gap_in_time(archive: Archive) -> None:
    segments = [archive.add(0, 50), archive.add(250, 300, run="run-2")]
    (clip,) = cut(archive, segments, instant(0), instant(300)).clips
    with av.open(str(clip.path)) as container:
        times = [packet.dts for packet in container.demux(video=0) if packet.dts is not None and packet.size]
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert sorted(set(steps)) == [3600, 201 * 3600]
    assert times[0] == 0


@pytest.mark.parametrize(("since", "until", "first", "last"), [(30, 60, 25, 59), (25, 60, 25, 59), (24, 26, 0, 25)])
def test_it_begins_with_a_key_frame_and_ends_before_until(
    archive: Archive, since: int, until: int, first: int, last: int
) -> None:
    (clip,) = cut(archive, [archive.add(0, 100)], instant(since), instant(until)).clips
    assert numbers(clip) == list(range(first, last + 1))
    assert (clip.start, clip.end) == (instant(first), instant(last + 1))


def test_a_span_that_begins_in_a_gap_begins_with_the_next_picture(archive: Archive) -> None:
    segments = [archive.add(0, 50), archive.add(100, 150)]
    (clip,) = cut(archive, segments, instant(70), instant(120)).clips
    assert numbers(clip) == list(range(100, 120))


def test_nothing_recorded_is_no_file(archive: Archive) -> None:
    segments = [archive.add(0, 50)]
    assert cut(archive, segments, instant(50), instant(90)).clips == ()
    assert list(archive.storage.parent.glob("clip*")) == []


def test_b_frames_stay_in_their_order(tmp_path: Path) -> None:
    tape = write(tmp_path / "tape.mp4", frames=200, b_frames=2)
    archive = Archive(tmp_path / "storage", tape)
    segments = [archive.add(0, 50), archive.add(50, 100), archive.add(150, 200)]
    (clip,) = cut(archive, segments, instant(30), instant(190)).clips
    found = numbers(clip)
    assert found[:75] == list(range(25, 100))
    assert_at_its_instant(clip, reordered=2)
    assert set(range(150, 188)) <= set(found[75:]) <= set(range(150, 191)), "the end is one of decoding order"
    assert_ffmpeg_plays(clip.path, clip.packets)


def test_h265_stays_hvc1_and_sound_goes_along(tmp_path: Path) -> None:
    tape = write(tmp_path / "tape.mp4", codec="libx265", frames=150, audio="aac")
    archive = Archive(tmp_path / "storage", tape)
    segments = [archive.add(0, 50, sound=True), archive.add(50, 75, sound=True), archive.add(100, 150, sound=True)]
    (clip,) = cut(archive, segments, instant(0), instant(150)).clips
    assert numbers(clip) == [*range(75), *range(100, 150)]
    assert_at_its_instant(clip)
    with av.open(str(clip.path)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"
        sound = container.streams.audio[0]
        heard = [packet for packet in container.demux(sound) if packet.size and packet.dts is not None]
    with av.open(str(tape)) as container:
        original = {(bytes(packet), packet.dts) for packet in container.demux(audio=0) if packet.size}
    assert len(heard) > 70
    moved = [packet for packet in heard if (bytes(packet), packet.dts) not in original]
    # the tape's sound at the tape's time, but for each segment's first packet: without an edit list it is at 0
    assert [packet.dts for packet in moved] == [32_000, 64_000]
    assert_ffmpeg_plays(clip.path, clip.packets)


def test_sound_of_another_kind_is_left_out_and_said(tmp_path: Path) -> None:
    tape = write(tmp_path / "tape.mp4", frames=100, audio="aac")
    archive = Archive(tmp_path / "storage", tape)
    done = cut(archive, [archive.add(0, 50), archive.add(50, 100, sound=True)], instant(0), instant(100))
    with av.open(str(done.clips[0].path)) as container:
        assert not container.streams.audio
    assert numbers(done.clips[0]) == list(range(100))
    assert done.notes == ("sound of another kind than at the beginning of the clip was left out",)


def test_slewing_between_segments_loses_no_picture(archive: Archive) -> None:
    """The clock ran fast: the next segment begins up to 30 ms before the last picture of the one before has ended."""
    early = timedelta(milliseconds=45)
    one = archive.add(0, 50)
    two = archive.add(50, 100, at=instant(50) - early)
    row = Segment(**{name: getattr(one, name) for name in one.__slots__} | {"end": two.start})
    (clip,) = cut(archive, [row, two], instant(0), instant(200)).clips
    assert numbers(clip) == list(range(100))
    at = [picture.at_us for picture in shown(clip.path)]
    assert all(before < after for before, after in itertools.pairwise(at))
    assert at[-1] == pytest.approx(99 * 40_000 - 45_000, abs=12)


def test_where_the_clock_was_set_back_the_later_recording_goes_on(archive: Archive) -> None:
    old = [archive.add(0, 50), archive.add(50, 100), archive.add(100, 150)]
    new = [archive.add(200, 250, at=instant(75)), archive.add(250, 275, at=instant(125))]
    done = cut(archive, [*old, *new], instant(0), instant(200))
    (clip,) = done.clips
    assert numbers(clip) == [*range(75), *range(200, 275)]
    assert (clip.start, clip.end) == (instant(0), instant(150))
    assert done.notes[0].startswith("3.0s was recorded twice, because the clock was set back")


def test_an_earlier_recording_goes_on_with_a_key_frame_after_the_later_one(archive: Archive) -> None:
    segments = [archive.add(0, 150), archive.add(200, 225, at=instant(35), run="run-2")]
    (clip,) = cut(archive, segments, instant(0), instant(140)).clips
    assert numbers(clip) == [*range(35), *range(200, 225), *range(75, 140)]


def test_another_picture_format_goes_on_in_another_file(archive: Archive, tmp_path: Path) -> None:
    other = write(tmp_path / "other.mp4", frames=50, b_frames=2)
    changed = Archive(archive.storage, other, run="run-2")
    segments = [archive.add(0, 50), changed.add(0, 50, at=instant(50)), archive.add(100, 150, run="run-3")]
    done = cut(archive, segments, instant(0), instant(150))
    assert [clip.path.name for clip in done.clips] == ["clip.mp4", "clip-2.mp4", "clip-3.mp4"]
    assert [clip.start for clip in done.clips] == [instant(0), instant(50), instant(100)]
    assert [clip.packets for clip in done.clips] == [50, 50, 50]
    assert "clip-2.mp4 begins where" in done.notes[0]


def test_a_gap_of_hours_goes_on_in_another_file(archive: Archive) -> None:
    later = START + timedelta(hours=7)
    segments = [archive.add(0, 50), archive.add(50, 100, at=later, run="run-2")]
    done = cut(archive, segments, START, later + SECOND)
    assert [clip.start for clip in done.clips] == [START, later]


def test_gaps_are_chapters_and_the_metadata_says_what_it_is(archive: Archive) -> None:
    segments = [archive.add(0, 50), archive.add(100, 150)]
    gap = Gap("g", "hik1", instant(50), Reason.UNREACHABLE, "", instant(100))
    (clip,) = cut(archive, segments, instant(0), instant(150), gaps=(gap,)).clips
    with av.open(str(clip.path)) as container:
        chapters = [(each["start"], each["end"], each["metadata"]["title"]) for each in container.chapters()]
        metadata = container.metadata
    assert [chapter[:2] for chapter in chapters] == [(0, 2000), (2000, 4000), (4000, 6000)]
    assert chapters[1][2] == "no video: the camera could not be reached"
    assert metadata["creation_time"].startswith("2026-11-22T13:05:00")
    assert metadata["nvr_camera"] == "hik1"
    assert metadata["nvr_from"] == "2026-11-22T13:05:00.120000Z"
    assert "the camera could not be reached" in metadata["comment"]
    assert clip.path.read_bytes()[32:].find(b"moov") < clip.path.read_bytes().find(b"mdat"), "faststart"


def test_a_file_that_is_there_is_not_replaced(archive: Archive) -> None:
    segments = [archive.add(0, 50)]
    target = archive.storage.parent / "clip.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(StorageError, match="is there already: choose another -o, or --force"):
        cut(archive, segments, instant(0), instant(50))
    assert target.read_bytes() == b"mine"
    assert [path.name for path in target.parent.glob("clip*")] == ["clip.mp4"]
    (clip,) = cut(archive, segments, instant(0), instant(50), force=True).clips
    assert clip.packets == 50


def test_what_goes_wrong_leaves_no_half_file(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    segments = [archive.add(0, 100)]
    order = Order("hik1", instant(0), instant(100), archive.storage.parent / "clip.mp4")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nvr.media.export.REPORT_BYTES", 20_000)
    with pytest.raises(KeyboardInterrupt):
        export(archive.storage, segments, order, interrupt)
    assert list(archive.storage.parent.glob("clip*")) == []


def test_a_full_disk_is_said_before_it_is_full(archive: Archive) -> None:
    segment = archive.add(0, 50)
    huge = Segment(**{name: getattr(segment, name) for name in segment.__slots__} | {"bytes": 1 << 60})
    with pytest.raises(StorageError, match=r"MB free, the clip needs about 1152921504607 MB"):
        cut(archive, [huge], instant(0), instant(50))


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk of its own needs root")
def test_a_disk_that_fills_up_leaves_no_half_file(archive: Archive) -> None:
    segments = [archive.add(0, 400)]
    small = [Segment(**{name: getattr(each, name) for name in each.__slots__} | {"bytes": 1}) for each in segments]
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, timeout=10, check=False).returncode:
            pytest.skip("no mounting here")
        try:
            with pytest.raises(StorageError, match=r"cannot write .*No space left on device.*free some space"):
                cut(archive, small, instant(0), instant(400), target=Path(folder) / "clip.mp4")
            assert list(Path(folder).iterdir()) == []
        finally:
            subprocess.run(["umount", folder], timeout=10, check=True)


def test_a_segment_that_vanished_costs_itself(archive: Archive) -> None:
    segments = [archive.add(0, 50), archive.add(50, 100), archive.add(100, 150)]
    (archive.storage / segments[1].path).unlink()
    done = cut(archive, segments, instant(0), instant(150))
    assert numbers(done.clips[0]) == [*range(50), *range(100, 150)]
    assert_at_its_instant(done.clips[0])
    assert "is gone" in done.notes[0]


def test_an_open_file_that_is_closed_meanwhile_is_read_by_its_new_name(archive: Archive) -> None:
    archive.add(0, 100, state="open")
    found = gather(archive.storage, "hik1", [], instant(0), instant(100))
    archive.close()
    final = archive.storage / found[0].path
    final.with_name(final.name + ".part").rename(final)
    (clip,) = cut(archive, found, instant(0), instant(100)).clips
    assert numbers(clip) == list(range(100))


@pytest.mark.parametrize("damage", ["no track", "no video", "empty", "half"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_damaged_file_costs_itself(archive: Archive, damage: str, place: int) -> None:
    segments = [archive.add(0, 100), archive.add(100, 200), archive.add(200, 300)]
    file = archive.storage / segments[place].path
    data = file.read_bytes()
    damaged = {"no track": data.replace(b"trak", b"xxxx"), "no video": data.replace(b"vide", b"xxxx"), "empty": b""}
    file.write_bytes(damaged.get(damage, data[: len(data) // 2]))
    exported = cut(archive, segments, instant(0), instant(300))
    found = {number for clip in exported.clips for number in numbers(clip)}
    lost = set(range(100 * place, 100 * place + 100))
    assert set(range(300)) - lost <= found
    if not lost <= found:  # FFmpeg knows a track of video by its codec as well
        assert exported.notes[0].startswith(f"{segments[place].path} is damaged (")
