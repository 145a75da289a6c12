"""Small videos made on the spot: a grey texture with a number in it (see ``footage``) and a bright square that moves.

``record`` gives access units to be sent by the scripted camera, ``speak`` audio packets, ``write`` a video file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from tests.fakes.footage import draw_number

FPS = 25
WIDTH, HEIGHT = 320, 180
SQUARE = 40
NUMBERS = 4096
"""Numbers in the picture begin again after so many."""
VIDEO_RATE = 90_000
"""RTP clock of video, ticks a second."""
AudioCodec = Literal["aac", "pcm_mulaw"]
VideoCodec = Literal["h264", "h265"]


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture: display number from 0, NAL units without start codes (key frames: parameter sets first)."""

    number: int
    key: bool
    nals: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """H.264 or H.265 in decoding order, beginning with a key frame."""

    units: tuple[AccessUnit, ...]
    sps: bytes
    pps: bytes
    vps: bytes = b""
    """Only with H.265."""
    codec: VideoCodec = "h264"


@dataclass(frozen=True, slots=True)
class Sound:
    """Coded audio, mono: ``samples`` of ``rate`` a second in each packet; ``config`` is AAC's AudioSpecificConfig."""

    codec: AudioCodec
    rate: int
    samples: int
    packets: tuple[bytes, ...]
    config: bytes


def square_at(number: int) -> tuple[int, int]:
    """Left and top of the bright square (40 pixels a side) in frame ``number``: it goes to and fro along the middle."""
    way = WIDTH - SQUARE
    return way - abs(number * 4 % (2 * way) - way), HEIGHT // 2


def pictures(frames: int, scale: int = 1) -> Iterator[VideoFrame]:
    """The pictures of a clip, I420, 25 fps, 320x180 or ``scale`` times that. Key frames exceed one RTP packet."""
    width, height = WIDTH * scale, HEIGHT * scale
    texture = np.random.default_rng(1).integers(70, 120, (height // 4, width // 4)).repeat(4, 0).repeat(4, 1)
    for number in range(frames):
        i420 = np.full((height * 3 // 2, width), 128, np.uint8)
        i420[:height] = texture
        left, top = square_at(number)
        i420[top : top + SQUARE, left : left + SQUARE] = 220
        draw_number(i420[:height], number % NUMBERS)
        frame = VideoFrame.from_ndarray(i420, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield frame


def tone(seconds: float, rate: int, samples: int, layout: str = "mono") -> Iterator[AudioFrame]:
    """A 440 Hz tone in frames of ``samples``."""
    for start in range(0, round(seconds * rate), samples):
        wave = np.sin((start + np.arange(samples)) * (2 * np.pi * 440 / rate)) * 8000
        frame = AudioFrame.from_ndarray(wave.astype(np.int16)[np.newaxis], format="s16", layout=layout)
        frame.pts, frame.rate, frame.time_base = start, rate, Fraction(1, rate)
        yield frame


def record(frames: int = 50, gop: int = 25, b_frames: int = 0, *, scale: int = 1, codec: VideoCodec = "h264") -> Clip:
    """Encode a clip. Key frames at every multiple of ``gop`` in display order, closed GOPs."""
    library: Literal["libx264", "libx265"] = "libx264" if codec == "h264" else "libx265"
    encoder = av.CodecContext.create(library, "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH * scale, HEIGHT * scale, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = _video_options(library, gop, b_frames)
    packets = [packet for frame in pictures(frames, scale) for packet in encoder.encode(frame)] + encoder.encode(None)
    units = tuple(
        AccessUnit(packet.pts or 0, packet.is_keyframe, tuple(nal_units(bytes(packet)))) for packet in packets
    )
    parameters = {nal_type(nal, codec): nal for nal in units[0].nals}
    if codec == "h264":
        return Clip(units, parameters[7], parameters[8])
    return Clip(units, parameters[33], parameters[34], parameters[32], codec)


def speak(codec: AudioCodec, seconds: float) -> Sound:
    """Encode a tone: AAC at 16 kHz or G.711 u-law at 8 kHz in packets of 40 ms."""
    encoder = av.CodecContext.create(codec, "w")
    rate, samples = (16_000, 1024) if codec == "aac" else (8_000, 320)
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "fltp" if codec == "aac" else "s16"
    encoder.time_base = Fraction(1, rate)
    resampler = av.AudioResampler(format=encoder.format, layout="mono", rate=rate)
    frames = [made for frame in tone(seconds, rate, samples) for made in resampler.resample(frame)]
    packets = [packet for frame in frames for packet in encoder.encode(frame)] + encoder.encode(None)
    return Sound(codec, rate, samples, tuple(map(bytes, packets)), encoder.extradata or b"")


def write(
    path: Path,
    *,
    codec: Literal["libx264", "libx265"] = "libx264",
    frames: int = 100,
    gop: int = 25,
    b_frames: int = 0,
    audio: AudioCodec | None = None,
) -> Path:
    """Write a video file; the name's suffix is the container (G.711 goes into .mov)."""
    with av.open(path, "w") as container:
        video = container.add_stream(codec, rate=FPS, options=_video_options(codec, gop, b_frames))
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, FPS)
        sound = None
        if audio is not None:
            sound = container.add_stream(audio, rate=16_000 if audio == "aac" else 8_000, layout="mono")
        for frame in pictures(frames):
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            for heard in tone(frames / FPS, sound.rate, 1024):
                container.mux(sound.encode(heard))
            container.mux(sound.encode(None))
    return path


def nal_units(data: bytes, *, in_mp4: bool = False) -> list[bytes]:
    """The NAL units of an access unit, with start codes (ITU-T H.264 annex B), or with lengths of 4 bytes (``in_mp4``).

    The bytes do not tell: a length of 256 to 511 looks like a start code.
    """
    if not in_mp4:
        # No NAL unit ends with a zero byte, so what is stripped belongs to the next start code.
        return [nal for nal in (part.rstrip(b"\0") for part in data.split(b"\0\0\1")) if nal]
    nals = []
    while data:
        size = int.from_bytes(data[:4])
        nals.append(data[4 : 4 + size])
        data = data[4 + size :]
    return nals


def nal_type(nal: bytes, codec: VideoCodec = "h264") -> int:
    """What a NAL unit is (ITU-T H.264, table 7-1; H.265, table 7-1)."""
    return nal[0] & 31 if codec == "h264" else nal[0] >> 1 & 63


def is_slice(nal: bytes, codec: VideoCodec = "h264") -> bool:
    """Whether a NAL unit holds a part of a picture."""
    return nal_type(nal, codec) in (1, 5) if codec == "h264" else nal_type(nal, codec) < 32


def slices_digest(data: bytes | tuple[bytes, ...], *, in_mp4: bool = False, codec: VideoCodec = "h264") -> str:
    """Names a picture by its coded slices alone, so that it is the same in RTP, in a packet and in a file."""
    nals = data if isinstance(data, tuple) else nal_units(data, in_mp4=in_mp4)
    return hashlib.sha256(b"".join(nal for nal in nals if is_slice(nal, codec))).hexdigest()[:16]


def _video_options(codec: str, gop: int, b_frames: int) -> dict[str, str]:
    fixed = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:open-gop=0"
    if codec == "libx265":
        return {"preset": "ultrafast", "x265-params": f"{fixed}:log-level=none"}
    return {"preset": "ultrafast", "x264-params": f"{fixed}:b-adapt=0:slices=1:sliced-threads=0:threads=1"}
