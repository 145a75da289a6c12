"""A stand-in for a Hikvision camera: real RTSP by GStreamer, for tests, benchmarks and trying things out.

Run by the system's own ``/usr/bin/python3``, which has the ``gi`` bindings (``scripts/apt-camera.txt``). It
serves what ``scripts/footage`` prepared, unchanged, as channels 1 to N: ``/Streaming/Channels/101`` is main and ``102``
sub of channel 1, 201 and 202 are channel 2's, and so on; other paths are 404. Login is digest (MD5). Loopback only.

Live, as a camera is: at any instant a channel shows one frame, whoever looks and through whichever stream. The number
burnt into the picture follows from the machine's monotonic clock:

    frame = (monotonic_ns - epoch_ns) // 40_000_000 + (channel - 1) * 111, modulo the frames of the loop

The first frame follows the last while timestamps go on rising, so a loop of 78 s can be recorded for hours. Each client
has a pipeline of its own that begins with the next key frame: DESCRIBE takes up to one GOP (2 s). With ``--shared`` the
clients of a stream share one, and those that come later join in the middle of a GOP.

When ready it prints one JSON line: ``{"port": 40123, "epoch_ns": 81237123, "frames": 1950, "fps": 25}``.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import gi

gi.require_versions({"Gst": "1.0", "GstApp": "1.0", "GstRtsp": "1.0", "GstRtspServer": "1.0"})
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401  # GstApp: methods of appsrc

FPS = 25
FRAME_NS = 1_000_000_000 // FPS
CHANNEL_SHIFT = 111
"""Frames by which a channel is ahead of the one before: eight cameras do not send their key frames at once."""
MAX_QUEUED_BYTES = 8_000_000
"""A client that is so far behind (16 s of 4 Mb/s) gets the end of its stream."""
PULL_TIMEOUT_NS = 10 * Gst.SECOND
PR_SET_PDEATHSIG = 1
DEFAULT_FOOTAGE = Path(__file__).parents[2] / ".cache" / "footage"


@dataclass(frozen=True)
class Track:
    """One loop of one track: a packet for each frame, in memory once for all clients."""

    caps: Gst.Caps
    packets: list[Gst.Buffer]

    def is_key(self, frame: int) -> bool:
        return not self.packets[frame % len(self.packets)].has_flags(Gst.BufferFlags.DELTA_UNIT)

    def packet(self, frame: int, running_ns: int) -> Gst.Buffer:
        """The packet of a frame, its memory shared with the loop's, stamped with the pipeline's running time."""
        loop = self.packets[frame % len(self.packets)]
        # Not .copy(): in the Python bindings that is one more reference to the same buffer.
        packet = loop.copy_region(Gst.BufferCopyFlags.FLAGS | Gst.BufferCopyFlags.MEMORY, 0, loop.get_size())
        packet.pts = packet.dts = running_ns
        packet.duration = FRAME_NS
        return packet


def load_footage(path: Path, audio: bool) -> dict[str, Track]:
    """Read the tracks of a Matroska file. Raises SystemExit where the file is not what ``scripts/footage`` makes."""
    unbounded = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! appsink sync=false"
    launch = f'filesrc location="{path}" ! matroskademux name=d d.video_0 ! {unbounded} name=video'
    pipeline = Gst.parse_launch(launch + (f" d.audio_0 ! {unbounded} name=audio" if audio else ""))
    pipeline.set_state(Gst.State.PLAYING)
    tracks = {}
    for name in ("video", "audio") if audio else ("video",):
        sink, caps, packets = pipeline.get_by_name(name), None, []
        while (sample := sink.try_pull_sample(PULL_TIMEOUT_NS)) is not None:
            caps = sample.get_caps()
            packet = sample.get_buffer()
            # The first is marked so; in a loop it would make the payloader begin anew.
            packet.unset_flags(Gst.BufferFlags.DISCONT)
            packets.append(packet)
        tracks[name] = Track(caps, packets)
    pipeline.set_state(Gst.State.NULL)
    if not tracks["video"].packets or len({len(track.packets) for track in tracks.values()}) != 1:
        raise SystemExit(f"{path} cannot be served: make it again with scripts/footage")
    return tracks


class Player:
    """Feeds one pipeline from the tracks of one stream, beginning with the first key frame after it runs."""

    def __init__(self, media: GstRtspServer.RTSPMedia, tracks: dict[str, Track], shift: int) -> None:
        element = media.get_element()
        self._sources = [(element.get_by_name_recurse_up(name), track) for name, track in tracks.items()]
        for source, track in self._sources:
            source.set_caps(track.caps)
        self._shift = shift
        self._next: int | None = None
        self._ended = False
        media.connect("unprepared", self._on_unprepared)

    def _on_unprepared(self, _media: GstRtspServer.RTSPMedia) -> None:
        self._ended = True

    def play_until(self, frame: int, epoch_ns: int) -> bool:
        """Send all frames up to this one that were not sent yet; False when this pipeline takes no more."""
        clock_source, video = self._sources[0]
        if self._ended:
            return False
        if self._next is None:
            if clock_source.current_state != Gst.State.PLAYING or not video.is_key(frame + self._shift):
                return True
            self._next = frame
        if clock_source.get_current_level_bytes() > MAX_QUEUED_BYTES:
            for source, _ in self._sources:
                source.end_of_stream()
            return False
        for number in range(self._next, frame + 1):
            running_ns = max(0, epoch_ns + number * FRAME_NS - clock_source.get_base_time())
            for source, track in self._sources:
                if source.push_buffer(track.packet(number + self._shift, running_ns)) != Gst.FlowReturn.OK:
                    return False
        self._next = frame + 1
        return True


class Camera:
    """All channels: the clock that says which frame is now, and the players that send it. Lives in the main loop."""

    def __init__(self, streams: dict[str, dict[str, Track]]) -> None:
        self.streams = streams
        self.epoch_ns = time.monotonic_ns()
        self._players: list[Player] = []

    def play(self, media: GstRtspServer.RTSPMedia, stream: str, channel: int) -> None:
        """Begin to feed a new pipeline. Called in the thread of its client."""
        player = Player(media, self.streams[stream], (channel - 1) * CHANNEL_SHIFT)
        GLib.idle_add(self._players.append, player)

    def tick(self) -> bool:
        """Send the frame of this instant to everybody, and come back when the next is due."""
        frame = (time.monotonic_ns() - self.epoch_ns) // FRAME_NS
        self._players[:] = [player for player in self._players if player.play_until(frame, self.epoch_ns)]
        due_ns = self.epoch_ns + (frame + 1) * FRAME_NS - time.monotonic_ns()
        GLib.timeout_add(max(0, -(-due_ns // 1_000_000)), self.tick)
        return GLib.SOURCE_REMOVE


def make_factory(
    camera: Camera, options: argparse.Namespace, stream: str, channel: int
) -> GstRtspServer.RTSPMediaFactory:
    """What builds the pipelines of one stream."""
    source = "appsrc is-live=true format=time max-bytes=0"
    launch = f"{source} name=video ! rtp{options.codec}pay name=pay0 pt=96 config-interval=-1"
    if options.audio:
        launch += f" {source} name=audio ! rtppcmupay name=pay1 pt=0"
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(f"( {launch} )")
    factory.set_shared(options.shared)
    factory.connect("media-configure", lambda _, media: camera.play(media, stream, channel))
    permissions = GstRtspServer.RTSPPermissions.new()
    for what in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("viewer", what, True)
    factory.set_permissions(permissions)
    return factory


def make_auth(username: str, password: str) -> GstRtspServer.RTSPAuth:
    """Digest login for one user, who may see every channel."""
    auth = GstRtspServer.RTSPAuth.new()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.set_realm("IP Camera")
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(username, password, token)
    return auth


def log_requests(client: GstRtspServer.RTSPClient, log: TextIO) -> None:
    """Write a JSON line for each request: method, URI, whether it carried a login, and the status of the answer."""
    request: dict[str, object] = {}

    def on_request(_client: GstRtspServer.RTSPClient, context: GstRtspServer.RTSPContext) -> GstRtsp.RTSPStatusCode:
        _, method, uri, _ = context.request.parse_request()
        found, _ = context.request.get_header(GstRtsp.RTSPHeaderField.AUTHORIZATION, 0)
        request.update(
            method=GstRtsp.rtsp_method_as_text(method), uri=uri, authorization=found == GstRtsp.RTSPResult.OK
        )
        return GstRtsp.RTSPStatusCode.OK

    def on_answer(_client: GstRtspServer.RTSPClient, _: object, message: GstRtsp.RTSPMessage) -> None:
        if message.get_type() == GstRtsp.RTSPMsgType.RESPONSE and request:
            log.write(json.dumps(request | {"status": int(message.parse_response()[1])}) + "\n")
            log.flush()
            request.clear()

    for method in ("options", "describe", "setup", "play", "pause", "teardown", "get-parameter", "set-parameter"):
        client.connect(f"pre-{method}-request", on_request)
    # The bindings take the context in this signal for another type, warn of it, and pass None in its place.
    warnings.filterwarnings("ignore", message="g_value_get_object")
    client.connect("send-message", on_answer)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A stand-in camera: serves prepared footage over RTSP on 127.0.0.1.")
    parser.add_argument("--footage", type=Path, default=Path(os.environ.get("NVR_FOOTAGE") or DEFAULT_FOOTAGE))
    parser.add_argument("--codec", choices=["h264", "h265"], default="h264")
    parser.add_argument("--no-audio", dest="audio", action="store_false", help="announce and send no audio")
    parser.add_argument("--channels", type=int, default=1, help="how many cameras to stand for")
    parser.add_argument("--shared", action="store_true", help="one pipeline for all clients of a stream")
    parser.add_argument("--port", type=int, default=8554, help="0 takes a free one")
    parser.add_argument("--username", default=os.environ.get("CAMERA_USERNAME", "viewer"))
    parser.add_argument("--password", default=os.environ.get("CAMERA_PASSWORD", "camera"))
    parser.add_argument("--log", type=Path, help="file that gets a JSON line per request")
    parser.add_argument("--seconds", type=int, help="end after so long")
    return parser.parse_args()


def serve(camera: Camera, options: argparse.Namespace) -> GstRtspServer.RTSPServer:
    """The RTSP server with a mount point for each stream of each channel, attached to the main loop."""
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    server.set_auth(make_auth(options.username, options.password))
    # A client waits in DESCRIBE for its key frame; with a thread each they do not wait for one another.
    server.get_thread_pool().set_max_threads(-1)
    for channel in range(1, options.channels + 1):
        for number, stream in enumerate(camera.streams, 1):
            path = f"/Streaming/Channels/{channel}0{number}"
            server.get_mount_points().add_factory(path, make_factory(camera, options, stream, channel))
    if options.log:
        log = options.log.open("a")
        server.connect("client-connected", lambda _, client: log_requests(client, log))
    if not server.attach(None):
        raise SystemExit(f"port {options.port} cannot be had: is another camera running?")
    return server


def main() -> None:
    """Serve until SIGTERM, Ctrl-C, the end of the process that started this one, or ``--seconds``."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    options = parse_options()
    Gst.init(None)
    files = {stream: options.footage / f"{stream}-{options.codec}.mkv" for stream in ("main", "sub")}
    for file in files.values():
        if not file.is_file():
            raise SystemExit(f"{file} is missing: run scripts/footage {options.codec}")
    camera = Camera({stream: load_footage(file, options.audio) for stream, file in files.items()})
    server = serve(camera, options)
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    if options.seconds:
        GLib.timeout_add_seconds(options.seconds, loop.quit)
    camera.tick()
    frames = len(camera.streams["main"]["video"].packets)
    ready = {"port": server.get_bound_port(), "epoch_ns": camera.epoch_ns, "frames": frames, "fps": FPS}
    print(json.dumps(ready), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
