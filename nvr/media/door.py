"""Logins at one device, over all processes of this machine: one at a time, and none after a refusal.

Cameras count wrong logins by device and user, not by channel, and lock the account after five to seven of them, for
good passwords too. So all who log in at one device as one user pass one door: a file in the run folder that is locked
(flock, which the kernel undoes when a process is killed) while somebody tries, and that holds how the last tries ended.

A refusal counts for the password that was refused; another one, after a change of the configuration, may be tried at
once. The file tells passwords apart by salted scrypt digests (RFC 7914); it holds neither a password nor a user's name.
Lives in the recorder process and in ``nvr cameras test``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from nvr.clock import Clock, format_local, from_us
from nvr.errors import LoginError, SourceError
from nvr.model import Address
from nvr.reason import Reason

log = logging.getLogger(__name__)
REFUSED_US = 1_800_000_000
"""After a refusal nobody tries for so long: cameras lock for up to 30 min, and count anew after that."""
TOGETHER_US = 10_000_000
"""After a login that was let in, others may try at the same time for so long: channels open in parallel."""
MINUTE_US = 60_000_000
PAUSE_S = 0.1
PASSWORDS = 8
"""How many passwords' outcomes one file keeps, the newest."""
PORTS = {"rtsp": 554, "rtsps": 322}
_FILE_BYTES = 8192

Outcome = Literal["let in", "refused"]


class Door:
    """The way in to ``address``, shared through ``folder`` (mode 0700, made where it is missing).

    Nothing is shared, and nobody waits, for a file or for an address without a user name. Use from one thread.
    """

    def __init__(self, folder: Path, address: Address, clock: Clock) -> None:
        self._folder = folder
        self._address = address
        self._clock = clock
        self._digests: dict[str, str] = {}

    @contextmanager
    def try_login(self, idle: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Hold the door while the body logs in, once.

        Raises LoginError, without anything sent, where this login was refused in the last 30 minutes; SourceError where
        the folder cannot be written. While another process tries, it waits: ``idle`` is called every 0.1 s, and where
        it returns False SourceError is raised.
        A body that ends well is a login let in, one that raises LoginError a refused one; after any other exception
        as much is known as before.
        """
        if self._address.is_file or not self._address.username:
            yield
            return
        descriptor = self._open()
        try:
            self._lock(descriptor, idle)
            alone = self._ask(descriptor)
            if not alone:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            try:
                yield
            except LoginError:
                if not alone:
                    with suppress(SourceError):  # what else is known of this login is not more important
                        self._lock(descriptor, idle)
                self._note(descriptor, "refused")
                raise
            if alone:
                self._note(descriptor, "let in")
        finally:
            os.close(descriptor)  # and with it the lock

    def _open(self) -> int:
        parts = urlsplit(self._address.url)
        host = f"{(parts.hostname or '').lower()}:{parts.port or PORTS.get(parts.scheme, 0)}"
        name = hashlib.blake2b(f"{host}\0{self._address.username}".encode(), digest_size=8).hexdigest()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._folder / f"{name}.door", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            text = f"{self._address.url}: no login is tried, since {self._folder} cannot be written: {error.strerror}"
            raise SourceError(text, Reason.STARTING) from error

    def _lock(self, descriptor: int, idle: Callable[[], bool]) -> None:
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not idle():
                    text = f"{self._address.url}: given up while another channel was logging in"
                    raise SourceError(text, Reason.STARTING) from None
            time.sleep(PAUSE_S)

    def _ask(self, descriptor: int) -> bool:
        """Whether this login must be the only one. Raises LoginError where it must not be at all."""
        salt, outcomes = _read(descriptor)
        outcome, at_us = outcomes.get(self._digest(salt), ("let in", None))
        now_us = self._clock.monotonic_us()
        if at_us is None or at_us > now_us:
            return True
        if outcome == "let in":
            return now_us - at_us >= TOGETHER_US
        left_us = at_us + REFUSED_US - now_us
        if left_us > 0:
            next_try = from_us(-((self._clock.now_us() + left_us) // -MINUTE_US) * MINUTE_US)  # the text stays the same
            raise LoginError(
                f"{self._address.url}: not tried: another channel or try was refused the login of "
                f"{self._address.username} in the last 30 min, and cameras lock the account after a few wrong ones. "
                f"Correct the password; without that the next try is at {format_local(next_try)}"
            )
        return True

    def _note(self, descriptor: int, outcome: Outcome) -> None:
        salt, outcomes = _read(descriptor)
        outcomes.pop(self._digest(salt), None)
        outcomes[self._digest(salt)] = (outcome, self._clock.monotonic_us())
        kept = dict(list(outcomes.items())[-PASSWORDS:])
        # What is left of a longer line, if this process is killed here, comes after the end of this one.
        line = json.dumps({"salt": salt, "outcomes": kept}).encode() + b"\n"
        try:
            os.pwrite(descriptor, line, 0)
            os.ftruncate(descriptor, len(line))
        except OSError as error:
            log.error("%s: others will not know that this login was %s: %s", self._folder, outcome, error)

    def _digest(self, salt: str) -> str:
        if salt not in self._digests:
            password = (self._address.password or "").encode()
            key = hashlib.scrypt(password, salt=bytes.fromhex(salt), n=1 << 10, r=8, p=1, dklen=16)
            self._digests = {salt: key.hex()}
        return self._digests[salt]


def _read(descriptor: int) -> tuple[str, dict[str, tuple[Outcome, int]]]:
    """Salt, and outcome and monotonic instant by password digest, oldest first; a new salt where nothing is known."""
    line = os.pread(descriptor, _FILE_BYTES, 0).partition(b"\n")[0]
    try:
        known: Any = json.loads(line)
        return known["salt"], {digest: (outcome, at_us) for digest, (outcome, at_us) in known["outcomes"].items()}
    except (ValueError, LookupError, TypeError, AttributeError):  # empty, or not ours
        return secrets.token_hex(16), {}
