"""``nvr config``; every kind of problem is tested in ``tests/config``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.station import nvr


def check(tmp_path: Path, text: str) -> tuple[int, str, str]:
    path = tmp_path / "nvr.yaml"
    path.write_text(text)
    done = nvr("config", "check", "--config", str(path))
    return done.returncode, done.stdout, done.stderr


def test_a_configuration_in_order_is_said_so(tmp_path: Path) -> None:
    code, out, err = check(tmp_path, "cameras:\n  hik1: {host: 127.0.0.1}\n  hik2: {host: 127.0.0.1, channel: 2}\n")
    assert (code, err) == (0, "")
    assert "nvr.yaml: in order, 2 camera(s): hik1, hik2" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cameras:\n  hik1: {host: a, pasword: hunter2}\n", "nvr.yaml:2: cameras.hik1.pasword"),
        (
            "retention: {continuous: 7 days}\ncameras:\n  hik1: {host: a}\n",
            'nvr.yaml:1: retention.continuous: got "7 days", want a duration',
        ),
        ("recording: {segment: 5GB}\ncameras:\n  hik1: {host: a}\n", "nvr.yaml:1: recording.segment"),
        ("cameras:\n  hik1: {host: a, username: u, password: {env: NO_SUCH_SECRET}}\n", "NO_SUCH_SECRET is not set"),
        ("cameras:\n  hik1: {host: a, username: u, password: {file: secret.txt}}\n", "there is no file"),
        ("cameras:\n  hik1: {host: a}\n  hik1: {host: b}\n", "nvr.yaml:3: cameras.hik1"),
        ("cameras:\n  hik1: {url: missing.mp4}\n", "missing.mp4"),
        ("cameras:\n  hik1: {host: a, detect: {model: missing.onnx}}\n", "missing.onnx"),
        ("cameras: {}\n", "nvr.yaml:1: cameras"),
        ("cameras:\n  hik1: {host: a\n", "nvr.yaml:"),
        ("", "is empty: name a camera in it"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    code, out, err = check(tmp_path, text)
    assert (code, out) == (2, "")
    assert message in err
    assert "nvr.yaml" in err
    assert "hunter2" not in err
    assert "Traceback" not in err


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    _, _, err = check(
        tmp_path, "storrage: x\nrecording: {segment: 1s}\ncameras:\n  hik1: {host: a, port: 0}\n  hik2: {}\n"
    )
    assert [int(line.split("nvr.yaml:")[1].split(":")[0]) for line in err.splitlines()] == [1, 2, 4, 5]


def test_a_listing_needs_no_secret_but_a_start_does(tmp_path: Path) -> None:
    path = tmp_path / "nvr.yaml"
    path.write_text("cameras:\n  hik1: {host: 127.0.0.1, username: u, password: {env: NO_SUCH_SECRET}}\n")
    assert nvr("cameras", "list", "--config", str(path)).returncode == 0
    for words in (["start"], ["cameras", "test", "hik1"]):
        done = nvr(*words, "--config", str(path))
        assert (done.returncode, done.stdout) == (2, "")
        assert "NO_SUCH_SECRET is not set" in done.stderr


def test_the_schema_is_json() -> None:
    schema = json.loads(nvr("config", "schema").stdout)
    assert {"storage", "retention", "recording", "defaults", "cameras"} <= set(schema["properties"])


def test_a_label_that_the_model_does_not_know_is_said_of_each_camera(tmp_path: Path) -> None:
    text = (
        "cameras:\n  a: {host: a, detect: {labels: [persn]}}\n  b: {host: b}\n  c: {host: c, detect: {labels: [Car]}}\n"
    )
    code, _, err = check(tmp_path, text)
    assert code == 2
    assert [line.split(": ")[1 if line.startswith("nvr: ") else 0][-8:] for line in err.splitlines()] == [
        "nvr.yaml"
    ] * 2
    assert "cameras.a.detect: " in err
    assert '"persn" (did you mean person?)' in err
    assert "cameras.c.detect: " in err


def test_a_file_that_is_no_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text("no model")
    code, _, err = check(tmp_path, "cameras:\n  hik1: {host: a, detect: {model: model.onnx}}\n")
    assert (code, "cameras.hik1.detect: " in err) == (2, True)
