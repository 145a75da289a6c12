"""``nvr cameras test`` says whether the camera's own events can be heard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nvr.cli.hearing import hear
from nvr.clock import SystemClock
from nvr.config import Camera, load
from nvr.errors import LoginError, SourceError
from tests.cli.conftest import Configure
from tests.fakes.isapi import PASSWORD, SILENT, USER, Answer, FakeDevice
from tests.fakes.station import nvr


def camera_at(fake: FakeDevice, tmp_path: Path, password: str = PASSWORD, alerts: str = "") -> Camera:
    path = tmp_path / "nvr.yaml"
    login = f'username: {USER}, password: "{password}"'
    alerts = alerts or f"{{port: {fake.port}}}"
    path.write_text(f"cameras: {{hik1: {{host: 127.0.0.1, {login}, alerts: {alerts}}}}}")
    return load(path).cameras["hik1"]


def test_a_camera_without_alerts_is_not_asked(tmp_path: Path) -> None:
    with FakeDevice([SILENT]) as fake:
        assert hear("hik1", camera_at(fake, tmp_path, alerts="off"), None, SystemClock()) is None
        assert fake.requests == []


@pytest.mark.parametrize("running", [False, True])
def test_it_subscribes_once_and_hangs_up(tmp_path: Path, running: bool) -> None:
    with FakeDevice([SILENT], offers=["MD5"]) as fake:
        folder = tmp_path / "run" if running else None
        report = hear("hik1", camera_at(fake, tmp_path), folder, SystemClock())
        assert report == {
            "url": f"http://127.0.0.1:{fake.port}/ISAPI/Event/notification/alertStream",
            "login": "Digest",
        }
        assert fake.subscriptions() == 1


def test_a_user_without_the_right_is_told_which(tmp_path: Path) -> None:
    with FakeDevice(Answer("403 Forbidden")) as fake, pytest.raises(SourceError, match="Notify Surveillance Center"):
        hear("hik1", camera_at(fake, tmp_path), None, SystemClock())


def test_a_wrong_password_is_tried_once_while_nvr_runs(tmp_path: Path) -> None:
    with FakeDevice([SILENT]) as fake:
        for _ in range(3):
            with pytest.raises(LoginError):
                hear("hik1", camera_at(fake, tmp_path, "wrong"), tmp_path / "run", SystemClock())
        assert fake.refused == 1


def test_the_command_says_so(configure: Configure, clip_h264: Path) -> None:
    with FakeDevice([SILENT], offers=()) as fake:
        config = configure(f"{{url: {clip_h264}, alerts: {{host: 127.0.0.1, port: {fake.port}}}}}")
        plain = nvr("cameras", "test", "hik1", "--seconds", "1", "--config", str(config))
        assert plain.returncode == 0, plain.stderr
        assert "alerts     can be heard" in plain.stdout
        done = nvr("cameras", "test", "hik1", "--seconds", "1", "--json", "--config", str(config))
        assert json.loads(done.stdout)["alerts"]["login"] == "none asked for"
