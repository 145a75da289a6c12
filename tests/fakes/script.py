"""What a scripted camera does in one session, and how it announces it."""

from __future__ import annotations

import base64
import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tests.fakes.clip import FPS, VIDEO_RATE, AccessUnit, Clip, Sound
from tests.fakes.fault import Damage
from tests.fakes.rtp import AAC, Track

ENDLESS = 1_000_000_000
"""For ``Script.loops``."""


@dataclass(frozen=True)
class Script:
    """What the camera does in one connection. Places are indices of pictures as they are sent, over all loops."""

    video: Clip | None = None
    """None: the camera announces no video."""
    audio: Sound | None = None
    silent_audio: bool = False
    """Announce the audio, send none."""
    metadata: bool = False
    """Announce ONVIF metadata, as Hikvision does, and send none."""
    loops: int = 1
    skip: int = 0
    """Begin so many pictures after the clip's first key frame, as a camera does that was running before."""
    fps: int = FPS
    """Pictures a second of the camera's time; a divisor of 90 000."""
    sprop: bool = True
    """Give the parameter sets in the SDP."""
    tags: bool = False
    """Give each picture its number (see ``tag``)."""
    padding: int = 0
    """Bytes of filler data (H.264, 7.4.2.7) behind each picture: what makes a small picture as heavy as a large one."""
    speed: float | None = None
    """Of real time; None sends as quickly as the client reads."""
    start: int = 0
    """RTP timestamp of the first picture; 2**32 - 90_000 wraps after a second."""
    jumps: Mapping[int, int] = field(default_factory=dict)
    """Ticks of 90 kHz by which timestamps move, up or down, from a picture on."""
    equal: AbstractSet[int] = frozenset()
    """Pictures that carry the timestamp of the one before."""
    marker: bool = True
    """Mark the last packet of each picture."""
    lost_numbers: Mapping[int, int] = field(default_factory=dict)
    """How many RTP sequence numbers are left out before a picture, though nothing is missing."""
    changes: Mapping[int, Clip] = field(default_factory=dict)
    """Clips of the same codec that go on from a picture on; what the SDP says stays as it was."""
    damage: Damage | None = None
    reports: bool = False
    """Send RTCP sender reports, one a second."""
    clock_steps: Mapping[int, int] = field(default_factory=dict)
    """Seconds by which the camera's clock, seen in the reports, is set from a picture on."""
    stalls: Mapping[int, float] = field(default_factory=dict)
    """Seconds for which nothing at all is sent before a picture; then all comes that is due."""
    stall_after: int | None = None
    """Fall silent after so many pictures, the connection open; no request is answered any more."""
    half_open_after: int | None = None
    """As ``stall_after``, and nothing is read either: a peer that is gone without a word."""
    drop_after: int | None = None
    """Close the connection after so many pictures. Without any of these it is closed after the last one."""
    session_timeout: int | None = None
    """Seconds without OPTIONS or GET_PARAMETER after which the session ends; None announces 60 and never does."""
    refusals: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Statuses with which the first requests of a method are answered, over all sessions: ``{"SETUP": (453, 453)}``."""
    describe_status: int = 200
    refuse_login: bool = False
    """401 whatever the login."""

    def timeline(self) -> Iterator[tuple[float, int, AccessUnit | bytes]]:
        """All there is to send, in order: due second, index, and a picture or an audio packet."""
        return heapq.merge(self._pictures(), self._sounds(), key=lambda entry: entry[0])

    def timestamp(self, index: int, number: int) -> int:
        """RTP timestamp, not wrapped, of the picture at ``index`` with the display number ``number``."""
        jumped = sum(ticks for place, ticks in self.jumps.items() if place <= index)
        return self.start + (number - (index in self.equal)) * VIDEO_RATE // self.fps + jumped

    def _pictures(self) -> Iterator[tuple[float, int, AccessUnit | bytes]]:
        if self.video is None:
            return
        clip, begin = self.video, -self.skip
        for index in range(len(clip.units) * self.loops - self.skip):
            if index in self.changes:
                clip, begin = self.changes[index], index
            loop, place = divmod(index - begin, len(clip.units))
            unit = clip.units[place]
            yield index / self.fps, index, AccessUnit(begin + loop * len(clip.units) + unit.number, unit.key, unit.nals)

    def _sounds(self) -> Iterator[tuple[float, int, AccessUnit | bytes]]:
        if self.audio is None or self.silent_audio:
            return
        step = self.audio.samples / self.audio.rate
        once = len(self.audio.packets)
        count = math.ceil(len(self.video.units) * self.loops / self.fps / step) if self.video else once * self.loops
        for index in range(count):
            yield index * step, index, self.audio.packets[index % once]


def describe(script: Script) -> tuple[list[Track], str]:
    """The tracks that a script announces, and the SDP that does so (RFC 4566)."""
    tracks: list[Track] = []
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=Media Presentation", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
    if script.video is not None:
        tracks.append(Track("video", 96, VIDEO_RATE))
        lines += ["m=video 0 RTP/AVP 96", *_video(script.video, script.sprop)]
        lines.append(f"a=control:trackID={len(tracks) - 1}")
    if script.audio is not None:
        kind, name = (AAC, "MPEG4-GENERIC") if script.audio.codec == "aac" else (0, "PCMU")
        tracks.append(Track("audio", kind, script.audio.rate))
        lines += [f"m=audio 0 RTP/AVP {kind}", f"a=rtpmap:{kind} {name}/{script.audio.rate}"]
        if kind == AAC:
            sizes = "mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"
            lines.append(f"a=fmtp:{AAC} streamtype=5;profile-level-id=1;{sizes};config={script.audio.config.hex()}")
        lines.append(f"a=control:trackID={len(tracks) - 1}")
    if script.metadata:
        tracks.append(Track("application", 107, VIDEO_RATE))
        lines += ["m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000"]
        lines.append(f"a=control:trackID={len(tracks) - 1}")
    return tracks, "\r\n".join([*lines, ""])


def _video(clip: Clip, sprop: bool) -> list[str]:
    """The lines that name the codec (RFC 6184, 8.2; RFC 7798, 7.1)."""
    vps, sps, pps = (base64.b64encode(nal).decode() for nal in (clip.vps, clip.sps, clip.pps))
    if clip.codec == "h265":
        sets = [f"a=fmtp:96 sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}"] if sprop else []
        return ["a=rtpmap:96 H265/90000", *sets]
    sets = [f";profile-level-id={clip.sps[1:4].hex()};sprop-parameter-sets={sps},{pps}"] if sprop else [""]
    return ["a=rtpmap:96 H264/90000", f"a=fmtp:96 packetization-mode=1{sets[0]}"]
