"""The keys of ``alerts``: what they mean, how they combine, and what is refused with which words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nvr.cli.hearing import ear_of
from nvr.config import Alerts, Camera, load
from nvr.errors import ConfigError
from nvr.isapi.task import Ear

CAMERA = "host: 192.0.2.1, username: viewer, password: secret"


def camera_of(tmp_path: Path, keys: str, defaults: str = "{}") -> Camera:
    path = tmp_path / "nvr.yaml"
    path.write_text(f"defaults: {defaults}\ncameras:\n  hik1: {{{keys}}}\n")
    return load(path).cameras["hik1"]


def complaint(tmp_path: Path, keys: str, defaults: str = "{}") -> str:
    with pytest.raises(ConfigError) as raised:
        camera_of(tmp_path, keys, defaults)
    return str(raised.value)


def ear(tmp_path: Path, keys: str, defaults: str = "{}") -> Ear:
    found = ear_of("hik1", camera_of(tmp_path, keys, defaults), None)
    assert found is not None
    return found


def test_nobody_is_listened_to_unasked(tmp_path: Path) -> None:
    camera = camera_of(tmp_path, CAMERA)
    assert not camera.alerts.on
    assert ear_of("hik1", camera, None) is None
    assert ear_of("hik1", camera_of(tmp_path, f"{CAMERA}, alerts: off"), None) is None


def test_on_is_all_that_is_needed(tmp_path: Path) -> None:
    found = ear(tmp_path, f"{CAMERA}, channel: 3, alerts: on")
    assert (found.place.url, found.channel, found.hold, found.types) == (
        "http://192.0.2.1:80",
        3,
        timedelta(seconds=5),
        (),
    )
    assert (found.place.username, found.place.password) == ("viewer", "secret")
    assert found.door.url == "rtsp://192.0.2.1:554/Streaming/Channels/301"
    assert "secret" not in repr(found)


def test_a_mapping_says_more(tmp_path: Path) -> None:
    keys = "alerts: {tls: true, verify: false, types: [VMD, fielddetection], hold: 20s}"
    found = ear(tmp_path, f"{CAMERA}, {keys}")
    assert (found.place.url, found.place.verify) == ("https://192.0.2.1:443", False)
    assert (found.types, found.hold) == (("VMD", "fielddetection"), timedelta(seconds=20))


def test_a_url_needs_the_address_of_its_device(tmp_path: Path) -> None:
    url = "url: rtsp://192.0.2.1:8554/live, username: viewer, password: secret"
    assert "hik1.alerts: needs the device's address beside a url" in complaint(tmp_path, f"{url}, alerts: on")
    same = ear(tmp_path, f"{url}, alerts: {{host: 192.0.2.1, channel: 2}}")
    assert (same.place.url, same.channel) == ("http://192.0.2.1:80", 2)
    assert same.door.url == "rtsp://192.0.2.1:8554/live"
    other = ear(tmp_path, f"{url}, alerts: {{host: 'fe80::2'}}")
    assert (other.place.url, other.channel, other.door.url) == ("http://[fe80::2]:80", 1, "rtsp://[fe80::2]")
    assert other.door.password == "secret"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("alerts: maybe", 'hik1.alerts: got "maybe", want off or on'),
        ("alerts: 5", "hik1.alerts: got 5, want off, on, or keys such as port and types"),
        ("alerts: {host: 192.0.2.2}", "hik1.alerts.host: goes with url"),
        ("alerts: {channel: 2}", "hik1.alerts.channel: goes with url"),
        ("alerts: {verify: false}", "hik1.alerts.verify: goes with tls: true"),
        ("alerts: {hold: 1h}", 'hik1.alerts.hold: got "1h", want a duration from 1s to 5m'),
        ("alerts: {port: 0}", "hik1.alerts.port: got 0"),
        ("alerts: {typs: [VMD]}", "hik1.alerts.typs: unknown key, did you mean types?"),
        ("detect: camera", "hik1.detect: got camera, but alerts is off, so nobody would look"),
        ("detect: {mode: camera}, alerts: {mode: off}", "hik1.detect: got camera, but alerts is off"),
        ("record: events, detect: off, alerts: on", "hik1.record: got events, but detect is off"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(tmp_path: Path, keys: str, words: str) -> None:
    assert words in complaint(tmp_path, f"{CAMERA}, {keys}")


def test_the_camera_may_do_the_looking(tmp_path: Path) -> None:
    camera = camera_of(tmp_path, f"{CAMERA}, record: events, detect: camera, alerts: on")
    assert camera.detect.mode == "camera"


def test_shared_keys_combine_with_a_camera_s_own(tmp_path: Path) -> None:
    shared = "{alerts: {port: 8080, types: [VMD]}}"
    assert ear(tmp_path, CAMERA, shared).place.port == 8080
    own = ear(tmp_path, f"{CAMERA}, alerts: {{port: 81}}", shared)
    assert (own.place.port, own.types) == (81, ("VMD",))
    assert not camera_of(tmp_path, f"{CAMERA}, alerts: off", shared).alerts.on
    assert camera_of(tmp_path, f"{CAMERA}, alerts: {{port: 81}}", "{alerts: off}").alerts.on
    assert ear(tmp_path, CAMERA, "{alerts: {host: 192.0.2.9, channel: 4}}").place.host == "192.0.2.1"


def test_the_default_of_a_mapping_is_on() -> None:
    assert Alerts().on
