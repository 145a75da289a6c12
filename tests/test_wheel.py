"""What is built is complete: installed from its wheel, nvr makes a catalogue and finds its models."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_has_everything(tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(unpacked)
    assert (unpacked / "nvr/_migrations/env.py").is_file()
    assert (unpacked / "nvr/analysis/models/NOTICE").is_file()
    assert len(list((unpacked / "nvr/analysis/models").glob("*.onnx"))) == 2
    config = tmp_path / "nvr.yaml"
    config.write_text("cameras:\n  hik1: {host: 127.0.0.1}\n")
    (tmp_path / "storage").mkdir()
    command = [sys.executable, "-m", "nvr", "db", "upgrade", "--config", str(config)]
    made = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert "new →" in made.stdout
