"""Where processes come from: a small process that has imported what they need, opened nothing, and forks on request.

The supervisor forks the nursery before it imports anything large, so base, nursery and every worker share their pages;
the nursery then imports FFmpeg once for all. ``multiprocessing``'s forkserver does the same from a fresh interpreter,
with a second one to track resources, and shares less (docs/measured.md). No process with threads
is ever forked: the nursery has none, and neither has the supervisor.

A worker ends by itself when its channel ends, so none outlives the supervisor. A nursery that is killed is replaced at
the next start of a worker; the workers it leaves are ended by closing their channels.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import pickle
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from nvr.errors import NvrError

log = logging.getLogger(__name__)
MESSAGE_BYTES = 1 << 16
IDLE_S = 60.0
END_TRIES, END_PAUSE_S = 100, 0.02
ANSWER_S = 10.0
"""How long a fork may take: the nursery's first answer waits for its imports."""
ORPHANS_S = 9.0
"""How long workers may take to end by themselves once their supervisor has gone."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A worker's end: its exit code, or minus the number of the signal that ended it."""

    pid: int
    code: int


class Nursery:
    """The supervisor's end. Use it from one thread."""

    def __init__(self, preload: Sequence[str]) -> None:
        """``preload`` names modules that workers need; they are imported in the nursery alone."""
        self._preload = tuple(preload)
        self.channel: socket.socket | None = None
        self.pid = 0

    def start(self) -> None:
        """Fork the nursery. Before this process imports much, and while it has one thread."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # a collection writes to every object it looks at, and so would copy every shared page
        pid = os.fork()
        if pid == 0:
            _live(theirs, self._preload)
        theirs.close()
        ours.settimeout(ANSWER_S)
        self.channel, self.pid = ours, pid

    def spawn(self, target: str, arguments: tuple[Any, ...], worker: socket.socket) -> tuple[int, list[Exit]]:
        """Fork a worker that calls ``target`` (``module:function``) with ``arguments`` and its end of a channel.

        Returns its pid, and exits that were reported meanwhile. Raises OSError where the nursery does not answer.
        """
        if self.channel is None:
            self.start()
        channel = self.channel
        assert channel is not None
        socket.send_fds(channel, [pickle.dumps((target, arguments))], [worker.fileno()])
        exits: list[Exit] = []
        while True:
            answer = self._receive(channel)
            if isinstance(answer, int):
                return answer, exits
            exits.append(answer)

    def exits(self) -> list[Exit]:
        """Workers that ended since the last call; the channel is readable when there are some.

        Raises EOFError when the nursery itself has ended: what became of its workers is then not known.
        """
        found: list[Exit] = []
        channel = self.channel
        if channel is None:
            return found
        channel.setblocking(False)
        try:
            while True:
                answer = self._receive(channel)
                if isinstance(answer, Exit):
                    found.append(answer)
        except BlockingIOError:
            return found
        except (OSError, EOFError):
            self.close()
            raise EOFError from None
        finally:
            if self.channel is not None:
                channel.settimeout(ANSWER_S)

    def close(self) -> None:
        """Let the nursery end; it does when its channel is closed."""
        if self.channel is None:
            return
        self.channel.close()
        self.channel = None
        for _ in range(END_TRIES):
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return
            time.sleep(END_PAUSE_S)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    @staticmethod
    def _receive(channel: socket.socket) -> int | Exit:
        data = channel.recv(MESSAGE_BYTES)
        if not data:
            raise EOFError
        answer: int | Exit = pickle.loads(data)
        return answer


def _live(channel: socket.socket, preload: Sequence[str]) -> NoReturn:
    """The nursery's life: fork on request, report exits, end with the channel."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its supervisor, and after its workers
    _close_all_but(channel.fileno())
    gc.disable()
    for module in preload:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()
    workers: set[int] = set()
    read, write = socket.socketpair()
    read.setblocking(False)
    write.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([channel, read], [], [], IDLE_S)
        if channel in ready:
            data, fds, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
            if not data:
                _end_all(workers)
            pid = os.fork()
            if pid == 0:
                _be_worker(data, fds[0], (channel, read, write))
            workers.add(pid)
            os.close(fds[0])
            _tell(channel, pid)
        if read in ready:
            read.recv(4096)
        for exit in _reap():
            workers.discard(exit.pid)
            _tell(channel, exit)


def _tell(channel: socket.socket, answer: int | Exit) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the supervisor has gone: seen at the next read
        channel.send(pickle.dumps(answer))


def _end_all(workers: set[int]) -> NoReturn:
    """The supervisor has gone: workers see that themselves and end; those that are stuck or stopped are killed."""
    for _ in range(round(ORPHANS_S / END_PAUSE_S)):
        for exit in _reap():
            workers.discard(exit.pid)
        if not workers:
            os._exit(0)
        time.sleep(END_PAUSE_S)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _reap() -> list[Exit]:
    ended: list[Exit] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append(Exit(pid, os.waitstatus_to_exitcode(status)))


def _be_worker(data: bytes, descriptor: int, not_mine: Sequence[socket.socket]) -> NoReturn:
    """A worker's first steps. What goes wrong is said in one line; a bug's traceback is for ``--log-level debug``."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):  # a hang-up is the supervisor's to hear
            signal.signal(number, signal.SIG_DFL)
        for each in not_mine:
            each.close()
        target, arguments = pickle.loads(data)
        module, _, function = target.partition(":")
        getattr(importlib.import_module(module), function)(*arguments, socket.socket(fileno=descriptor))
        code = 0
    except NvrError as error:
        log.error("%s", error)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.critical("bug: %s: %s (%s:%s)", type(error).__name__, error, place.filename, place.lineno)
        log.debug("traceback", exc_info=True)
    finally:
        sys.stderr.flush()
        os._exit(code)


def _close_all_but(kept: int) -> None:
    """Whatever the supervisor had open is not the nursery's: standard streams and the channel alone are."""
    limit = os.sysconf("SC_OPEN_MAX")
    os.closerange(3, kept)
    os.closerange(kept + 1, min(limit, 1 << 16))
