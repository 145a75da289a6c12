"""One run's time: camera timestamps, however broken, to media time that only rises and to UTC instants.

Pure; lives in the recorder process, one per run, one per stream. Media time is what goes into files: microseconds from
the run's first packet. An instant is media time plus an offset that comes from the least delayed packet, since a packet
can be late but never early (moonfire-nvr's ``design/time.md`` makes the same choice), and that is corrected by at most
500 ppm from segment to segment, so that the clocks of camera and recorder may differ.

What cameras and libavformat do, and what happens here (all of it seen with FFmpeg 8.1):

- the first packet after PLAY has no timestamps, with B-frames the first few have no dts: they are held until one has,
  and get the times that lie before it
- packets that were queued while the stream was probed arrive in one burst: packets are held until arrival keeps pace
  with media time, so that a run is placed by a live packet and not by a late one
- dts repeats or steps back a little (camera clock slewed): it is moved just behind its predecessor
- dts jumps by seconds or years (camera clock set, encoder restarted, 32-bit wrap): the run goes on as if it had not,
  by the time that passed at the recorder; the jump is reported so that the next key frame starts a new file
"""

from __future__ import annotations

from dataclasses import replace

from nvr.model import PacketInfo, Placed

HOLD_PACKETS = 300
HOLD_US = 1_000_000
SMALL_STEP_BACK_US = 500_000
LARGE_STEP_US = 3_000_000
LARGE_STEP_FRAMES = 10
TICK_US = 100
"""How far a repeated dts is moved: more than one tick of a 90 kHz clock, much less than a frame."""
FRAME_US = 40_000
"""A frame's duration where the stream does not tell."""
MAX_SLEW_PPM = 500
STEP_US = 2_000_000
"""A wall clock that is off by more than this was set, or the camera paused its own clock: follow at once."""
AUDIO_REACH_US = 3_000_000


class Timeline:
    """Places the packets of one run. ``push`` returns places in the order the packets came, none or many at a time."""

    def __init__(self) -> None:
        self.jumps = 0
        self.repairs = 0
        self._held: list[PacketInfo] | None = []
        self._shift_us = 0
        self._last_us: dict[str, int] = {}
        self._last_arrival_us = 0
        self._frame_us = FRAME_US
        self._offset_us: int | None = None
        self._window_us: int | None = None
        self._slewed_at_us = 0

    def push(self, packet: PacketInfo) -> list[Placed]:
        """Places of this packet and of those held before it; empty while the run's start is not yet understood."""
        if self._held is None:
            return [self._place(packet)]
        self._held.append(packet)
        return self.flush() if self._understood() else []

    def flush(self) -> list[Placed]:
        """Places of what is still held. For the end of a run."""
        if self._held is None:
            return []
        held, self._held = _fill_start(self._held), None
        start = next((packet for packet in held if packet.stream == "video"), None)
        if start is not None:
            self._shift_us = -(start.dts_us or 0)
        places = [self._place(packet) for packet in held]
        self._offset_us = self._window_us
        return places

    def instant_us(self, media_us: int) -> int:
        """Microseconds since 1970 UTC of a media time. Only after ``push`` or ``flush`` returned places."""
        if self._offset_us is None:
            raise ValueError("a run without video packets has no instants")
        return media_us + self._offset_us

    def slew(self, media_us: int) -> int:
        """Correct the offset at a cut, by what the packets since the last cut showed; returns the change in us."""
        if self._window_us is None or self._offset_us is None:
            return 0
        error_us = self._window_us - self._offset_us
        if abs(error_us) <= STEP_US:
            limit_us = (media_us - self._slewed_at_us) * MAX_SLEW_PPM // 1_000_000
            error_us = max(-limit_us, min(limit_us, error_us))
        self._offset_us += error_us
        self._slewed_at_us = media_us
        self._window_us = None
        return error_us

    def forget(self) -> None:
        """Our own clock was set: what packets showed before that says nothing of the next correction."""
        self._window_us = None

    def _understood(self) -> bool:
        """Whether a video dts is known and the last two video packets arrived at the pace of their timestamps."""
        held = self._held or []
        if len(held) >= HOLD_PACKETS or held[-1].arrival_us - held[0].arrival_us >= HOLD_US:
            return any(packet.dts_us is not None for packet in held if packet.stream == "video")
        timed = [packet for packet in held if packet.stream == "video" and packet.dts_us is not None]
        if len(timed) < 2 or held[-1].stream != "video":
            return False
        before, last = timed[-2], timed[-1]
        media_us = (last.dts_us or 0) - (before.dts_us or 0)
        return last.arrival_us - before.arrival_us >= media_us // 2

    def _place(self, packet: PacketInfo) -> Placed:
        return self._place_video(packet) if packet.stream == "video" else self._place_audio(packet)

    def _place_video(self, packet: PacketInfo) -> Placed:
        frame_us = self._frame_us = packet.duration_us or self._frame_us
        last_us = self._last_us.get("video")
        raw_us = packet.dts_us
        jumped = False
        if last_us is None:
            dts_us = 0
        elif raw_us is None:
            dts_us = last_us + frame_us
        else:
            dts_us = raw_us + self._shift_us
            step_us = dts_us - last_us
            if self._is_jump(step_us, packet.arrival_us - self._last_arrival_us, frame_us):
                pause_us = max(frame_us, packet.arrival_us - self._last_arrival_us)
                dts_us = last_us + pause_us
                self._shift_us = dts_us - raw_us
                self.jumps += 1
                jumped = True
            elif step_us <= 0:
                dts_us = last_us + TICK_US
                self.repairs += 1
        pts_us = dts_us if packet.pts_us is None else max(dts_us, packet.pts_us + self._shift_us)
        if pts_us - dts_us > LARGE_STEP_US:  # with B-frames a jump reaches pts some packets before dts
            pts_us = dts_us + frame_us
        self._last_us["video"] = dts_us
        self._last_arrival_us = packet.arrival_us
        self._see(packet.arrival_us - dts_us)
        return Placed(pts_us, dts_us, frame_us, jumped=jumped)

    def _place_audio(self, packet: PacketInfo) -> Placed:
        last_us = self._last_us.get("audio", -1)
        video_us = self._last_us.get("video", 0)
        raw_us = packet.dts_us if packet.dts_us is not None else packet.pts_us
        dts_us = last_us + packet.duration_us if raw_us is None else raw_us + self._shift_us
        if dts_us < 0 or abs(dts_us - video_us) > AUDIO_REACH_US:
            return Placed(dts_us, dts_us, packet.duration_us, dropped=True)
        if dts_us <= last_us:
            dts_us = last_us + TICK_US
            self.repairs += 1
        self._last_us["audio"] = dts_us
        return Placed(dts_us, dts_us, packet.duration_us)

    @staticmethod
    def _is_jump(step_us: int, passed_us: int, frame_us: int) -> bool:
        """Whether dts moved in a way that the time passed here does not explain."""
        if -SMALL_STEP_BACK_US < step_us <= max(LARGE_STEP_US, LARGE_STEP_FRAMES * frame_us):
            return False
        return abs(step_us - passed_us) > SMALL_STEP_BACK_US

    def _see(self, offset_us: int) -> None:
        """Take in one packet's (arrival - media): the smallest is the least delayed."""
        if self._window_us is None or offset_us < self._window_us:
            self._window_us = offset_us


def _fill_start(held: list[PacketInfo]) -> list[PacketInfo]:
    """Give dts (and pts) to the packets at a run's start that have none, from the first video packet that has.

    With ``m`` packets before it, the k-th before gets dts = first - k frames; a missing pts is dts + (m - 1) frames,
    which is where a decoder with that much reordering shows it.
    """
    video = [index for index, packet in enumerate(held) if packet.stream == "video"]
    known = next((n for n, index in enumerate(video) if held[index].dts_us is not None), None)
    if known is None:
        return held
    first = held[video[known]]
    frame_us = first.duration_us or FRAME_US
    filled = list(held)
    for n in range(known):
        packet = held[video[n]]
        dts_us = (first.dts_us or 0) - (known - n) * frame_us
        pts_us = packet.pts_us if packet.pts_us is not None else dts_us + (known - 1) * frame_us
        filled[video[n]] = replace(packet, pts_us=pts_us, dts_us=dts_us)
    return filled
