"""Why a camera has no video: the reasons that the ledger gives, each with its meaning in words.

The codes are stored in the catalogue and printed by ``nvr gaps --json``: none is ever renamed.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One cause of a gap; its value is the stored code, ``meaning`` the words for people."""

    STARTING = "starting"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    BUSY = "busy"
    STALLED = "stalled"
    CLOSED = "closed"
    UNUSABLE = "unusable"
    NO_KEY_FRAME = "no-key-frame"
    ENDED = "ended"
    DISK_FULL = "disk-full"
    DISK_ERROR = "disk-error"
    DISK_SLOW = "disk-slow"
    VOLUME_MISSING = "volume-missing"
    CLOCK_STEPPED = "clock-stepped"
    CRASHED = "crashed"
    KILLED = "killed"
    HUNG = "hung"
    POWER = "power"
    STOPPED = "stopped"
    MISSING = "missing"
    DELETED = "deleted"
    SCHEDULE = "schedule"
    OFF = "off"
    UNKNOWN = "unknown"

    @property
    def meaning(self) -> str:
        """What happened, as the end of "no video, because …"."""
        return _MEANINGS[self]

    @property
    def scheduled(self) -> bool:
        """Whether the camera should have been recording: False where the configuration says that it should not."""
        return self not in (Reason.SCHEDULE, Reason.OFF)


_MEANINGS = {
    Reason.STARTING: "recording was about to begin",
    Reason.UNREACHABLE: "the camera could not be reached",
    Reason.REFUSED: "the camera refused the login",
    Reason.FORBIDDEN: "the camera did not let this user see the stream",
    Reason.NOT_FOUND: "the camera has no such stream",
    Reason.BUSY: "the camera had too many viewers or was busy",
    Reason.STALLED: "the camera stopped sending",
    Reason.CLOSED: "the camera closed the connection",
    Reason.UNUSABLE: "what the camera sent was no usable video",
    Reason.NO_KEY_FRAME: "no key frame came, so nothing could be decoded",
    Reason.ENDED: "the video file that stands in for a camera had ended",
    Reason.DISK_FULL: "the disk was full",
    Reason.DISK_ERROR: "the disk refused to be written",
    Reason.DISK_SLOW: "the disk did not keep up",
    Reason.VOLUME_MISSING: "the storage volume was not mounted",
    Reason.CLOCK_STEPPED: "the clock of this machine was set",
    Reason.CRASHED: "the recorder crashed",
    Reason.KILLED: "the recorder, or all of nvr, was killed",
    Reason.HUNG: "the recorder hung and was restarted",
    Reason.POWER: "this machine lost power or was restarted",
    Reason.STOPPED: "nvr was stopped by its operator",
    Reason.MISSING: "the file is gone though nvr did not delete it",
    Reason.DELETED: "the video was deleted by a rule of retention",
    Reason.SCHEDULE: "the schedule says not to record then",
    Reason.OFF: "the configuration says not to record this camera",
    Reason.UNKNOWN: "nothing is known about it",
}
