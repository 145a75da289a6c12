"""The pulse: what is read back, what a kill in mid-beat leaves, and that a reader never sees half a beat."""

from __future__ import annotations

import multiprocessing
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr import pulse
from nvr.errors import StorageError
from nvr.layout import pulse_path
from nvr.pulse import Pulse, PulseWriter

PULSE = Pulse(
    process="recorder-hik1",
    pid=4711,
    state="recording",
    beat_monotonic_us=123_456_789,
    beat_us=1_795_439_100_000_000,
    fps=24.97,
    bitrate=4_100_000,
    frame_at_us=1_795_439_099_960_000,
    dropped=1,
    skipped=2,
    segments=3,
    run="0192f0c4",
    restarts=4,
    last_error="10.0.0.5 did not answer",
    retry_at_us=1_795_439_105_000_000,
    buffered=65_536,
    clock_offset_us=-3_600_000_000,
    alerts=5,
    bad_alerts=6,
    heard_at_us=1_795_439_098_000_000,
    deaf_since_us=1_795_439_099_000_000,
    load=0.37,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return pulse_path(tmp_path / "run", "recorder-hik1")


def test_every_value_comes_back(path: Path) -> None:
    with PulseWriter(path) as writer:
        writer.beat(PULSE)
        assert pulse.read(path) == PULSE
    assert all(getattr(PULSE, field.name) for field in fields(Pulse)), "the example leaves nothing at its default"


def test_the_newest_beat_is_read_and_the_file_does_not_grow(path: Path) -> None:
    with PulseWriter(path) as writer:
        for segments in range(100):
            writer.beat(replace(PULSE, segments=segments))
            assert pulse.read(path) == replace(PULSE, segments=segments)
    assert path.stat().st_size == 4096


def test_there_is_no_pulse_without_a_file_or_before_the_first_beat(path: Path) -> None:
    assert pulse.read(path) is None
    with PulseWriter(path):
        assert pulse.read(path) is None


@pytest.mark.parametrize("content", [b"", b"short", bytes(4096), b"x" * 4096, b"x" * 10_000])
def test_what_is_not_a_pulse_reads_as_none_and_is_taken_over_by_a_writer(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recorder-hik1.pulse"
    path.write_bytes(content)
    assert pulse.read(path) is None
    with PulseWriter(path) as writer:
        writer.beat(PULSE)
    assert pulse.read(path) == PULSE


@pytest.mark.parametrize("at", [0, 8, 9, 16, 20, 24, 60])
def test_a_beat_that_was_written_in_part_leaves_the_one_before_it(path: Path, at: int) -> None:
    with PulseWriter(path) as writer:
        writer.beat(PULSE)
        writer.beat(replace(PULSE, segments=99))
    newest = 0 if b'"segments":99' in path.read_bytes()[:2048] else 2048
    with path.open("r+b") as file:
        file.seek(newest + at)
        byte = file.read(1)
        file.seek(newest + at)
        file.write(bytes([byte[0] ^ 1]))
    assert pulse.read(path) == PULSE
    with PulseWriter(path) as successor:
        successor.beat(replace(PULSE, segments=100))
    assert pulse.read(path) == replace(PULSE, segments=100)


def test_a_new_process_goes_on_where_the_one_before_was_killed(path: Path) -> None:
    with PulseWriter(path) as writer:
        for _ in range(3):
            writer.beat(PULSE)
    with PulseWriter(path) as writer:
        assert pulse.read(path) == PULSE
        for restarts in (5, 6):
            writer.beat(replace(PULSE, restarts=restarts))
            assert pulse.read(path) == replace(PULSE, restarts=restarts)


@given(st.text(max_size=2000) | st.text('\0\x1f"\\', max_size=2000) | st.text("😀ü\ud800", max_size=2000))
def test_any_error_text_fits_and_is_cut_at_300_characters(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pulse"
    with PulseWriter(path) as writer:
        writer.beat(replace(PULSE, last_error="before"))
        writer.beat(replace(PULSE, last_error=text))
        beat = pulse.read(path)
    assert beat is not None
    assert beat.last_error is not None
    assert len(beat.last_error) <= 300
    assert replace(beat, last_error=None) == replace(PULSE, last_error=None)
    readable = text.encode(errors="replace").decode()
    if len(text) <= 100:
        assert beat.last_error == readable
    else:
        assert beat.last_error[:99] == readable[:99]


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        ("ü" * 300, "ü" * 300),
        ("ü" * 301, "ü" * 299 + "…"),
        ("😀" * 5000, "😀" * 299 + "…"),
        ("\0" * 300, "\0" * 99 + "…"),  # six bytes each in JSON
    ],
    ids=["fits", "long", "wide", "control"],
)
def test_a_long_error_is_cut(path: Path, error: str, kept: str) -> None:
    with PulseWriter(path) as writer:
        writer.beat(replace(PULSE, last_error=error))
        assert pulse.read(path) == replace(PULSE, last_error=kept)


def test_a_pulse_that_cannot_fit_is_a_bug_and_leaves_the_one_before(path: Path) -> None:
    with PulseWriter(path) as writer:
        writer.beat(PULSE)
        with pytest.raises(ValueError, match="does not fit"):
            writer.beat(replace(PULSE, process="x" * 5000))
        assert pulse.read(path) == PULSE


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    PulseWriter(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write the pulse .*file/run/x\.pulse"):
        PulseWriter(tmp_path / "file" / "run" / "x.pulse")
    with pytest.raises(StorageError, match="cannot read the pulse"):
        pulse.read(tmp_path / "file" / "x.pulse")


def test_a_reader_beside_a_busy_writer_sees_only_whole_beats_in_order(path: Path) -> None:
    PulseWriter(path).close()
    process = multiprocessing.get_context("spawn").Process(target=_beat_for_ever, args=(path,), daemon=True)
    process.start()
    try:
        last = 0
        while last < 5000:
            beat = pulse.read(path)
            if beat is not None:
                assert beat == _numbered(beat.segments)
                assert beat.segments >= last
                last = beat.segments
            assert process.is_alive() or beat is not None
    finally:
        process.kill()
        process.join(30)
    assert pulse.read(path) is not None, "the last beat outlives its process"


def _numbered(number: int) -> Pulse:
    return replace(PULSE, segments=number, dropped=number, last_error=str(number) * (number % 40))


def _beat_for_ever(path: Path) -> None:
    with PulseWriter(path) as writer:
        number = 0
        while True:
            number += 1
            writer.beat(_numbered(number))
