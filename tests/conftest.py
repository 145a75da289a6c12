"""What tests share: footage of people, cameras that are really there, generated clips.

The footage is prepared before the first test that needs it runs, outside of its timeout, and kept in the cache folder
of ``scripts/footage``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes import clip
from tests.fakes.camera import Camera, unavailable
from tests.fakes.rtsp import Script, ScriptedCamera

SCRIPT = Path(__file__).parents[1] / "scripts" / "footage"
FETCH_TIMEOUT = 900
PREPARED_BY = {"people_video": "video", "footage": "h264", "footage_h265": "h265"}
"""Fixture → what ``scripts/footage`` has to make for it."""
FOOTAGE = pytest.StashKey[dict[str, Path | str]]()
"""What was prepared → its folder, or why there is none."""


settings.register_profile("nvr", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nvr")  # how long an example takes is the machine's affair


def pytest_configure() -> None:
    """A shell's ``&`` ignores Ctrl-C and nohup ignores a hang-up, which every child inherits: tests send both."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prepare the footage that the collected tests ask for."""
    prepared = session.config.stash.setdefault(FOOTAGE, {})
    if session.config.option.collectonly:
        return
    fixtures = {name for item in session.items if isinstance(item, pytest.Function) for name in item.fixturenames}
    for what in sorted({PREPARED_BY[name] for name in fixtures & PREPARED_BY.keys()}):
        command = [sys.executable, str(SCRIPT), what]
        made = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT, check=False)
        prepared[what] = Path(made.stdout.strip()) if made.returncode == 0 else made.stderr.strip()[-400:]


def _folder(config: pytest.Config, what: str) -> Path:
    found = config.stash[FOOTAGE].get(what, "it was not asked for")
    if isinstance(found, str):
        unavailable(f"scripts/footage {what}: {found}")
    return found


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the configuration of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("NVR_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def people_video(pytestconfig: pytest.Config) -> Path:
    """vtest.avi (PETS09-S2L1): 768x576, 10 fps, 795 frames, three to nine people and two parked vehicles."""
    return _folder(pytestconfig, "video") / "vtest.avi"


@pytest.fixture(scope="session")
def footage(pytestconfig: pytest.Config) -> Path:
    """The folder with main-h264.mkv and sub-h264.mkv; see ``scripts/footage``."""
    return _folder(pytestconfig, "h264")


@pytest.fixture(scope="session")
def footage_h265(pytestconfig: pytest.Config) -> Path:
    """The folder with main-h265.mkv and sub-h265.mkv."""
    return _folder(pytestconfig, "h265")


@pytest.fixture(scope="session")
def camera(footage: Path) -> Iterator[Camera]:
    """A running camera, H.264 and G.711, for all tests. One that counts requests or stops it wants its own Camera."""
    with Camera(footage) as running:
        yield running


@pytest.fixture(scope="session")
def camera_h265(footage_h265: Path) -> Iterator[Camera]:
    """A running camera, H.265 and G.711."""
    with Camera(footage_h265, codec="h265") as running:
        yield running


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedCamera]]:
    """Start a camera that follows a script, or one script per session: ``scripted(Script(h264, drop_after=30))``."""
    with ExitStack() as stack:

        def start(*scripts: Script, username: str | None = None, password: str = "") -> ScriptedCamera:
            return stack.enter_context(ScriptedCamera(*scripts, username=username, password=password))

        yield start


@pytest.fixture(scope="session")
def h264() -> clip.Clip:
    """Two seconds of 320x180 H.264, GOP 25, no B-frames, for the scripted camera."""
    return clip.record(frames=50, gop=25)


@pytest.fixture(scope="session")
def h264_b_frames() -> clip.Clip:
    """Two seconds of 320x180 H.264, GOP 10, two B-frames between references."""
    return clip.record(frames=50, gop=10, b_frames=2)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the generated files are."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip_h264(clips: Path) -> Path:
    """Four seconds of H.264, 320x180, 25 fps, GOP 25, no B-frames, no audio. The clips below differ as they say."""
    return clip.write(clips / "h264.mp4")


@pytest.fixture(scope="session")
def clip_b_frames(clips: Path) -> Path:
    """With two B-frames between references."""
    return clip.write(clips / "b-frames.mp4", b_frames=2)


@pytest.fixture(scope="session")
def clip_h265(clips: Path) -> Path:
    """H.265."""
    return clip.write(clips / "h265.mp4", codec="libx265")


@pytest.fixture(scope="session")
def clip_aac(clips: Path) -> Path:
    """With AAC, 16 kHz mono."""
    return clip.write(clips / "aac.mp4", audio="aac")


@pytest.fixture(scope="session")
def clip_mulaw(clips: Path) -> Path:
    """With G.711 u-law, 8 kHz mono, which MP4 cannot hold: a .mov file."""
    return clip.write(clips / "mulaw.mov", audio="pcm_mulaw")
