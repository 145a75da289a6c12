from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from nvr.config.complaint import complaints
from nvr.config.document import read
from nvr.config.tree import Config
from nvr.config.value import Outside


def problems(folder: Path, text: str) -> list[str]:
    path = folder / "nvr.yaml"
    path.write_text(text)
    document = read(path)
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(document.value, context=Outside(folder))
    return [f"{problem.line}: {problem}" for problem in complaints(caught.value, document)]


def camera(*lines: str) -> str:
    return "\n".join(["cameras:", "  a:", "    host: cam", *(f"    {line}" for line in lines)])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("pasword: hunter2", "4: cameras.a.pasword: unknown key, did you mean password?"),
        ("Sub-URL: rtsp://a", "4: cameras.a.Sub-URL: unknown key, did you mean sub_url?"),
        ("storage: x", "4: cameras.a.storage: stands too deep: it belongs at the top of the file"),
        ("retention: 7d", '4: cameras.a.retention: got "7d", want keys with values below it'),
        ("retention: {event: 7d}", "4: cameras.a.retention.event: unknown key, did you mean events?"),
        (
            "retention: {min_free: 1GB}",
            "4: cameras.a.retention.min_free: holds for all cameras: it belongs into retention at the top of the file",
        ),
        (
            "schedule: 07:00-19:00",
            '4: cameras.a.schedule: got "07:00-19:00", want days with spans, such as {mon-fri: "07:00-19:00"}',
        ),
        (
            "schedule: {mo: 07:00-19:00}",
            '4: cameras.a.schedule: got "mo", want a day such as mon, or days such as mon-fri',
        ),
        ("schedule: {mon: 7-19}", '4: cameras.a.schedule: mon: got "7-19", want a span such as 07:00-19:00'),
        ("port: 70000", "4: cameras.a.port: got 70000, want at most 65535"),
        ("port: 0", "4: cameras.a.port: got 0, want at least 1"),
        ("port: '554'", '4: cameras.a.port: got "554", want a whole number'),
        ("port: 5.5", "4: cameras.a.port: got 5.5, want a whole number"),
        (f"port: {10**40}", "4: cameras.a.port: got a huge number, want at most 65535"),
        (f"port: {'9' * 5000}", f'4: cameras.a.port: got "{"9" * 59}…", want a whole number'),
        ("loop: yes", '4: cameras.a.loop: got "yes", want true or false'),
        ("username: 5", "4: cameras.a.username: got 5, want text: put it in quotes"),
        ("username: ''", '4: cameras.a.username: got "", want text that is not empty'),
        ("password: secret", "4: cameras.a.password: needs a username beside it"),
        ("transport: tpc", '4: cameras.a.transport: got "tpc", want tcp or udp'),
        ("record: false", "4: cameras.a.record: got false, want continuous, events or off"),
        (
            "retention: {max_size: 0B}",
            "4: cameras.a.retention.max_size: got nothing at all: leave the key out for no limit",
        ),
        (
            "detect: false",
            "4: cameras.a.detect: got false, want off, motion, objects, camera, or keys such as labels and fps",
        ),
        ("detect: motoin", '4: cameras.a.detect: got "motoin", want off, motion, objects or camera'),
        ("alerts: no", '4: cameras.a.alerts: got "no", want off or on'),
        ("alerts: {potr: 80}", "4: cameras.a.alerts.potr: unknown key, did you mean port?"),
        ("detect: {fps: 0}", "4: cameras.a.detect.fps: got 0, want more than 0"),
        ("detect: {fps: fast}", '4: cameras.a.detect.fps: got "fast", want a number'),
        ("detect: {fps: .nan}", "4: cameras.a.detect.fps: got nan, want a number"),
        ("detect: {labels: person}", '4: cameras.a.detect.labels: got "person", want a list such as [person, car]'),
        ("detect: {labels: []}", "4: cameras.a.detect.labels: got a list, want at least one"),
        ("detect: {labels: [car, 5]}", "4: cameras.a.detect.labels[1]: got 5, want text: put it in quotes"),
        ("detect: {label: car}", "4: cameras.a.detect.label: unknown key, did you mean labels?"),
        (
            "detect: {zones: {yard: {}}}",
            "4: cameras.a.detect.zones.yard.points: is missing: want points such as [[0.1, 0.5], [0.9, 0.5], [0.5, 1]]",
        ),
        (
            "detect: {zones: {yard: {points: '0,0 1,0 0,1', lables: [car]}}}",
            "4: cameras.a.detect.zones.yard.lables: unknown key, did you mean labels?",
        ),
        (
            "detect: {lines: {gate: {points: '0,0 1,0', side: in}}}",
            "4: cameras.a.detect.lines.gate.side: unknown key, want one of points, direction, labels",
        ),
        (
            "detect: {filters: {car: {size: 1%}}}",
            "4: cameras.a.detect.filters.car.size: unknown key, did you mean min_size?",
        ),
        (
            "detect: {zones: {Front Yard: {points: '0,0 1,0 0,1'}}}",
            '4: cameras.a.detect.zones.Front Yard: got "Front Yard", want a name of small letters, digits and hyphens, '
            "at most 32, such as front-door",
        ),
        (
            f"detect: {{zones: {{{', '.join(f'z{n}: {{points: [[0, 0], [1, 0], [0, 1]]}}' for n in range(33))}}}}}",
            "4: cameras.a.detect.zones: got a mapping, want at most 32",
        ),
        (
            "detect: {required: yard}",
            '4: cameras.a.detect.required: got "yard", want a list of zones and lines such as [yard, gate]',
        ),
        (
            "detect: {lines: {gate: {points: '0,0 1,0', direction: inwards}}}",
            '4: cameras.a.detect.lines.gate.direction: got "inwards", want both, in or out',
        ),
    ],
)
def test_what_is_wrong_with_a_camera_is_said_in_its_own_words(tmp_path: Path, line: str, problem: str) -> None:
    assert problems(tmp_path, camera(line)) == [problem]


def test_the_value_of_a_password_is_not_told(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, camera("username: u", "password: 12345"))
    assert problem == "5: cameras.a.password: got a number, want text, {env: NAME} or {file: PATH}: put it in quotes"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("storage: x\n", "1: cameras: is missing: name at least one camera"),
        ("cameras:\n", "1: cameras: is missing: name at least one camera"),
        ("storage: x\ncameras: {}\n", "2: cameras: got a mapping, want at least one"),
        ("cameras: [a]\n", "1: cameras: got a list, want keys with values below it"),
        ("cameras:\n  a: cam\n", '2: cameras.a: got "cam", want keys with values below it'),
        ("retention: 7d\n" + camera(), '1: retention: got "7d", want keys with values below it'),
        ("retention:\n  event: 7d\n" + camera(), "2: retention.event: unknown key, did you mean events?"),
        ("recording: {length: 1m}\n" + camera(), "1: recording.length: unknown key, want one of segment"),
        ("camera: {}\n" + camera(), "1: camera: unknown key, did you mean cameras?"),
        (
            "cameras:\n  Front Door: {host: cam}\n",
            '2: cameras.Front Door: got "Front Door", want a name of small letters, digits and hyphens, at most 32, '
            "such as front-door",
        ),
        ("cameras:\n  a:\n    port: 1\n", '2: cameras.a: has no address: want "host: 192.168.1.64" or "url: rtsp://…"'),
    ],
)
def test_what_is_wrong_elsewhere(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


def test_a_mistake_in_defaults_is_told_once_and_there(tmp_path: Path) -> None:
    text = "defaults:\n  port: 0\n  hots: x\n  detect:\n    fps: 99\ncameras:\n  a: {host: a}\n  b: {host: b}\n"
    assert problems(tmp_path, text) == [
        "2: defaults.port: got 0, want at least 1",
        "5: defaults.detect.fps: got 99, want at most 30",
        "3: defaults.hots: unknown key, did you mean host?",
    ]


def test_a_word_in_defaults_that_a_camera_extends_keeps_its_place(tmp_path: Path) -> None:
    text = "defaults:\n  detect: motoin\ncameras:\n  a: {host: a, detect: {fps: 1}}\n"
    assert problems(tmp_path, text) == ['2: defaults.detect: got "motoin", want off, motion, objects or camera']


def test_keys_of_defaults_and_camera_that_do_not_fit_are_told_where_they_stand(tmp_path: Path) -> None:
    text = "defaults:\n  sub_url: rtsp://b\n  loop: true\ncameras:\n  a:\n    loop: true\n"
    assert problems(tmp_path, text) == [
        '5: cameras.a: has no address: want "host: 192.168.1.64" or "url: rtsp://…"',
        "2: defaults.sub_url: goes with url; a camera with host has its own sub stream",
        "6: cameras.a.loop: only a video file can be repeated: want a url that is the path of one",
    ]


def test_each_wrong_point_has_its_line(tmp_path: Path) -> None:
    lines = [
        "detect:",
        "  zones:",
        "    yard:",
        "      points:",
        "        - [0, 0]",
        "        - [640, 0]",
        "        - 7",
    ]
    assert problems(tmp_path, camera(*lines)) == [
        "9: cameras.a.detect.zones.yard.points[1]: got 640, 0, want two numbers from 0 to 1: 0 is left or top, 1 is "
        "right or bottom; divide pixels by the picture's width or height",
        "10: cameras.a.detect.zones.yard.points[2]: got 7, want a point such as [0.1, 0.5]",
    ]


def test_a_filter_in_defaults_for_what_a_camera_does_not_look_for_is_told_there(tmp_path: Path) -> None:
    text = "defaults:\n  detect:\n    filters: {dog: {}}\ncameras:\n  a: {host: a}\n  b: {host: b}\n"
    assert problems(tmp_path, text) == ['3: defaults.detect.filters.dog: got "dog", want one of labels: person, car']
