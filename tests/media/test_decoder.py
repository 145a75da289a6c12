"""Pictures for the slot."""

from __future__ import annotations

from nvr.media.decoder import Decoder
from nvr.media.source import StreamInfo
from tests.fakes.clip import Clip

FRAME = 40_000


def info(h264: Clip) -> StreamInfo:
    extradata = b"".join(b"\0\0\0\1" + nal for nal in (h264.sps, h264.pps))
    return StreamInfo("h264", 320, 180, 25.0, extradata, None)


def coded(h264: Clip) -> list[tuple[bytes, int, bool]]:
    """Annex B pictures with their time."""
    return [(b"".join(b"\0\0\0\1" + nal for nal in u.nals), u.number * FRAME, u.key) for u in h264.units]


def test_every_packet_gives_its_picture_at_once_with_its_own_time(h264: Clip) -> None:
    decoder = Decoder(info(h264))
    for data, pts, key in coded(h264):
        (frame,) = decoder.decode(data, pts, key=key)
        assert (frame.pts, frame.width, frame.height) == (pts, 320, 180)


def test_it_begins_at_a_key_frame_and_skips_to_the_next_when_told(h264: Clip) -> None:
    decoder = Decoder(info(h264))
    pictures = coded(h264)
    shown = []
    for number, (data, pts, key) in enumerate(pictures):
        if number == 5:
            decoder.skip_to_key()
        shown += [number for _ in decoder.decode(data, pts, key=key)]
    assert shown == [*range(5), *range(25, 50)]
    assert decoder.skipped == 20


def test_key_frames_alone(h264: Clip) -> None:
    decoder = Decoder(info(h264), key_frames_only=True)
    shown = [pts for data, pts, key in coded(h264) for _ in decoder.decode(data, pts, key=key)]
    assert shown == [0, 25 * FRAME]
    assert decoder.skipped == 0


def test_a_damaged_packet_is_counted_and_survived(h264: Clip) -> None:
    decoder = Decoder(info(h264))
    pictures = coded(h264)
    shown = 0
    for number, (data, pts, key) in enumerate(pictures):
        shown += sum(1 for _ in decoder.decode(b"\x09" * 40 if number == 10 else data, pts, key=key))
    assert decoder.broken == 1
    assert shown == 49


def test_what_comes_before_the_first_key_frame_is_left_out(h264: Clip) -> None:
    decoder = Decoder(info(h264))
    shown = [pts for data, pts, key in coded(h264)[5:] for _ in decoder.decode(data, pts, key=key)]
    assert shown[0] == 25 * FRAME
    assert decoder.skipped == 20
