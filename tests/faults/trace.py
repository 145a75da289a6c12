"""strace, attached to a process that runs or around one from its start: system calls that fail, hang, or are noted."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.faults.stage import wait_until

WRITES = "pwrite64,pwritev,pwritev2,fdatasync,fsync,ftruncate,fallocate,rename,renameat,renameat2,mkdir,mkdirat"
"""What a write to the disk needs; ``write`` is left out, since it serves sockets and logs, too."""
DETACH_S = 10.0


def available() -> bool:
    return shutil.which("strace") is not None


@contextlib.contextmanager
def injected(pid: int, effect: str, log: Path) -> Iterator[None]:
    """While it lasts, every write of a process has ``effect``: ``error=EIO``, ``delay_enter=20000000`` (us)."""
    command = [
        "strace",
        "-f",
        "-p",
        str(pid),
        "-o",
        str(log),
        "-e",
        f"trace={WRITES}",
        "-e",
        f"inject={WRITES}:{effect}",
    ]
    said = log.with_suffix(".said")
    with said.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until(lambda: "attached" in said.read_text() or process.poll() is not None, "strace to attach")
        if process.poll() is not None:
            raise RuntimeError(f"strace: {said.read_text().strip()}")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(DETACH_S)
        if process.poll() is None:
            process.kill()
            process.wait(DETACH_S)


def hits(log: Path) -> int:
    """How many calls were hurt."""
    return len(re.findall(r"\(INJECTED\)|\(DELAYED\)|<detached", log.read_text(errors="replace")))
