"""Where everything is: the storage folder's inside, and (camera, instant) ↔ path.

The one place that spells a file name. People browse these folders by hand, so names are the start in local time with
its UTC offset: the hour that repeats when clocks go back has two names, and nothing is overwritten.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from nvr.errors import StorageError
from nvr.reason import Reason

MARKER = ".nvr-volume"
DATABASE = "nvr.db"
PART_SUFFIX = ".part"
_DAY, _MILLISECOND = timedelta(days=1), timedelta(milliseconds=1)
_LAST = datetime(9999, 12, 1, tzinfo=UTC)
SHARED_MEMORY = Path("/dev/shm")
_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)\.(\d{3})([+-]\d{4})")


def stamp(at: datetime, zone: tzinfo | None = None) -> tuple[str, str]:
    """Folder and file stem of an instant: ``("2026-11-22", "14-05-00.120+0100")``, in local time or ``zone``."""
    local = at.astimezone(zone)
    return local.strftime("%Y-%m-%d"), f"{local:%H-%M-%S}.{local.microsecond // 1000:03d}{local:%z}"


def parse_stamp(folder: str, stem: str) -> datetime:
    """The UTC instant (whole milliseconds) that ``stamp`` wrote. Raises ValueError for any other name."""
    match = _NAME.match(stem)
    if match is None:
        raise ValueError(f"{folder}/{stem} is not a name nvr gives")
    hour, minute, second, millisecond, offset = match.groups()
    if len(folder) != 10:  # other spellings of a day, which Python would read
        raise ValueError(f"{folder} is not a name nvr gives")
    try:
        return datetime.fromisoformat(f"{folder}T{hour}:{minute}:{second}.{millisecond}{offset}").astimezone(UTC)
    except OverflowError:  # an hour before the first year, or after the last
        raise ValueError(f"{folder}/{stem} is not a name nvr gives") from None


def segment_path(camera: str, start: datetime, zone: tzinfo | None = None) -> Path:
    """``segments/hik1/2026-11-22/14-05-00.120+0100.mp4``, relative to the storage folder."""
    folder, stem = stamp(start, zone)
    return Path("segments") / camera / folder / f"{stem}.mp4"


def segment_names(storage: Path, camera: str, since: datetime, until: datetime | None) -> Iterator[tuple[str, str]]:
    """Folder and name of a camera's files that began in [since, until], to the millisecond, and of all that are being
    written around then, by folder. Names alone are looked at, and no file: a day has more than a thousand.
    """
    root, edges = storage / "segments" / camera, dict[str, tuple[str, str]]()
    first, last = (f"{_moved(at, by):%Y-%m-%d}" for at, by in ((since, -_DAY), (until or _LAST, _DAY)))
    for folder in sorted(_names(root)):  # named by local dates, which may be a day off
        if not first <= folder <= last:
            continue
        for name in _names(root / folder):
            if name.endswith(PART_SUFFIX):
                yield folder, name
            elif name.endswith(".mp4"):
                offset = name[-9:-4]  # names of one offset sort as their files began
                if offset not in edges:
                    edges[offset] = _edges(offset, since, until or _LAST)
                low, high = edges[offset]
                if low <= f"{folder}/{name[:-4]}" <= high:
                    yield folder, name


def _edges(offset: str, since: datetime, until: datetime) -> tuple[str, str]:
    """The names that files of two instants have where local time has this offset; none fits where it is none."""
    try:
        zone = datetime.strptime(offset, "%z").tzinfo
    except ValueError:
        return "~", ""
    return "/".join(stamp(_moved(since, -_MILLISECOND), zone)), "/".join(stamp(_moved(until, _MILLISECOND), zone))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # a Path for each would cost more than the listing
    except (FileNotFoundError, NotADirectoryError):
        return []


def _moved(at: datetime, by: timedelta) -> datetime:
    """As far as the calendar goes, and as far as every zone does."""
    first = datetime(2, 1, 1, tzinfo=UTC)
    return min(max(at, first), _LAST) + by


def file_of(storage: Path, camera: str, day: str, name: str) -> Path | None:
    """A segment's file by the names of its folder and itself, also while it is being written; None for anything else,
    whatever the names hold."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or not name.endswith(".mp4") or not _NAME.fullmatch(name[:-4]):
        return None
    final = storage / "segments" / camera / day / name
    return next((path for path in (final, final.with_name(name + PART_SUFFIX)) if path.is_file()), None)


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8, as all are that nvr gives; Python holds other bytes as lone surrogates."""
    return not any("\ud800" <= each <= "\udfff" for each in name)


def free_path(storage: Path, path: Path) -> Path:
    """A segment's path, moved by milliseconds where the name is taken: a clock that is set back gives one again."""
    at = parse_stamp(path.parent.name, path.stem)
    zone = datetime.strptime(_NAME.match(path.stem)[5], "%z").tzinfo  # type: ignore[index]  # parse_stamp saw to it
    while (storage / path).exists() or (storage / f"{path}{PART_SUFFIX}").exists():
        at += timedelta(milliseconds=1)
        path = segment_path(path.parent.parent.name, at, zone)
    return path


def snapshot_path(camera: str, at: datetime, label: str, event: int, zone: tzinfo | None = None) -> Path:
    """``snapshots/hik1/2026-11-22/14-05-12.640+0100_person_17.jpg``, relative to the storage folder.

    The instant is rounded up to the millisecond: rounded down, it is one at which the video still shows the picture
    before (invariant 8).
    """
    folder, stem = stamp(at + timedelta(microseconds=999), zone)
    return Path("snapshots") / camera / folder / f"{stem}_{slug(label)}_{event}.jpg"


def thumbnail_path(camera: str, at: datetime, label: str, event: int, zone: tzinfo | None = None) -> Path:
    """``snapshots/hik1/2026-11-22/14-05-12.640+0100_person_17.thumb.jpg``: beside the snapshot of the same instant."""
    return snapshot_path(camera, at, label, event, zone).with_suffix(".thumb.jpg")


def sample_path(camera: str, at: datetime, label: str, event: int, zone: tzinfo | None = None) -> Path:
    """``samples/hik1/2026-11-22_14-05-12.640+0100_person_17.jpg``, relative to the storage folder.

    What a person has marked false; a ``.json`` of the same name says what it was taken for. Never deleted for its age.
    """
    folder, stem = stamp(at + timedelta(microseconds=999), zone)
    return Path("samples") / camera / f"{folder}_{stem}_{slug(label)}_{event}.jpg"


def slug(label: str) -> str:
    """A label as file names have it: ``traffic-light``, and no longer than they may be, whoever made it up."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower())[:64] or "-"


def database_path(storage: Path) -> Path:
    """The catalogue's usual place."""
    return storage / DATABASE


def database_of(storage: Path, chosen: Path | None) -> Path:
    """Where the catalogue is: where the configuration says, else in its usual place."""
    return chosen or database_path(storage)


def prepare(storage: Path) -> str:
    """Make the storage folder ready to be recorded into and return its volume id.

    A new or empty folder gets its marker. A folder that holds other things but no marker is refused: it may be the
    mount point of a disk that is not mounted (invariant 10). Raises StorageError also where the folder cannot be
    written. One that is full is no error: room is made by deleting what is old.
    """
    try:
        storage.mkdir(parents=True, exist_ok=True)
        if not (storage / MARKER).exists():
            foreign = sorted(entry.name for entry in storage.iterdir() if not _is_ours(entry.name))
            if foreign:
                raise StorageError(
                    f"{storage} has files ({foreign[0]}…) but no {MARKER}: is the right disk mounted? "
                    f"If this folder is to hold recordings, create the marker: uuidgen > {storage / MARKER}"
                )
            write_durably(storage / MARKER, f"{uuid.uuid4()}\n".encode())
        elif not os.access(storage, os.W_OK):
            raise PermissionError(13, "not writable")
        with tempfile.TemporaryFile(dir=storage) as probe:
            probe.write(b"x" * 4096)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not (storage / MARKER).exists():
            raise StorageError(f"cannot write to the storage folder {storage}: {error.strerror or error}") from error
    return volume_id(storage)


def _is_ours(name: str) -> bool:
    """Whether an entry says nothing about which disk this is: the catalogue may be made before the first recording."""
    return name in {".gitkeep", "lost+found"} or name.startswith(DATABASE)


def volume_id(storage: Path) -> str:
    """The id in the storage folder's marker. Raises StorageError where there is none."""
    try:
        text = (storage / MARKER).read_text().strip()
    except OSError as error:
        raise StorageError(
            f"{storage} has no {MARKER}: nothing was recorded there, or its disk is not mounted"
        ) from error
    if not re.fullmatch(r"[0-9A-Za-z-]{8,64}", text):
        raise StorageError(f"{storage / MARKER} does not hold a volume id: restore it, or write one with uuidgen")
    return text


def require_marker(storage: Path) -> None:
    """Raise StorageError where the marker is gone: the disk was unmounted, and its mount point is another disk's."""
    if not (storage / MARKER).exists():
        raise StorageError(
            f"{storage} has no {MARKER} any more: is its disk still mounted? Nothing is written there",
            Reason.VOLUME_MISSING,
        )


def run_folder(volume: str) -> Path:
    """Where the slots and pulses of a running recorder are, in shared memory."""
    return SHARED_MEMORY / f"nvr-{volume}"


def slot_path(folder: Path, camera: str) -> Path:
    return folder / f"{camera}.slot"


def ring_path(folder: Path, camera: str, stream: str) -> Path:
    return folder / f"{camera}.{stream}.ring"


def pulse_path(folder: Path, process: str) -> Path:
    return folder / f"{process}.pulse"


def free_bytes(path: Path) -> int:
    """What an ordinary user may still write, bytes (``f_bavail``, so without the root reserve)."""
    usage = os.statvfs(path)
    return usage.f_bavail * usage.f_frsize


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they survive a power cut: each is a name in the one above."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write a whole file so that it is there complete or not at all, also after a power cut."""
    make_folder(path.parent)
    part = path.with_name(path.name + PART_SUFFIX)
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)
