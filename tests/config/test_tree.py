from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from nvr.config.detect import Detect
from nvr.config.tree import Camera, CameraRetention, Config
from nvr.config.value import Outside
from nvr.model import Address
from nvr.schedule import parse


def config(**keys: Any) -> Config:
    return Config.model_validate({"cameras": {"a": {"host": "cam"}}, **keys}, context=Outside(Path("/etc/nvr")))


def camera(**keys: Any) -> Camera:
    return config(cameras={"a": keys}).cameras["a"]


def refusals(**keys: Any) -> set[tuple[str, ...]]:
    with pytest.raises(ValidationError) as caught:
        config(**keys)
    return {tuple(str(part) for part in error["loc"]) for error in caught.value.errors()}


def test_what_is_not_said_has_its_default() -> None:
    found = config()
    assert found.storage == Path("/etc/nvr/storage")
    assert found.database is None
    assert found.recording.segment == timedelta(seconds=60)
    assert (found.retention.continuous, found.retention.events) == (timedelta(days=7), timedelta(days=30))
    assert (found.retention.min_free, found.retention.min_kept) == (5_000_000_000, timedelta())
    assert (found.retention.pre_roll, found.retention.post_roll) == (timedelta(seconds=10), timedelta(seconds=10))
    assert found.retention.max_size is None
    only = found.cameras["a"]
    assert only.schedule is None
    assert only.retention == CameraRetention(continuous=None, events=None, max_size=None)
    assert (only.port, only.channel, only.transport, only.record, only.audio) == (554, 1, "tcp", "continuous", "auto")
    assert only.detect == Detect(
        mode="objects", labels=("person", "car"), fps=5, min_score=0.5, stream="auto", frames="all", model=None
    )


def test_sections_and_cameras_with_nothing_below_count_as_empty() -> None:
    found = config(retention=None, recording=None, defaults={"host": "nvr"}, cameras={"a": None, "b": {"port": None}})
    assert found.retention.continuous == timedelta(days=7)
    assert {one.main.url for one in found.cameras.values()} == {"rtsp://nvr:554/Streaming/Channels/101"}


def test_a_password_with_nothing_after_it_is_not_taken_for_none_at_all() -> None:
    places = refusals(cameras={"a": {"host": "cam", "username": "u", "password": None}})
    assert places == {("cameras", "a", "password")}


def test_nothing_can_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config().cameras["a"].port = 1


def test_a_configuration_can_be_sent_to_another_process() -> None:
    week = {"mon-sun": "22:00-06:00"}
    found = config(cameras={"a": {"host": "cam", "username": "u", "password": "p", "schedule": week}})
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_hikvision_host_has_two_streams_and_its_login_is_apart() -> None:
    found = camera(host="cam", channel=2, username="u", password="p", transport="udp")
    assert found.main == Address("rtsp://cam:554/Streaming/Channels/201", "u", "p", "udp")
    assert found.sub == Address("rtsp://cam:554/Streaming/Channels/202", "u", "p", "udp")
    assert found.analysed == "sub"
    assert "'p'" not in repr(found) + repr(found.main)


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert camera(host="fe80::1").main.url == "rtsp://[fe80::1]:554/Streaming/Channels/101"


def test_a_login_in_a_url_serves_both_streams_and_stays_in_neither() -> None:
    found = camera(url="rtsp://u:p%40s@cam/1", sub_url="rtsp://cam/2")
    assert found.main == Address("rtsp://cam/1", "u", "p@s")
    assert found.sub == Address("rtsp://cam/2", "u", "p@s")
    assert "u:p" not in repr(found)


def test_a_file_has_no_login_and_one_stream() -> None:
    found = camera(url="clips/a.mp4", loop=True, username="u", password="p")
    assert found.main == Address("/etc/nvr/clips/a.mp4", loop=True)
    assert found.sub is None
    assert found.analysed == "main"


@pytest.mark.parametrize(
    ("keys", "analysed"),
    [
        ({"host": "cam"}, "sub"),
        ({"host": "cam", "detect": {"stream": "main"}}, "main"),
        ({"host": "cam", "detect": {"stream": "sub"}}, "sub"),
        ({"url": "rtsp://cam"}, "main"),
        ({"url": "rtsp://cam", "sub_url": "rtsp://cam/2"}, "sub"),
    ],
)
def test_the_small_stream_is_looked_at_where_there_is_one(keys: dict[str, Any], analysed: str) -> None:
    assert camera(**keys).analysed == analysed


@pytest.mark.parametrize("mode", ["off", "motion", "objects"])
def test_detect_may_be_one_word(mode: str) -> None:
    assert camera(host="cam", detect=mode).detect.mode == mode


def test_defaults_hold_for_all_cameras_and_detect_combines_key_by_key() -> None:
    found = config(
        defaults={"username": "u", "detect": {"fps": 2, "labels": ["cat"]}},
        cameras={"a": {"host": "a", "detect": {"labels": ["dog"]}}, "b": {"host": "b", "username": "v"}},
    )
    a, b = found.cameras["a"], found.cameras["b"]
    assert (a.username, a.detect.fps, a.detect.labels) == ("u", 2, ("dog",))
    assert (b.username, b.detect.fps, b.detect.labels) == ("v", 2, ("cat",))


def test_defaults_of_retention_combine_key_by_key_and_a_schedule_is_replaced_whole() -> None:
    found = config(
        defaults={"retention": {"continuous": "2d", "events": "20d"}, "schedule": {"mon": "07:00-19:00"}},
        cameras={"a": {"host": "a", "retention": {"events": "9d"}, "schedule": {"sat": "10:00-12:00"}}},
    ).cameras["a"]
    assert (found.retention.continuous, found.retention.events) == (timedelta(days=2), timedelta(days=9))
    assert found.schedule == parse({"sat": "10:00-12:00"})


def test_a_camera_can_be_made_without_a_file() -> None:
    made = Camera(host="cam", username="u", password=SecretStr("p"), detect=Detect(mode="motion"))
    assert Config(cameras={"a": made}).cameras["a"].main.password == "p"
    with pytest.raises(ValidationError, match="has no address"):
        Camera()


@pytest.mark.parametrize("name", ["a", "1", "hik1", "front-door", "a" * 32])
def test_names_of_cameras(name: str) -> None:
    assert name in config(cameras={name: {"host": "cam"}}).cameras


@pytest.mark.parametrize("name", ["", "A", "-a", "a_b", "a b", "a/b", "..", "ä", "a" * 33, "a\n"])
def test_other_names_are_refused(name: str) -> None:
    assert refusals(cameras={name: {"host": "cam"}}) == {("cameras", name, "[key]")}


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("host", ["cam"], ["", "a b", 5, True]),
        ("port", [1, 65535], [0, -1, 65536, 10**30, "554", 554.0, True]),
        ("channel", [1, 999], [0, 1000, "1"]),
        ("username", ["u"], ["", 5]),
        ("transport", ["tcp", "udp"], ["TCP", "http", 5]),
        ("record", ["continuous", "events", "off"], [False, "on"]),
        ("schedule", [{"mon-fri": ["07:00-19:00"], "sun": []}, None], [{}, [], "mon", {"mon": "7-19"}]),
        ("retention", [{}, {"max_size": "100GB"}], [{"min_free": "1GB"}, "7d", {"max_size": "0B"}]),
        ("audio", ["auto", "off"], ["on", False]),
        ("loop", [False], ["yes", 0, 1]),
        ("detect", ["off", {}, {"fps": 1}], [False, True, [], "person", 5]),
    ],
)
def test_what_a_camera_key_may_be(key: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        camera(**{"host": "cam", key: value})
    for value in bad:
        found = refusals(cameras={"a": {"host": "cam", key: value}})
        assert {place[:3] for place in found} == {("cameras", "a", key)}, value


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("mode", ["off"], ["on", False]),
        ("labels", [["person"]], [[], "person", [5], [""]]),
        ("fps", [0.1, 5, 30], [0, -1, 30.1, "5", True, float("nan"), float("inf"), 10**400]),
        ("min_score", [0, 0.5, 1], [-0.1, 1.1, "0.5", True, float("nan")]),
        ("stream", ["auto", "main", "sub"], ["third"]),
        ("frames", ["all", "key"], ["none"]),
        ("model", ["m.onnx", None], ["", 5]),
    ],
)
def test_what_a_detect_key_may_be(key: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        camera(host="cam", detect={key: value})
    for value in bad:
        found = refusals(cameras={"a": {"host": "cam", "detect": {key: value}}})
        assert {place[:4] for place in found} == {("cameras", "a", "detect", key)}, value


@pytest.mark.parametrize(
    ("section", "key", "good", "bad"),
    [
        ("recording", "segment", ["5s", "15m"], ["4.9s", "901s", 60, "60", "1 m"]),
        ("retention", "continuous", ["0s", "7d", "36500d"], ["36501d", "7 days", 7, "-1d"]),
        ("retention", "events", ["30d"], ["1y", []]),
        ("retention", "max_size", ["1B", "2TB", None], ["0B", "0.1B", 5]),
        ("retention", "min_kept", ["0s", "3d"], ["-1d", 0]),
        ("retention", "pre_roll", ["0s", "15m"], ["901s"]),
        ("retention", "post_roll", ["0s", "15m"], ["901s"]),
        ("retention", "min_free", ["0B", "5GB", "1TiB"], ["5", 5, "5 GB", "99999999TB"]),
    ],
)
def test_what_the_keys_of_a_section_may_be(section: str, key: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        config(**{section: {key: value}})
    for value in bad:
        assert refusals(**{section: {key: value}}) == {(section, key)}, value


def test_keys_that_do_not_go_together_are_reported_beside_bad_values() -> None:
    found = refusals(cameras={"a": {"host": "cam", "url": "rtsp://cam", "port": 0, "loop": True}})
    assert found == {("cameras", "a", key) for key in ("url", "port", "loop")}


def test_there_is_at_least_one_camera() -> None:
    assert refusals(cameras={}) == {("cameras",)}
    assert refusals(cameras=None) == {("cameras",)}


def test_without_passwords_nothing_is_left_that_opens_a_camera() -> None:
    cameras = {
        "key": {"host": "cam", "username": "viewer", "password": "hunter2", "alerts": "on"},
        "url": {"url": "rtsp://viewer:hunter2@cam/1", "sub_url": "rtsp://viewer:hunter2@cam/2"},
        "shared": {"host": "cam"},
    }
    found = config(defaults={"username": "viewer", "password": "hunter2"}, cameras=cameras)
    assert b"hunter2" in pickle.dumps(found)
    bare = found.without_passwords()
    assert b"hunter2" not in pickle.dumps(bare)
    assert [one.password for one in bare.cameras.values()] == [None, None, None]
    assert bare.cameras["url"].url == "rtsp://cam/1"
    assert bare.cameras["key"].username == "viewer"
    assert found.cameras["key"].main.password == "hunter2", "the first one has them still"
    again = {
        name: one.model_copy(update={"password": found.cameras[name].password}) for name, one in bare.cameras.items()
    }
    assert again == found.cameras, "nothing else is another"
