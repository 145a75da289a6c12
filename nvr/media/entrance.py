"""Open a stream through its device's door: one login at a time, and none after a refusal.

Lives in the recorder process.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nvr.clock import Clock
from nvr.errors import LoginError, SourceError
from nvr.media.door import Door
from nvr.media.probe import explain_refusal
from nvr.media.source import Source, open_source
from nvr.model import Address
from nvr.reason import Reason


def enter(folder: Path, address: Address, clock: Clock, *, audio: bool, idle: Callable[[], bool]) -> Source:
    """Open a stream. ``folder`` is where the doors are, ``idle`` is called while another channel logs in, and gives up
    by returning False.

    Raises LoginError for a refused password; SourceError otherwise, also where FFmpeg could not send the password: a
    camera that wants SHA-256 refuses whatever the password is, and nothing is known of it.
    """
    with Door(folder, address, clock).try_login(idle):
        try:
            return open_source(address, clock, audio=audio)
        except LoginError as refused:
            advice = explain_refusal(address)
            if advice is None:
                raise
            raise SourceError(f"{refused}; {advice}", Reason.REFUSED) from refused
