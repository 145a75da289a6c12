"""What every command shares: the tree, bad usage, the configuration, where output goes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import nvr as package
from tests.fakes.station import COMMAND, ROOT, nvr


def test_help_names_every_command() -> None:
    done = nvr("--help")
    assert done.returncode == 0
    for name in ("start", "status", "events", "segments", "cameras", "config", "db", "demo"):
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize("words", [[], ["events"], ["cameras"], ["segments"], ["config"], ["db"]])
def test_half_a_command_shows_what_goes_on(words: list[str]) -> None:
    done = nvr(*words)
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr


def test_the_version_is_told() -> None:
    assert nvr("--version").stdout == f"nvr {package.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["events", "list", "--frobnicate"], "No such option"),
        (["events", "show"], "Missing argument"),
        (["events", "show", "first"], "valid integer"),
        (["events", "list", "--limit", "0"], "--limit"),
        (["cameras", "test", "hik1", "--seconds", "0"], "--seconds"),
        (["start", "--log-level", "loud"], 'got "loud", want debug, info, warning or error'),
    ],
)
def test_bad_usage_is_exit_code_2_and_says_what_is_wrong(words: list[str], message: str) -> None:
    done = nvr(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", [["events", "list"], ["segments", "list"], ["start"], ["status"], ["cameras", "list"], ["db", "current"]]
)
def test_without_a_configuration_every_command_says_where_it_looked(tmp_path: Path, words: list[str]) -> None:
    done = nvr(*words, cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert "no configuration: there is neither ./nvr.yaml nor ~/.config/nvr/nvr.yaml" in done.stderr


def test_the_configuration_is_found_in_the_usual_places(config: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home = tmp_path / "home/.config/nvr"
    home.mkdir(parents=True)
    assert nvr("segments", "list", cwd=config.parent).returncode == 0
    assert nvr("segments", "list", cwd=elsewhere, env={"NVR_CONFIG": str(config)}).returncode == 0
    (home / "nvr.yaml").write_text(f"storage: {config.parent / 'storage'}\ncameras: {{hik1: {{host: a}}}}\n")
    assert nvr("segments", "list", cwd=elsewhere, env={"HOME": str(tmp_path / "home")}).returncode == 0
    missing = nvr("segments", "list", cwd=elsewhere, env={"NVR_CONFIG": "gone.yaml"})
    assert (missing.returncode, "NVR_CONFIG names gone.yaml" in missing.stderr) == (2, True)


@pytest.mark.parametrize("words", [["events", "list", "--json"], ["status"], ["segments", "list"], ["cameras", "list"]])
def test_a_reader_that_left_is_no_error_of_ours(config: Path, words: list[str]) -> None:
    """``nvr events list | true``."""
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, *words, "--config", str(config)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False, env=env)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode in (0, 1)


def test_an_output_that_is_full_is_one_line(config: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "cameras", "list", "--config", str(config)]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False, env=env)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_dev_null(tmp_path: Path, closed: str) -> None:
    config = tmp_path / "nvr.yaml"
    config.write_text("cameras: {hik1: {host: 127.0.0.1}}\n")
    command = f'"$@" {closed}'
    words = [*COMMAND, "cameras", "list", "--config", str(config)]
    done = subprocess.run(
        ["sh", "-c", command, "sh", *words], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
