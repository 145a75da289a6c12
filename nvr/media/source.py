"""Open one stream of a camera, or a video file, and yield its packets.

Lives in the recorder process. Knows FFmpeg's RTSP demuxer and its traps, and nothing of segments or the catalogue.

There is no interrupt callback (``av.open(timeout=)``): it would take the GIL at every poll of the socket. The demuxer's
own ``timeout`` bounds each read, so a silent camera is noticed after at most twice that, and a call that hangs all the
same is ended by the supervisor. A container is never closed from another thread: that is a crash inside FFmpeg.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.error
from av.stream import Discard

from nvr.clock import Clock
from nvr.errors import LoginError, SourceError
from nvr.logs import redact
from nvr.media.parameters import FORMATS, parameter_sets
from nvr.model import Address, PacketInfo
from nvr.reason import Reason

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    RawPacket = Packet[Any]
    """FFmpeg's packet, which the recorder passes from source to segment without looking inside."""

READ_TIMEOUT_US = 3_000_000
"""FFmpeg notices a silent camera after one to two of these."""
VIDEO_TIMEOUT_US = 10_000_000
"""With audio still flowing, FFmpeg's timeout never fires: this one watches video packets alone."""
PROBE = {"analyzeduration": "500000", "probesize": "65536"}
"""Enough for the size of the picture, and half a second at most for an audio track that is announced and silent."""
PROBE_LONGER = {"analyzeduration": "10000000", "probesize": "10000000"}
_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream says of its video (and audio codec, None without). ``fps`` is what it announces, 0 if nothing."""

    codec: str
    width: int
    height: int
    fps: float
    extradata: bytes | None
    audio: str | None


class Source:
    """One open connection or file. Use it from one thread; ``close`` it there, too."""

    def __init__(self, address: Address, container: InputContainer, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self.container = container
        self.video: VideoStream = container.streams.video[0]
        self.audio: AudioStream | None = next(iter(container.streams.audio), None)
        self.template: VideoStream = self.video
        """What a new file's header is made from; replaced when the camera changes its picture in mid-stream."""
        self.info = self._describe(self.video)
        self.clock_offset_us: int | None = None
        """How far the camera's clock is ahead of ours, by its RTCP reports (RFC 3550, 6.4.1); None without any."""
        self._renewal: InputContainer | None = None
        self._sets = parameter_sets(self.info.codec, self.info.extradata or b"")

    def packets(self) -> Iterator[tuple[PacketInfo, RawPacket]]:
        """The packets as they come, until the stream ends. Raises SourceError when it breaks off.

        A camera's packets come when it sends them; a file's at the speed the file says.
        """
        try:
            if self._address.is_file:
                yield from self._file_packets()
            else:
                yield from self._live_packets()
        except (av.error.FFmpegError, OSError) as error:
            raise translate(error, self._address) from error

    def close(self) -> None:
        if self._renewal is not None:
            self._renewal.close()
        self.container.close()

    def _describe(self, video: VideoStream) -> StreamInfo:
        codec = video.codec_context
        return StreamInfo(
            codec=codec.name,
            width=codec.width,
            height=codec.height,
            fps=float(self.video.average_rate or self.video.guessed_rate or 0),
            extradata=codec.extradata,
            audio=self.audio.codec_context.name if self.audio else None,
        )

    def _renewed(self, packet: RawPacket) -> bool:
        """Whether a key frame carries other parameter sets than those before it: then ``template`` and ``info`` change.

        A file's header holds one set, so the caller begins a new file. FFmpeg reads the new set from the packet itself.
        """
        if self.info.codec not in FORMATS:
            return False
        data = bytes(packet)
        sets = parameter_sets(self.info.codec, data)
        if not sets or sets <= self._sets:
            return False
        renewal = _open_picture(data, FORMATS[self.info.codec])
        if renewal is None:
            return False
        if self._renewal is not None:
            self._renewal.close()
        self._renewal, self.template, self._sets = renewal, renewal.streams.video[0], sets
        self.info = self._describe(self.template)
        return True

    def _live_packets(self) -> Iterator[tuple[PacketInfo, RawPacket]]:
        video = self.video
        now_us = self._clock.now_us
        to_info = _reader(video, self.audio)
        last_video_us = self._clock.monotonic_us()
        for packet in self.container.demux(*filter(None, (video, self.audio))):
            if not packet.size:  # the flush packet; dts is None on a run's first real packets too
                continue
            if packet.stream is video:
                last_video_us = self._clock.monotonic_us()
            elif self._clock.monotonic_us() - last_video_us > VIDEO_TIMEOUT_US:
                text = f"{self._address.url}: no video for {VIDEO_TIMEOUT_US // 1_000_000} s, only audio"
                raise SourceError(text, Reason.STALLED)
            info = to_info(packet, now_us())
            if packet.is_keyframe and packet.stream is video:
                taken_us = taken_at_us(packet)
                if taken_us is not None:
                    self.clock_offset_us = taken_us - info.arrival_us
                if self._renewed(packet):
                    info = replace(info, renewed=True)
            yield info, packet
        raise SourceError(f"{self._address.url}: the camera closed the connection", Reason.CLOSED)

    def _file_packets(self) -> Iterator[tuple[PacketInfo, RawPacket]]:
        streams = [stream for stream in (self.video, self.audio) if stream is not None]
        to_info = _reader(self.video, self.audio)
        begin_us: int | None = None
        lap_us = end_us = 0
        while True:
            empty = True
            for packet in self.container.demux(*streams):
                if not packet.size:
                    continue
                empty = False
                info = to_info(packet, 0)
                time_us = info.dts_us if info.dts_us is not None else end_us - lap_us
                if begin_us is None:
                    begin_us = self._clock.monotonic_us() - time_us
                end_us = max(end_us, lap_us + time_us + info.duration_us)
                self._wait_until(begin_us + lap_us + time_us)
                yield _shifted(info, lap_us, self._clock.now_us()), packet
            if not self._address.loop or empty:
                return
            lap_us = end_us
            self.container.seek(0)

    def _wait_until(self, due_us: int) -> None:
        while (left_us := due_us - self._clock.monotonic_us()) > 0:
            time.sleep(min(left_us / 1e6, _PAUSE_S))


def open_source(address: Address, clock: Clock, *, audio: bool) -> Source:
    """Connect, or open the file. One login. Raises LoginError for a refused credential, SourceError otherwise.

    Takes up to about 10 s with a camera that answers slowly or not at all.
    """
    if address.is_file and not Path(address.url).is_file():
        raise SourceError(f"{address.url}: no such video file")
    source = _open(address, clock, PROBE, audio=audio)
    if not _described(source):  # the first key frame came late: look for longer, once
        source.close()
        source = _open(address, clock, PROBE_LONGER, audio=audio)
    if not _described(source):
        source.close()
        raise SourceError(f"{address.url}: no picture size within 10 s: is the camera sending key frames?")
    return source


def _open_picture(data: bytes, format: str) -> InputContainer | None:
    """A key frame as a stream of its own; None where it does not decode, so that damage is not taken for a change."""
    container = av.open(io.BytesIO(data), "r", format=format)
    try:
        video = container.streams.video[0]
        video.codec_context.options = {"err_detect": "explode"}
        if next(container.decode(video), None) is not None and video.codec_context.extradata is not None:
            return container
    except (av.error.FFmpegError, IndexError):
        pass
    container.close()
    return None


def _described(source: Source) -> bool:
    """Whether what a file's header needs is known: the picture's size, and H.264's and H.265's parameter sets."""
    info = source.info
    return bool(info.width) and (info.codec not in ("h264", "hevc") or info.extradata is not None)


def _open(address: Address, clock: Clock, probe: dict[str, str], *, audio: bool) -> Source:
    options = {}
    if not address.is_file:
        # The camera's metadata stream (ONVIF) is left out: with it FFmpeg takes time from the camera's wall clock.
        options = {
            "rtsp_transport": address.transport,
            "allowed_media_types": "video+audio" if audio else "video",
            "timeout": str(READ_TIMEOUT_US),
            "buffer_size": str(2 << 20),
            **probe,
        }
    try:
        container = av.open(login_url(address), "r", options=options)
    except (av.error.FFmpegError, OSError) as error:
        raise translate(error, address) from error
    if not container.streams.video:
        container.close()
        raise SourceError(f"{address.url}: a stream without video")
    if not audio:
        for stream in container.streams.audio:
            stream.discard = Discard.all
    return Source(address, container, clock)


def login_url(address: Address) -> str:
    """The address with its credential, percent-encoded, as FFmpeg wants it. Never to be logged."""
    if address.is_file or not address.username:
        return address.url
    parts = urlsplit(address.url)
    login = quote(address.username, safe="")
    if address.password:
        login += ":" + quote(address.password, safe="")
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def translate(error: Exception, address: Address) -> SourceError:
    """FFmpeg's error in our words, without the password that its text and file name hold."""
    url = address.url
    status = type(error).__name__
    if isinstance(error, av.error.HTTPUnauthorizedError):
        return LoginError(f"{url}: the camera refused the login of {address.username or 'nobody'} (401)")
    if isinstance(error, av.error.InvalidDataError):
        what = "not a video file" if address.is_file else "no usable answer (not RTSP, or it stopped while opening)"
        return SourceError(f"{url}: {what}", Reason.UNUSABLE)
    for kind, text, reason in _ANSWERS:
        if isinstance(error, kind):
            return SourceError(f"{url}: {text}", reason)
    text = redact(getattr(error, "strerror", None) or str(error))
    reason = Reason.UNREACHABLE if isinstance(error, OSError) else Reason.UNUSABLE
    return SourceError(f"{url}: {text} ({status})", reason)


_ANSWERS: tuple[tuple[type[Exception], str, Reason], ...] = (
    (av.error.HTTPForbiddenError, "this user may not view the stream (403)", Reason.FORBIDDEN),
    (av.error.HTTPNotFoundError, "the camera has no such channel or path (404)", Reason.NOT_FOUND),
    (
        av.error.HTTPOtherClientError,
        "the camera refused (4xx, such as 453: too many viewers): close other clients of it",
        Reason.BUSY,
    ),
    (av.error.HTTPServerError, "the camera is busy or starting (5xx, such as 503)", Reason.BUSY),
    (
        ConnectionRefusedError,
        "nothing listens there (connection refused): check host and port",
        Reason.UNREACHABLE,
    ),
    (TimeoutError, f"no answer for {READ_TIMEOUT_US // 1_000_000} s", Reason.STALLED),
    (av.error.ExitError, f"no answer for {READ_TIMEOUT_US // 1_000_000} s", Reason.STALLED),
)


def taken_at_us(packet: RawPacket) -> int | None:
    """When a packet was taken by the camera's own clock, microseconds since 1970; None where the camera does not tell.

    FFmpeg's ``prft`` side data, which it makes from RTCP sender reports (RFC 3550, 6.4.1).
    """
    if not packet.has_sidedata("prft"):
        return None
    return int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], sys.byteorder, signed=True)


def _reader(video: VideoStream, audio: AudioStream | None) -> Callable[[RawPacket, int], PacketInfo]:
    """A function that reads a packet's times; made once a run, since it runs for every packet."""
    scales = {video.index: _scale(video.time_base)}
    if audio is not None:
        scales[audio.index] = _scale(audio.time_base)
    video_index = video.index

    def read(packet: RawPacket, arrival_us: int) -> PacketInfo:
        index = packet.stream_index
        numerator, denominator = scales[index]
        pts, dts = packet.pts, packet.dts
        return PacketInfo(
            "video" if index == video_index else "audio",
            None if pts is None else pts * numerator // denominator,
            None if dts is None else dts * numerator // denominator,
            (packet.duration or 0) * numerator // denominator,
            packet.is_keyframe,
            packet.size,
            arrival_us,
        )

    return read


def _scale(time_base: Fraction | None) -> tuple[int, int]:
    """Numerator and denominator that turn ticks into microseconds."""
    exact = (time_base or Fraction(1, 90_000)) * 1_000_000
    return exact.numerator, exact.denominator


def _shifted(info: PacketInfo, by_us: int, arrival_us: int) -> PacketInfo:
    pts_us = None if info.pts_us is None else info.pts_us + by_us
    dts_us = None if info.dts_us is None else info.dts_us + by_us
    return replace(info, pts_us=pts_us, dts_us=dts_us, arrival_us=arrival_us)
