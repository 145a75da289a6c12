from __future__ import annotations

import pytest

from nvr.config.combination import combined, misfits, without_login

Keys = dict[str, object]


@pytest.mark.parametrize(
    ("shared", "own", "expected"),
    [
        ({"port": 8554}, {"host": "a"}, {"port": 8554, "host": "a"}),
        ({"port": 8554}, {"host": "a", "port": 554}, {"host": "a", "port": 554}),
        ({"host": "nvr"}, {"channel": 2}, {"host": "nvr", "channel": 2}),
        ({"host": "nvr", "port": 1, "channel": 2}, {"url": "rtsp://a"}, {"url": "rtsp://a"}),
        ({"url": "x.mp4", "loop": True, "sub_url": "y.mp4"}, {"host": "a"}, {"host": "a"}),
        ({"url": "x.mp4", "loop": True}, {"url": "y.mp4"}, {"url": "y.mp4", "loop": True}),
        ({"url": "x.mp4", "loop": True}, {"url": "rtsp://a"}, {"url": "rtsp://a"}),
        ({"username": "u", "password": "p"}, {"url": "rtsp://a:b@c"}, {"url": "rtsp://a:b@c"}),
        ({"username": "u"}, {"url": "rtsp://c/d"}, {"username": "u", "url": "rtsp://c/d"}),
        ({"port": 8554}, {"host": "a", "port": None}, {"port": 8554, "host": "a"}),
        ({"password": "p"}, {"password": None}, {"password": None}),
        ({"detect": "off"}, {"detect": "motion"}, {"detect": {"mode": "motion"}}),
        ({"detect": {"fps": 2, "labels": ["cat"]}}, {"detect": {"fps": 3}}, {"detect": {"fps": 3, "labels": ["cat"]}}),
        ({"detect": {"fps": 2}}, {"detect": "motion"}, {"detect": {"fps": 2, "mode": "motion"}}),
        ({"detect": "motion"}, {"detect": {"fps": 2}}, {"detect": {"mode": "motion", "fps": 2}}),
        ({"detect": {"fps": 2}}, {"detect": False}, {"detect": False}),
        ({"detect": {"fps": 2}}, {}, {"detect": {"fps": 2}}),
        (
            {"detect": {"filters": {"car": {}, "dog": {}}, "fps": 2}},
            {"detect": {"labels": ["dog"]}},
            {"detect": {"filters": {"dog": {}}, "fps": 2, "labels": ["dog"]}},
        ),
        (
            {"detect": {"filters": {"car": {}}}},
            {"detect": {"labels": ["dog"], "filters": {"cat": {}}}},
            {"detect": {"filters": {"cat": {}}, "labels": ["dog"]}},
        ),
        (
            {"retention": {"events": "9d"}},
            {"retention": {"continuous": "2d"}},
            {"retention": {"events": "9d", "continuous": "2d"}},
        ),
        ({"retention": {"events": "9d"}}, {"retention": "2d"}, {"retention": "2d"}),
        ({"schedule": {"mon": "07:00-19:00"}}, {"schedule": {}}, {"schedule": {}}),
    ],
)
def test_a_cameras_own_keys_win_over_shared_ones(shared: Keys, own: Keys, expected: Keys) -> None:
    assert combined(shared, own) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"url": "rtsp://u:p@a/b"}, {"url": "rtsp://a/b", "username": "u", "password": "p"}),
        ({"url": "rtsp://u@a", "password": "p"}, {"url": "rtsp://a", "username": "u", "password": "p"}),
        (
            {"url": "rtsp://u:p@a/1", "sub_url": "rtsp://u:p@a/2"},
            {"url": "rtsp://a/1", "sub_url": "rtsp://a/2", "username": "u", "password": "p"},
        ),
        (
            {"url": "rtsp://a/1", "sub_url": "rtsp://u:p@a/2"},
            {"url": "rtsp://a/1", "sub_url": "rtsp://a/2", "username": "u", "password": "p"},
        ),
        ({"url": "clips/u:p@a.mp4"}, {"url": "clips/u:p@a.mp4"}),
        ({"host": "a"}, {"host": "a"}),
    ],
)
def test_a_login_in_a_url_is_moved_out(keys: Keys, expected: Keys) -> None:
    assert without_login(keys) == expected


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "rtsp://u:p@a", "username": "u"},
        {"url": "rtsp://u:p@a", "password": "q"},
        {"url": "rtsp://u:%ff@a"},
        {"url": ["rtsp://u:p@a"]},
    ],
)
def test_a_login_that_cannot_be_moved_stays_for_the_check_of_the_url(keys: Keys) -> None:
    assert without_login(keys) == keys


def test_streams_of_one_camera_cannot_have_two_logins() -> None:
    moved = without_login({"url": "rtsp://u:p@a/1", "sub_url": "rtsp://v:q@a/2"})
    assert moved["sub_url"] == "rtsp://v:q@a/2"


@pytest.mark.parametrize(
    "keys",
    [
        {"host": "a", "port": 1, "channel": 2, "username": "u", "password": "p"},
        {"url": "rtsp://a", "sub_url": "rtsp://b", "detect": {"stream": "sub"}},
        {"host": "a", "loop": False, "url": None, "detect": {"stream": "sub"}},
        {"url": "x.mp4", "loop": True, "detect": "motion"},
        {"url": "rtsp://u@a", "password": "p"},
        {"host": "a", "record": "events"},
        {"host": "a", "record": "events", "detect": {"fps": 2}},
    ],
)
def test_keys_that_go_together_are_no_misfits(keys: Keys) -> None:
    assert list(misfits(keys)) == []


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ({}, (), "has no address"),
        ({"host": "a", "url": "x.mp4"}, ("url",), "either host or url"),
        ({"url": "rtsp://a", "port": 8554}, ("port",), "write the port into the url"),
        ({"url": "rtsp://a", "channel": 1}, ("channel",), "write the channel into the url"),
        ({"host": "a", "sub_url": "rtsp://b"}, ("sub_url",), "goes with url"),
        ({"host": "a", "loop": True}, ("loop",), "only a video file"),
        ({"url": "rtsp://a", "loop": True}, ("loop",), "only a video file"),
        ({"host": "a", "password": "p"}, ("password",), "needs a username"),
        ({"url": "rtsp://a", "detect": {"stream": "sub"}}, ("detect", "stream"), "no sub stream"),
        ({"host": "a", "record": "events", "detect": "off"}, ("record",), "detect is off"),
        ({"host": "a", "record": "events", "detect": {"mode": "off"}}, ("record",), "detect is off"),
        ({"host": "a", "detect": {"required": ["yard"]}}, ("detect", "required", 0), "want a zone or line"),
    ],
)
def test_each_misfit_names_its_key_and_what_to_do(keys: Keys, place: tuple[str | int, ...], words: str) -> None:
    [(found, text)] = misfits(keys)
    assert found == place
    assert words in text
