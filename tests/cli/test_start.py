"""``nvr start`` as a whole: real processes, a real camera, and what kills them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import av
import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.cli import start
from nvr.clock import SystemClock
from nvr.config import load
from nvr.config.edit import save_places
from nvr.nursery import Nursery
from tests.cli.conftest import Configure
from tests.fakes.camera import Camera
from tests.fakes.clip import Clip, speak, write
from tests.fakes.isapi import PASSWORD, SILENT, USER, FakeDevice, alert, part, region
from tests.fakes.rtsp import Script, ScriptedCamera
from tests.fakes.station import WAIT_S, Station, listed, nvr, wait_for

pytestmark = pytest.mark.timeout(600)


def wait_until_written(station: Station) -> None:
    """Until the open segment holds a fragment: more than the header it begins with."""

    def holds_video(part: Path) -> bool:
        with suppress(FileNotFoundError):  # closed just now
            return part.stat().st_size > 4096
        return False

    wait_for(lambda: any(map(holds_video, station.files("*.part"))), "video in an open segment")


def test_ctrl_c_closes_every_file_and_every_file_has_its_row(looped: Path) -> None:
    with Station(looped) as station:
        wait_for(lambda: station.files("*.mp4"), "a closed segment")
        assert station.stop() == 0
        assert station.files("*.part") == []
        rows = listed("segments", looped)
        assert [row["path"] for row in rows] == [str(path) for path in station.files("*.mp4")]
        assert "Traceback" not in station.log()
    assert rows[0]["end"] == rows[1]["start"]
    for row in rows:
        with av.open(row["path"]) as container:
            assert sum(1 for _ in container.decode(video=0)) == pytest.approx(row["duration"] * 25, abs=1)


def test_a_second_start_on_the_same_storage_is_refused(looped: Path) -> None:
    with Station(looped) as station:
        station.wait_until_logged("recording h264")
        second = nvr("start", "--config", str(looped))
        assert second.returncode == 1
        assert "another nvr start is recording" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 1
        assert station.stop() == 0


def test_a_killed_recorder_is_started_again_and_its_file_salvaged(looped: Path) -> None:
    with Station(looped) as station:
        first = station.pid_of("recorder.hik1")
        wait_until_written(station)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: station.pid_of("recorder.hik1") != first, "a new recorder")
        station.wait_until_logged("ended (signal SIGKILL)")
        wait_for(lambda: station.status()["cameras"][0]["restarts"] == 1, "the restart to be counted")
        wait_for(lambda: len(station.files("*.mp4")) > 1, "closed segments")
        assert station.stop() == 0
        assert [row["path"] for row in listed("segments", looped)] == [str(path) for path in station.files("*.mp4")]


def test_a_killed_supervisor_takes_its_workers_with_it_and_loses_no_file(looped: Path) -> None:
    with Station(looped) as station:
        recorder = station.pid_of("recorder.hik1")
        wait_for(lambda: station.files("*.mp4"), "a closed segment")
        station.process.kill()
        station.process.wait(WAIT_S)
        wait_for(lambda: not Path(f"/proc/{recorder}").exists(), "the recorder's end")
        assert station.files("*.part") == []
        before = station.files("*.mp4")
    with Station(looped) as station:
        wanted = {str(path) for path in before}
        wait_for(lambda: wanted <= {row["path"] for row in listed("segments", looped)}, "rows of all files")
        assert station.stop() == 0


def test_a_killed_nursery_costs_a_restart(looped: Path) -> None:
    with Station(looped) as station:
        first = station.pid_of("recorder.hik1")
        nursery = int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(nursery, signal.SIGKILL)
        wait_for(lambda: station.pid_of("recorder.hik1") != first, "a new recorder")
        wait_until_written(station)
        assert station.stop() == 0
        assert station.files("*.part") == []


def test_a_stalled_camera_does_not_keep_it_from_ending(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=4, speed=4, stall_after=120)) as camera:
        config = configure(f"{{url: '{camera.url}', detect: off, audio: off}}")
        with Station(config) as station:
            station.wait_until_logged("recording h264")
            wait_for(lambda: len(camera.sent) == 120, "the stall")
            assert station.stop() == 0
            assert station.files("*.part") == []
            assert sum(1 for _ in listed("segments", config)) >= 1


def test_a_wrong_password_is_one_login_and_is_shown(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        login = "username: viewer, password: hunter2"
        config = configure(f"{{url: '{camera.url}', {login}, detect: off}}")
        with Station(config) as station:
            station.wait_until_logged("refused the login of viewer")
            wait_for(lambda: station.status()["cameras"][0]["state"] == "failed", "its state")
            assert "401" in station.status()["cameras"][0]["last_error"]
            assert station.stop() == 0
            assert "hunter2" not in station.log()
        assert sum(request.is_refused_login for request in camera.requests) == 1


def test_a_real_camera_gives_person_events_with_pictures(tmp_path: Path, camera: Camera) -> None:
    path = tmp_path / "nvr.yaml"
    path.write_text(
        "storage: storage\nrecording: {segment: 5s}\ncameras:\n"
        f"  hik1: {{host: {camera.host}, port: {camera.port}, username: {camera.username}, "
        f"password: '{camera.password}', detect: {{labels: [person]}}}}\n"
    )
    with Station(path) as station:
        station.wait_until_logged("recording h264")
        wait_for(lambda: len(listed("events", path)) >= 3, "three persons")
        wait_for(lambda: (age := station.status()["cameras"][0]["frame_age"]) is not None and age < 2, "a new picture")
        assert station.stop() == 0
        assert camera.password not in station.log()
    for row in listed("events", path):
        assert (row["camera"], row["kind"], row["label"]) == ("hik1", "object", "person")
        assert row["end"] is not None
        assert Path(row["snapshot"]).read_bytes()[:2] == b"\xff\xd8"
    with av.open(listed("segments", path)[0]["path"]) as container:
        assert container.streams.video[0].codec_context.width == 1920
        assert container.streams.audio[0].codec_context.name == "aac"


def test_a_model_that_is_none_is_said_and_recording_goes_on(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    video = write(tmp_path / "clip.mp4", frames=100)
    config = configure(f"{{url: {video}, loop: true, detect: {{model: model.onnx}}}}")
    with Station(config) as station:
        station.wait_until_logged("not an ONNX model")
        wait_for(lambda: station.files("*.mp4"), "a closed segment")
        wait_for(
            lambda: any("ONNX" in (process["last_error"] or "") for process in station.status()["processes"]), "why"
        )
        assert station.stop() == 0


@pytest.mark.parametrize(
    ("camera", "storage", "message"),
    [
        ("{url: clip.mp4, detect: off}", "clip.mp4/below", "cannot write to the storage folder"),
        ("{url: clip.mp4, detect: off}", "foreign", "is the right disk mounted"),
    ],
)
def test_a_storage_folder_that_cannot_be_used_is_refused(
    tmp_path: Path, configure: Configure, camera: str, storage: str, message: str
) -> None:
    write(tmp_path / "clip.mp4", frames=25)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/photo.jpg").touch()
    done = nvr("start", "--config", str(configure(camera, storage)))
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_small_disk_is_warned_of_and_recorded_to(tmp_path: Path, configure: Configure) -> None:
    """Room is made by deleting what is old, so that nothing is refused for a want of it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=4m tmpfs {disk}") != 0:
        pytest.skip("only root may mount a small disk")
    try:
        write(tmp_path / "clip.mp4", frames=25)
        with Station(configure("{url: clip.mp4, detect: off, loop: true}", str(disk))) as station:
            station.wait_until_logged("recording h264")
            assert "MB free" in station.log()
            assert station.stop() == 0
    finally:
        os.system(f"umount {disk}")


def test_an_unknown_camera_is_bad_usage(looped: Path) -> None:
    done = nvr("start", "--camera", "nobody", "--config", str(looped))
    assert done.returncode == 2
    assert "no camera named nobody" in done.stderr
    assert "hik1" in done.stderr


def test_a_killed_analyzer_is_started_again_and_its_events_go_on(tmp_path: Path, configure: Configure) -> None:
    video = write(tmp_path / "clip.mp4", frames=100)
    config = configure(f"{{url: {video}, loop: true, detect: motion}}")
    with Station(config) as station:
        station.wait_until_logged("motion (event 1)")
        first = station.pid_of("analyzer")
        recorder = station.pid_of("recorder.hik1")

        def stopped_in_an_event() -> bool:
            """An event ends where a slow machine saw nothing for seconds; the next begins when it looks again."""
            os.kill(first, signal.SIGSTOP)
            if listed("events", config)[0]["end"] is None:
                return True
            os.kill(first, signal.SIGCONT)
            return False

        wait_for(stopped_in_an_event, "an open event")
        left = listed("events", config)[0]["id"]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: station.pid_of("analyzer") != first, "a new analyzer")
        newest = listed("events", config)[0]
        assert (newest["id"], newest["end"]) == (left, None)
        assert station.pid_of("recorder.hik1") == recorder
        assert station.stop() == 0
    assert all(event["end"] is not None for event in listed("events", config))


def test_channels_of_one_device_try_a_wrong_password_once(tmp_path: Path, h264: Clip) -> None:
    with ScriptedCamera(Script(h264), username="viewer", password="right") as camera:
        path = tmp_path / "nvr.yaml"
        login = f"host: 127.0.0.1, port: {camera.port}, username: viewer, password: hunter2, detect: off"
        lines = [f"  channel{n}: {{{login}, channel: {n}}}" for n in (1, 2, 3)]
        path.write_text("\n".join(["storage: storage", "cameras:", *lines, ""]))
        with Station(path) as station:
            station.wait_until_logged("refused the login of viewer")
            wait_for(lambda: station.status()["cameras"][0]["state"] == "failed", "the first channel's state")
            wait_for(lambda: {row["state"] for row in station.status()["cameras"]} == {"failed"}, "the others' states")
            assert station.stop() == 0
        assert sum(request.is_refused_login for request in camera.requests) == 1


def test_ctrl_c_in_a_terminal_reaches_every_process_and_closes_every_file(looped: Path) -> None:
    with Station(looped) as station:
        wait_until_written(station)
        os.killpg(station.process.pid, signal.SIGINT)
        assert station.process.wait(WAIT_S) == 0
        assert station.files("*.part") == []
        assert [row["path"] for row in listed("segments", looped)] == [str(path) for path in station.files("*.mp4")]
        assert "Traceback" not in station.log()


def test_sigterm_ends_it_as_ctrl_c_does(looped: Path) -> None:
    with Station(looped) as station:
        wait_until_written(station)
        assert station.stop(signal.SIGTERM) == 0
        assert station.files("*.part") == []
        rows = listed("segments", looped)
        assert len(rows) >= 1
        assert [row["path"] for row in rows] == [str(path) for path in station.files("*.mp4")]


def test_a_kill_of_everything_at_once_loses_a_second_at_most(looped: Path) -> None:
    looped.write_text(looped.read_text().replace("segment: 5s", "segment: 20s"))
    with Station(looped) as station:
        wait_for(lambda: station.files("*.part"), "an open segment")
        begun = time.monotonic()
        time.sleep(6)  # the kill is to come in the middle of a segment
        os.killpg(station.process.pid, signal.SIGKILL)
        lasted = time.monotonic() - begun
        station.process.wait(WAIT_S)
        (part,) = station.files("*.part")
    with Station(looped) as station:
        left = str(part.with_suffix(""))
        wait_for(lambda: left in {row["path"] for row in listed("segments", looped)}, "what was left is salvaged")
        wait_until_written(station)
        assert station.stop() == 0
        assert station.files("*.part") == []
        rows = {Path(row["path"]): row for row in listed("segments", looped)}
        assert sorted(rows) == station.files("*.mp4")
    salvaged = rows[part.with_suffix("")]
    assert salvaged["state"] == "salvaged"
    assert salvaged["duration"] > lasted - 3  # a second, and what a slow machine is late by
    assert "Traceback" not in station.log()


def test_only_the_named_cameras_are_recorded(tmp_path: Path) -> None:
    video = write(tmp_path / "clip.mp4", frames=100)
    path = tmp_path / "nvr.yaml"
    lines = [f"  {name}: {{url: {video}, loop: true, detect: off}}" for name in ("hik1", "hik2", "hik3")]
    path.write_text("\n".join(["storage: storage", "cameras:", *lines, ""]))
    with Station(path, "--camera", "hik3", "--camera", "hik1") as station:
        station.wait_until_logged("hik1: recording h264")
        station.wait_until_logged("hik3: recording h264")
        assert "recording hik1, hik3 into" in station.log()
        assert station.stop() == 0
    assert sorted(folder.name for folder in (tmp_path / "storage/segments").iterdir()) == ["hik1", "hik3"]


@pytest.mark.parametrize(
    ("script", "state", "message"),
    [
        (Script(describe_status=404), "failed", "no such channel or path (404)"),
        (Script(audio=speak("pcm_mulaw", 1)), "waiting", "without video"),
    ],
)
def test_a_camera_that_cannot_be_recorded_is_told_and_tried_again(
    configure: Configure, script: Script, state: str, message: str
) -> None:
    with ScriptedCamera(script) as camera, Station(configure(f"{{url: '{camera.url}', detect: off}}")) as station:
        station.wait_until_logged("next try in")
        wait_for(lambda: message in (station.status()["cameras"][0]["last_error"] or ""), message)
        assert station.status()["cameras"][0]["state"] in (state, "connecting")
        assert station.stop() == 0
        assert station.files("*") == []
        assert "Traceback" not in station.log()


def test_a_camera_that_is_off_is_told_and_recorded_when_it_is_back(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, speed=1, loops=100)) as camera:
        camera.vanish()
        with Station(configure(f"{{url: '{camera.url}', detect: off}}")) as station:
            wait_for(lambda: "nothing listens" in (station.status()["cameras"][0]["last_error"] or ""), "the reason")
            assert station.status()["cameras"][0]["state"] in ("waiting", "connecting")
            camera.come_back()
            station.wait_until_logged("recording h264")
            assert station.stop() == 0


def test_a_file_that_is_no_video_is_told(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "clip.mp4").write_text("not a video" * 1000)
    with Station(configure("{url: clip.mp4, detect: off}")) as station:
        station.wait_until_logged("not a video file")
        assert station.stop() == 0
        assert "Traceback" not in station.log()


def test_a_file_that_ends_is_recorded_whole(tmp_path: Path, configure: Configure) -> None:
    write(tmp_path / "clip.mp4", frames=50)
    config = configure("{url: clip.mp4, detect: off}")
    with Station(config) as station:
        station.wait_until_logged("played to its end")
        wait_for(lambda: station.status()["cameras"][0]["state"] == "finished", "its state")
        wait_for(lambda: listed("segments", config), "its row")
        (row,) = listed("segments", config)
        assert station.stop() == 0
    assert row["duration"] == pytest.approx(2, abs=0.05)


def test_a_password_is_nowhere_but_in_the_configuration(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=50, speed=1), username="viewer", password="hunter2") as camera:
        config = configure(f"{{url: '{camera.url}', username: viewer, password: hunter2, detect: off}}")
        with Station(config, "--log-level", "debug") as station:
            station.wait_until_logged("recording h264")
            wait_for(lambda: station.files("*.mp4"), "a closed segment")
            shown = nvr("status", "--json", "--config", str(config)).stdout
            words = []
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):  # it has ended
                    words.append(line.read_bytes())
            run = layout.run_folder(layout.volume_id(station.storage))
            beats = [file.read_bytes() for file in run.glob("*.pulse")]
            assert station.stop() == 0
        files = [file.read_bytes() for file in station.storage.rglob("*") if file.is_file()]
        for where in [shown.encode(), station.log().encode(), *words, *beats, *files]:
            assert b"hunter2" not in where
    assert beats
    assert len(files) > 2


def test_a_damaged_catalogue_is_kept_aside_and_recording_goes_first(looped: Path) -> None:
    with Station(looped) as station:
        wait_for(lambda: station.files("*.mp4"), "a closed segment")
        assert station.stop() == 0
    before = {row["path"] for row in listed("segments", looped)}
    database = looped.parent / "storage" / "nvr.db"
    database.write_bytes(b"\xff" * 50_000)
    with Station(looped) as station:
        station.wait_until_logged("recording h264")
        assert "a new one begins" in station.log()
        wait_for(lambda: before <= {row["path"] for row in listed("segments", looped)}, "the rows of old files")
        assert station.stop() == 0
    (kept,) = database.parent.glob("nvr.db.damaged-*")
    assert kept.read_bytes() == b"\xff" * 50_000


def test_a_restart_is_no_reason_to_try_a_refused_password_again(configure: Configure, h264: Clip) -> None:
    with ScriptedCamera(Script(h264, loops=50, speed=1), username="viewer", password="right") as camera:
        login = "username: viewer, password: hunter2"
        config = configure(f"{{url: '{camera.url}', {login}, detect: off}}")
        for _ in range(2):
            with Station(config) as station:
                wait_for(lambda: station.status()["cameras"][0]["state"] == "failed", "the refusal")
                assert station.stop() == 0
        assert sum(request.is_refused_login for request in camera.requests) == 1
        config = configure(f"{{url: '{camera.url}', {login.replace('hunter2', 'right')}, detect: off}}")
        with Station(config) as station:
            station.wait_until_logged("recording h264")
            assert station.stop() == 0


def test_a_storage_folder_that_may_only_be_read_is_refused(tmp_path: Path, configure: Configure) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o ro tmpfs {disk}") != 0:
        pytest.skip("only root may mount a disk to read")
    try:
        write(tmp_path / "clip.mp4", frames=25)
        done = nvr("start", "--config", str(configure("{url: clip.mp4, detect: off}", str(disk))))
    finally:
        os.system(f"umount {disk}")
    assert done.returncode == 1
    assert "cannot write to the storage folder" in done.stderr
    assert "Read-only" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_run_folder_that_cannot_be_removed_is_one_line(looped: Path) -> None:
    """Another account's, after ``sudo nvr start`` was killed; a file in its place stands for it here."""
    folder = layout.run_folder(layout.prepare(looped.parent / "storage"))
    folder.touch()
    try:
        done = nvr("start", "--config", str(looped))
    finally:
        folder.unlink()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_nothing_is_removed_through_a_link_in_place_of_the_run_folder(looped: Path, tmp_path: Path) -> None:
    """Every account may make one in shared memory, and nvr start may run as root."""
    target = tmp_path / "target"
    (target / "folder").mkdir(parents=True)
    (target / "file").touch()
    folder = layout.run_folder(layout.prepare(looped.parent / "storage"))
    folder.symlink_to(target)
    try:
        done = nvr("start", "--config", str(looped))
    finally:
        folder.unlink()
    assert done.returncode == 1
    assert "another account's" in done.stderr
    assert sorted(path.name for path in target.iterdir()) == ["file", "folder"]


def test_nohup_keeps_it_alive_when_the_terminal_goes(looped: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does; a child inherits it
    try:
        station = Station(looped)
    finally:
        signal.signal(signal.SIGHUP, before)
    with station:
        station.wait_until_logged("recording h264")
        station.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(station.files("*.mp4")) > 1 or station.process.poll() is not None, "two segments")
        assert station.process.poll() is None


def test_a_camera_that_does_it_all_itself_is_heard_and_not_analysed(tmp_path: Path, configure: Configure) -> None:
    video = write(tmp_path / "clip.mp4", frames=100)
    told = [part(alert("fielddetection", more=region("1", "human"))), SILENT]
    with FakeDevice(told, pictures=[b"\xff\xd8picture"]) as fake:
        address = f"{{host: 127.0.0.1, port: {fake.port}}}"
        login = f'username: {USER}, password: "{PASSWORD}"'
        config = configure(f"{{url: {video}, loop: true, {login}, record: events, detect: camera, alerts: {address}}}")
        with Station(config) as station:
            station.wait_until_logged("person fielddetection")
            wait_for(
                lambda: any(row["end"] and row["snapshot"] for row in listed("events", config)),
                "its end and its picture",
            )
            assert [(row["kind"], row["label"]) for row in listed("events", config)] == [("camera", "person")]

            def told_of() -> tuple[str, int, int]:
                alerts = station.status()["cameras"][0]["alerts"]
                return alerts["state"], alerts["read"], alerts["bad"]

            wait_for(lambda: told_of() == ("listening", 1, 0), "what its ear tells")
            names = [process["name"] for process in station.status()["processes"]]
            assert names == ["recorder.hik1", "listener", "janitor"]
            plain = nvr("status", "--config", str(config)).stdout
            assert "hik1: alerts listening, 1 read, 0 bad" in plain
            listener = station.pid_of("listener")
            os.kill(listener, signal.SIGKILL)
            wait_for(lambda: station.pid_of("listener") != listener, "a new listener")
            assert station.stop() == 0
            assert PASSWORD not in station.log()
            assert "Traceback" not in station.log()


@pytest.mark.parametrize(
    ("keys", "streams"),
    [
        ("host: cam", ("main", "sub")),
        ("host: cam, detect: off", ("main",)),
        ("host: cam, detect: camera, alerts: on", ("main",)),
        ("host: cam, detect: {mode: motion, stream: main}", ("main",)),
        ("host: cam, record: off", ("sub",)),
        ("host: cam, record: off, detect: {mode: motion, stream: main}", ("main",)),
        ("host: cam, record: off, detect: off", ()),
        ("url: 'rtsp://cam/1'", ("main",)),
        ("url: 'rtsp://cam/1', record: off", ("main",)),
        ("url: 'rtsp://cam/1', sub_url: 'rtsp://cam/2'", ("main", "sub")),
    ],
)
def test_a_stream_can_be_watched_where_nvr_receives_it(
    configure: Configure, keys: str, streams: tuple[str, ...]
) -> None:
    assert start.streams_of(load(configure(f"{{{keys}}}")).cameras["hik1"]) == streams


def test_new_zones_count_without_a_restart_and_nothing_else_that_was_changed(
    tmp_path: Path, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    def zones() -> dict[str, int]:
        (task,) = station._analyzer().arguments(0)
        return {zone.name: len(zone.points) for zone in task.looks[0].sight.rules.zones}

    file = configure("{host: cam, detect: {fps: 5}}")
    config = load(file)
    upgrade(tmp_path / "nvr.db")
    with Catalogue.open(tmp_path / "nvr.db") as catalogue:
        parts = tmp_path, catalogue, SystemClock(), "info", Nursery([])
        station = start.Station(config, file, dict(config.cameras), *parts)
        assert zones() == {}
        gate = {"gate": {"points": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]}}
        save_places(file, "hik1", {"zones": gate, "lines": {}, "masks": []})
        file.write_text(file.read_text().replace("fps: 5", "fps: 2").replace("host: cam", "host: other"))
        station._look_anew()
        assert zones() == {"gate": 3}
        assert station._cameras["hik1"].host == "cam"
        assert station._cameras["hik1"].detect.fps == 5
        file.write_text("cameras: 5\n")
        station._look_anew()
        station._supervisor._wake_read.close()  # as in the end of the process that it lives in
        station._supervisor._wake_write.close()
    assert zones() == {"gate": 3}
    assert "zones stay as they were" in caplog.text
