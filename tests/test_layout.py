"""Names of files, and a storage folder that may be written to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr import layout
from nvr.clock import from_us
from nvr.errors import StorageError

BERLIN = ZoneInfo("Europe/Berlin")
CHANGES = [
    (BERLIN, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    (BERLIN, datetime(2026, 10, 25, 1, tzinfo=UTC)),
    (ZoneInfo("America/New_York"), datetime(2026, 3, 8, 7, tzinfo=UTC)),
    (ZoneInfo("America/New_York"), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 4, 4, 15, tzinfo=UTC)),
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
]
"""Zones and instants at which their clocks change: by an hour, in Lord Howe by half an hour."""
AROUND = st.integers(-10_800_000, 10_800_000)
"""Milliseconds from such an instant."""


def test_names_are_local_time_with_its_offset() -> None:
    at = datetime(2026, 11, 22, 13, 5, 0, 120_999, tzinfo=UTC)
    assert layout.segment_path("hik1", at, BERLIN).as_posix() == "segments/hik1/2026-11-22/14-05-00.120+0100.mp4"
    path = layout.snapshot_path("hik1", at, "Traffic Light", 17, BERLIN)
    assert path.as_posix() == "snapshots/hik1/2026-11-22/14-05-00.121+0100_traffic-light_17.jpg"


@given(st.integers(631_152_000_000_000, 4_102_444_800_000_000))
def test_a_snapshot_is_named_after_an_instant_at_which_its_picture_is_shown(us: int) -> None:
    path = layout.snapshot_path("hik1", from_us(us), "person", 17, BERLIN)
    back = layout.parse_stamp(path.parent.name, path.stem)
    assert timedelta(0) <= back - from_us(us) < timedelta(milliseconds=1)


def test_the_hour_that_repeats_has_two_names() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    paths = {layout.segment_path("a", first + timedelta(hours=n), BERLIN) for n in range(2)}
    assert len(paths) == 2


@given(st.integers(631_152_000_000_000, 4_102_444_800_000_000))
def test_a_name_gives_its_instant_back_to_the_millisecond(us: int) -> None:
    at = from_us(us)
    folder, stem = layout.stamp(at, BERLIN)
    back = layout.parse_stamp(folder, stem)
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


def test_a_strange_name_is_refused() -> None:
    with pytest.raises(ValueError, match="not a name nvr gives"):
        layout.parse_stamp("2026-11-22", "holiday")


def test_a_new_folder_gets_a_marker_and_keeps_it(tmp_path: Path) -> None:
    storage = tmp_path / "a" / "b"
    volume = layout.prepare(storage)
    assert layout.prepare(storage) == volume == layout.volume_id(storage)


def test_a_folder_with_other_things_and_no_marker_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(StorageError, match="is the right disk mounted"):
        layout.prepare(tmp_path)
    assert not (tmp_path / layout.MARKER).exists()


def test_a_taken_name_is_moved_by_milliseconds_in_its_own_zone(tmp_path: Path) -> None:
    path = Path("segments/hik1/2026-10-25/02-59-59.999+0200.mp4")
    assert layout.free_path(tmp_path, path) == path
    for taken in (path, path.with_name("03-00-00.000+0200.mp4.part")):
        (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / taken).touch()
    assert layout.free_path(tmp_path, path) == path.with_name("03-00-00.001+0200.mp4")


def test_a_broken_marker_is_said(tmp_path: Path) -> None:
    (tmp_path / layout.MARKER).write_text("..")
    with pytest.raises(StorageError, match="does not hold a volume id"):
        layout.volume_id(tmp_path)
    with pytest.raises(StorageError, match="nothing was recorded there"):
        layout.volume_id(tmp_path / "nowhere")


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    layout.write_durably(tmp_path / "a/b.jpg", b"x" * 1000)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.jpg"]


def test_a_disk_that_was_unmounted_is_noticed(tmp_path: Path) -> None:
    layout.prepare(tmp_path)
    layout.require_marker(tmp_path)
    (tmp_path / layout.MARKER).unlink()
    with pytest.raises(StorageError, match="is its disk still mounted"):
        layout.require_marker(tmp_path)


def test_an_empty_mount_point_is_new_and_a_disk_with_its_own_folder_is_too(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".gitkeep").touch()
    assert layout.prepare(tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write to the storage folder"):
        layout.prepare(tmp_path / "file" / "storage")


def test_slots_and_pulses_of_two_storages_are_apart() -> None:
    assert layout.run_folder("a" * 8) != layout.run_folder("b" * 8)
    folder = layout.run_folder("volume-1")
    assert layout.slot_path(folder, "hik1").name == "hik1.slot"
    assert layout.pulse_path(folder, "recorder.hik1").parent == folder


def test_what_is_written_again_replaces_the_old_whole(tmp_path: Path) -> None:
    for content in (b"x" * 1000, b"y"):
        layout.write_durably(tmp_path / "b.jpg", content)
    assert (tmp_path / "b.jpg").read_bytes() == b"y"


@given(st.integers(631_152_000_000_000, 4_102_444_800_000_000), st.integers(1, 3_600_000))
def test_later_names_sort_later_within_an_offset(us: int, milliseconds: int) -> None:
    before, after = (layout.segment_path("a", from_us(us + n * 1000), UTC) for n in (0, milliseconds))
    assert before.as_posix() < after.as_posix()


@given(st.sampled_from(CHANGES), AROUND)
def test_in_both_nights_a_name_gives_its_instant_back(night: tuple[ZoneInfo, datetime], milliseconds: int) -> None:
    zone, change = night
    at = change + timedelta(milliseconds=milliseconds)
    assert layout.parse_stamp(*layout.stamp(at, zone)) == at
    path = layout.segment_path("hik1", at, zone)
    assert layout.parse_stamp(path.parent.name, path.stem) == at
    picture = layout.snapshot_path("hik1", at, "person", 3, zone)
    assert layout.parse_stamp(picture.parent.name, picture.stem) == at


@given(st.sampled_from(CHANGES), AROUND, AROUND)
def test_in_both_nights_no_two_instants_share_a_name_and_their_order_is_known(
    night: tuple[ZoneInfo, datetime], one: int, other: int
) -> None:
    zone, change = night
    first, second = (change + timedelta(milliseconds=each) for each in (one, other))
    names = [layout.stamp(at, zone) for at in (first, second)]
    assert (names[0] == names[1]) is (one == other)
    read = [layout.parse_stamp(*name) for name in names]
    assert (read[0] < read[1]) is (one < other)


@pytest.mark.parametrize(("zone", "change"), CHANGES)
def test_a_night_of_segments_has_as_many_names_as_segments(zone: ZoneInfo, change: datetime) -> None:
    starts = [change + timedelta(minutes=minute) for minute in range(-180, 180)]
    names = [layout.segment_path("hik1", start, zone) for start in starts]
    assert len(set(names)) == len(starts)
    assert sorted(names, key=lambda name: layout.parse_stamp(name.parent.name, name.stem)) == names


def test_the_pictures_of_an_event_lie_side_by_side_and_samples_apart() -> None:
    at = datetime(2026, 11, 22, 13, 5, 12, 640_000, tzinfo=UTC)
    names = [of("hik1", at, "person", 17, BERLIN) for of in (layout.thumbnail_path, layout.sample_path)]
    assert [str(name) for name in names] == [
        "snapshots/hik1/2026-11-22/14-05-12.640+0100_person_17.thumb.jpg",
        "samples/hik1/2026-11-22_14-05-12.640+0100_person_17.jpg",
    ]


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("Traffic Light", "traffic-light"),
        ("../../etc/passwd", "-etc-passwd"),
        ("", "-"),
        ("süd", "s-d"),
        ("x" * 300, "x" * 64),
    ],
)
def test_a_label_becomes_a_name_that_a_file_may_have(label: str, slug: str) -> None:
    assert layout.slug(label) == slug


def test_each_new_folder_is_synced_into_the_one_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(layout, "sync_folder", synced.append)
    layout.make_folder(tmp_path / "a/b/c")
    assert (tmp_path / "a/b/c").is_dir()
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a/b"]
    layout.make_folder(tmp_path / "a/b/c")
    assert len(synced) == 3


DAY, NAME = "2026-11-22", "14-05-00.120+0100.mp4"


@pytest.mark.parametrize("suffix", ["", layout.PART_SUFFIX])
def test_a_file_is_found_by_its_names_also_while_it_is_written(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / "segments/hik1" / DAY / (NAME + suffix)
    assert layout.file_of(tmp_path, "hik1", DAY, NAME) is None
    file.parent.mkdir(parents=True)
    file.touch()
    assert layout.file_of(tmp_path, "hik1", DAY, NAME) == file
    assert layout.file_of(tmp_path, "hik2", DAY, NAME) is None


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("..", NAME),
        (f"../{DAY}", NAME),
        (f"{DAY}\n", NAME),
        (DAY, "secret.mp4"),
        (DAY, f"../{NAME}"),
        (DAY, f"{NAME}.part"),
        (DAY, f"{NAME}\0.mp4"),
        (DAY, f"x{NAME}"),
        (DAY, NAME.replace(".mp4", " (copy).mp4")),
        (DAY, "14-05-00.120+0100"),
    ],
)
def test_no_other_file_is_found_whatever_the_names_hold(tmp_path: Path, day: str, name: str) -> None:
    folder = tmp_path / "segments/hik1" / DAY
    folder.mkdir(parents=True)
    for there in (
        folder / NAME,
        folder / f"{NAME}.part",
        folder / "secret.mp4",
        folder / NAME.replace(".mp4", " (copy).mp4"),
        folder.parent / NAME,
    ):
        there.touch()
    assert layout.file_of(tmp_path, "hik1", day, name) is None


def test_each_stream_of_a_camera_has_its_ring(tmp_path: Path) -> None:
    paths = {layout.ring_path(tmp_path, camera, stream) for camera in ("a", "b") for stream in ("main", "sub")}
    assert len(paths) == 4
    assert {path.parent for path in paths} == {tmp_path}


def test_the_catalogue_is_where_it_was_put_or_in_its_usual_place(tmp_path: Path) -> None:
    assert layout.database_of(tmp_path, None) == tmp_path / "nvr.db"
    assert layout.database_of(tmp_path, Path("/fast/nvr.db")) == Path("/fast/nvr.db")


@pytest.mark.parametrize(
    "name",
    [("0001-01-01", "00-00-00.000+1400"), ("9999-12-31", "23-59-59.999-1400"), ("2026-11-22", "24-00-00.000+0100")],
)
def test_a_name_that_is_no_instant_is_refused(name: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"is not a name nvr gives|hour must be"):
        layout.parse_stamp(*name)
