"""Tell systemd how this service is: sd_notify(3) over a datagram socket, without a library.

Lives in the supervisor's process. Where nobody asked to be told (no ``NOTIFY_SOCKET``) nothing happens; telling never
raises and never waits, since a service manager that does not listen must not stop a recorder.
"""

from __future__ import annotations

import contextlib
import os
import socket

STATUS_CHARACTERS = 256


class Systemd:
    """What a service of ``Type=notify`` owes its manager. Use from one process: a child's words do not count."""

    def __init__(self) -> None:
        environment = os.environ  # noqa: TID251  # systemd speaks through the environment
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self.watchdog_us = _watchdog_us(environment.get("WATCHDOG_USEC"), environment.get("WATCHDOG_PID"))
        """Without ``alive`` for so long systemd ends this process; None where it does not watch."""

    def ready(self) -> None:
        """Start-up is over: what waits for this service may go on."""
        self._tell("READY=1")

    def alive(self) -> None:
        """Feed the watchdog; call it at least twice in ``watchdog_us``. Nothing where systemd does not watch."""
        if self.watchdog_us is not None:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._tell("STATUS=" + " ".join(text.split())[:STATUS_CHARACTERS])

    def _tell(self, message: str) -> None:
        if self._address is None:
            return
        with (
            contextlib.suppress(OSError),  # nobody listens, or not now
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as channel,
        ):
            channel.sendto(message.encode(errors="replace"), self._address)


def _address(text: str) -> str | None:
    """The socket's address: a path, or with ``@`` a name in the abstract namespace (unix(7)); None for any other."""
    if text.startswith("/") and "\0" not in text:
        return text
    return f"\0{text[1:]}" if len(text) > 1 and text.startswith("@") else None


def _watchdog_us(usec: str | None, pid: str | None) -> int | None:
    """WATCHDOG_USEC, if it is meant for this process (sd_watchdog_enabled(3))."""
    if usec is None or not usec.isdecimal() or int(usec) == 0 or (pid or str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec)
