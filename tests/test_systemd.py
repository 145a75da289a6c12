"""Words to systemd, and the unit file that makes it listen."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr.systemd import Systemd

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "docs/nvr.service"
VERIFY = shutil.which("systemd-analyze")


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket of a manager that listens."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@nvr-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0"))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield listener


def heard(manager: socket.socket) -> list[bytes]:
    """All there is to hear."""
    words = []
    while True:
        try:
            words.append(manager.recv(4096))
        except BlockingIOError:
            return words


def test_a_service_tells_its_life(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    systemd = Systemd()
    systemd.ready()
    systemd.status("recording 3 cameras,\n1 of them unreachable: Überwachung")
    systemd.alive()
    systemd.stopping()
    assert heard(manager) == [
        b"READY=1",
        "STATUS=recording 3 cameras, 1 of them unreachable: Überwachung".encode(),
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_a_status_is_one_line_of_bounded_length(manager: socket.socket) -> None:
    systemd = Systemd()
    systemd.status("x" * 100_000)
    systemd.status("WATCHDOG=1\nREADY=1")
    long, two_lines = heard(manager)
    assert len(long) < 300
    assert two_lines == b"STATUS=WATCHDOG=1 READY=1"


def test_a_watchdog_that_is_not_set_is_not_fed(manager: socket.socket) -> None:
    systemd = Systemd()
    systemd.alive()
    assert systemd.watchdog_us is None
    assert heard(manager) == []


@pytest.mark.parametrize(
    ("usec", "pid", "want"),
    [
        ("60000000", None, 60_000_000),
        pytest.param("60000000", str(os.getpid()), 60_000_000, id="this process"),
        ("60000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        ("-5", None, None),
        (None, None, None),
    ],
)
def test_a_watchdog_is_for_the_process_it_names(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, want: int | None
) -> None:
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Systemd().watchdog_us == want


def test_a_manager_that_does_not_read_is_not_waited_for(manager: socket.socket) -> None:
    systemd = Systemd()
    for _ in range(5_000):  # far more than a socket holds
        systemd.ready()
    assert 0 < len(heard(manager)) < 5_000
    systemd.stopping()
    assert heard(manager) == [b"STOPPING=1"]


@pytest.mark.parametrize(
    "name", ["", "/nowhere/notify", "@nobody-listens-there", "@", "vsock:2:1234", "relative", "/" + "x" * 500]
)
def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    systemd = Systemd()
    systemd.ready()
    systemd.alive()
    systemd.status("recording")
    systemd.stopping()


def test_the_unit_says_what_the_program_does() -> None:
    lines = UNIT.read_text().splitlines()
    for line in ("Type=notify", "WatchdogSec=60", "Restart=always", "KillMode=mixed", "TimeoutStopSec=15"):
        assert line in lines


def test_the_unit_hides_neither_shared_memory_nor_the_storage() -> None:
    """What would make every start fail: the slots are in /dev/shm, and without the storage nothing is recorded."""
    text = UNIT.read_text()
    assert not re.search(r"^(InaccessiblePaths|TemporaryFileSystem)=.*/dev", text, re.MULTILINE)
    assert not re.search(r"^PrivateDevices=", text, re.MULTILINE) or "/dev/shm" in text
    storage = re.search(r"^WorkingDirectory=(.*)$", text, re.MULTILINE)
    writable = re.search(r"^ReadWritePaths=(.*)$", text, re.MULTILINE)
    assert storage is not None
    assert writable is not None
    assert {storage[1], "/dev/shm"} <= set(writable[1].split())


@pytest.mark.skipif(VERIFY is None, reason="systemd-analyze is not installed here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    assert VERIFY is not None
    unit = tmp_path / "nvr.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    done = subprocess.run([VERIFY, "verify", str(unit)], capture_output=True, text=True, timeout=50, check=False)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "nvr.service" in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr
