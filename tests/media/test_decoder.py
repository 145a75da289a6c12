"""Pictures for the slot."""

from __future__ import annotations

from nvr.media.decoder import Decoder
from nvr.media.source import StreamInfo
from tests.fakes.clip import Clip

FRAME = 40_000


def info(clip: Clip) -> StreamInfo:
    extradata = b"".join(b"\0\0\0\1" + nal for nal in (clip.sps, clip.pps))
    return StreamInfo("h264", 320, 180, 25.0, extradata, None)


def coded(clip: Clip) -> list[tuple[bytes, int, bool]]:
    """Annex B pictures with their time."""
    return [(b"".join(b"\0\0\0\1" + nal for nal in u.nals), u.number * FRAME, u.key) for u in clip.units]


def test_every_packet_gives_its_picture_at_once_with_its_own_time(clip: Clip) -> None:
    decoder = Decoder(info(clip))
    for data, pts, key in coded(clip):
        (frame,) = decoder.decode(data, pts, key=key)
        assert (frame.pts, frame.width, frame.height) == (pts, 320, 180)


def test_it_begins_at_a_key_frame_and_skips_to_the_next_when_told(clip: Clip) -> None:
    decoder = Decoder(info(clip))
    pictures = coded(clip)
    shown = []
    for number, (data, pts, key) in enumerate(pictures):
        if number == 5:
            decoder.skip_to_key()
        shown += [number for _ in decoder.decode(data, pts, key=key)]
    assert shown == [*range(5), *range(25, 50)]
    assert decoder.skipped == 20


def test_key_frames_alone(clip: Clip) -> None:
    decoder = Decoder(info(clip), key_frames_only=True)
    shown = [pts for data, pts, key in coded(clip) for _ in decoder.decode(data, pts, key=key)]
    assert shown == [0, 25 * FRAME]
    assert decoder.skipped == 0


def test_a_damaged_packet_is_counted_and_survived(clip: Clip) -> None:
    decoder = Decoder(info(clip))
    pictures = coded(clip)
    shown = 0
    for number, (data, pts, key) in enumerate(pictures):
        shown += sum(1 for _ in decoder.decode(b"\x09" * 40 if number == 10 else data, pts, key=key))
    assert decoder.broken == 1
    assert shown == 49
