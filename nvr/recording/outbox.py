"""What a recorder tells the supervisor: rows, over a socket that never makes it wait.

Lives in the recorder process. The supervisor is the catalogue's writer; when it is slow or the database is locked,
messages wait here, the newest ``LIMIT`` of them. One that is dropped is counted and loses nothing: the file it
speaks of describes itself, and the next start reads it back.
"""

from __future__ import annotations

import pickle
import socket
import threading
from collections import deque
from dataclasses import dataclass

from nvr.model import Gap, Run, Segment


@dataclass(frozen=True, slots=True)
class Room:
    """The disk is full: the janitor is to make room at once."""


Message = Run | Segment | Gap | Room
"""A Run or Gap without an end has begun, one with an end has ended; a Segment is sealed."""
LIMIT = 1000


class Outbox:
    """Sends messages without blocking. Safe for use from the recorder's threads."""

    def __init__(self, channel: socket.socket) -> None:
        channel.setblocking(False)
        self.channel = channel
        self.dropped = 0
        self._waiting: deque[bytes] = deque()
        self._lock = threading.Lock()

    def post(self, message: Message) -> None:
        """Send now if the supervisor has room, else keep for ``flush``."""
        with self._lock:
            if len(self._waiting) >= LIMIT:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(pickle.dumps(message))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the supervisor has room."""
        with self._lock:
            while self._waiting:
                try:
                    self.channel.send(self._waiting[0])
                except BlockingIOError:
                    return
                except OSError:  # the supervisor is gone; the keeper notices and ends this process
                    return
                self._waiting.popleft()


def read_message(channel: socket.socket) -> Message | None:
    """The supervisor's side: the next message, None where there is none. Raises EOFError when the recorder is gone."""
    try:
        data = channel.recv(1 << 16)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        raise EOFError from None
    if not data:
        raise EOFError
    message: Message = pickle.loads(data)  # from our own child, over a private socket
    return message
