"""Change the configuration file and leave the rest of it as a person wrote it: comments, order, quotes.

Only the places in a camera's picture are changed by a program (zones, lines, masks). The new text is read and checked
as a whole before it replaces the old one, so that nothing is saved that ``nvr start`` would refuse.
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from nvr import config
from nvr.errors import ConfigError

PLACES = ("zones", "lines", "masks")
_saving = threading.Lock()
"""The file is read, changed and written by one at a time, or what the other has saved would be lost."""


class OvertakenError(ConfigError):
    """Somebody else has written the file since it was read; nothing was saved."""


def places(path: Path, camera: str) -> dict[str, Any]:
    """What the file says of a camera's ``zones`` and ``lines`` (by name) and ``masks``, as plain values.

    Raises ConfigError where the file cannot be read.
    """
    from nvr.config.document import read

    value: Any = read(path).value
    own = _detect_of((value.get("cameras") or {}).get(camera))
    shared = _detect_of(value.get("defaults"))
    empty: dict[str, Any] = {"zones": {}, "lines": {}, "masks": []}
    return {key: next((keys[key] for keys in (own, shared) if keys.get(key) is not None), empty[key]) for key in PLACES}


def save_places(path: Path, camera: str, new: Mapping[str, Any]) -> None:
    """Write a camera's ``zones``, ``lines`` and ``masks`` into the file. Raises ConfigError where they are wrong, or
    the file cannot be written, and OvertakenError where it was changed meanwhile; it is then as it was."""
    with _saving:
        _save_places(path.resolve(), camera, new)


def _parsed(path: Path) -> tuple[bytes, str, Any, Any]:
    """The file's content, that as text, what writes it again, and what it says. Raises ConfigError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.util import load_yaml_guess_indent

    try:
        content = path.read_bytes()
        text = content.decode().replace("\r\n", "\n")
        yaml = YAML(typ="rt")
        yaml.preserve_quotes = True
        yaml.width = 4096
        _, indent, offset = load_yaml_guess_indent(text)
        yaml.indent(mapping=2, sequence=indent or 4, offset=offset if offset is not None else 2)
        return content, text, yaml, yaml.load(text)
    except (OSError, YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be changed: {getattr(error, 'strerror', None) or 'it is not YAML'}"
        ) from error


def _save_places(path: Path, camera: str, new: Mapping[str, Any]) -> None:
    from ruamel.yaml.comments import CommentedMap

    content, text, yaml, tree = _parsed(path)
    cameras = tree.get("cameras") if isinstance(tree, Mapping) else None
    if not isinstance(cameras, CommentedMap) or camera not in cameras:
        raise ConfigError(f"{path} has no camera {camera} any more")
    if not isinstance(cameras[camera], CommentedMap | None):
        raise ConfigError(f"{path}: cameras.{camera} holds no keys; nvr config check says more")
    if not cameras.fa.flow_style():
        yaml.map_indent = cameras.lc.col
    before, others = _dumped(yaml, tree), _others(tree, camera)
    _place(cameras, camera, new, _detect_of(tree.get("defaults")))
    after = _dumped(yaml, tree)
    if _others(tree, camera) != others:
        raise ConfigError(
            f"{path}: {camera} shares its detect with another camera (an anchor, such as &name): write what is its own "
            "into the file by hand"
        )
    _replace(path, content, merged(text, before, after, lambda changed: _plain(yaml.load(changed)) == _plain(tree)))


def merged(text: str, before: str, after: str, right: Callable[[str], bool]) -> str:
    """A text with what changed from ``before`` to ``after``, which say the same as it did in other spaces; ``after``
    where that cannot be told, or the result is not ``right``."""
    lines, old, new = (each.splitlines(keepends=True) for each in (text, before, after))
    places: dict[int, int] = {}
    bare = [["".join(line.split()) for line in each] for each in (lines, old)]
    for block in SequenceMatcher(None, bare[1], bare[0], autojunk=False).get_matching_blocks():
        places |= {block.a + number: block.b + number for number in range(block.size + 1)}
    for tag, first, last, begin, end in reversed(SequenceMatcher(None, old, new, autojunk=False).get_opcodes()):
        if tag == "equal":
            continue
        if first not in places or last not in places:
            return after
        lines[places[first] : places[last]] = new[begin:end]
    changed = "".join(lines)
    return changed if right(changed) else after


def _dumped(yaml: Any, tree: Any) -> str:
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def _others(tree: Any, camera: str) -> Any:
    """All that the file says, but for the places of one camera."""
    plain = _plain(tree)
    own = plain["cameras"][camera] or {}
    written = own.get("detect")
    detect: dict[str, Any] = written if isinstance(written, dict) else {"mode": written}
    detect = {key: value for key, value in detect.items() if key not in PLACES and value is not None}
    plain["cameras"][camera] = {**own, "detect": detect}
    return plain


def _detect_of(camera: Any) -> Mapping[str, Any]:
    detect = camera.get("detect") if isinstance(camera, Mapping) else None
    return detect if isinstance(detect, Mapping) else {}


def _place(cameras: Any, camera: str, new: Mapping[str, Any], shared: Mapping[str, Any]) -> None:
    from ruamel.yaml.comments import CommentedMap

    if cameras[camera] is None:
        cameras[camera] = CommentedMap()
    keys = cameras[camera]
    detect = keys.get("detect")
    if not isinstance(detect, Mapping):
        keys["detect"] = CommentedMap() if detect is None else CommentedMap(mode=detect)
        detect = keys["detect"]
    for key in PLACES:
        if new[key] or shared.get(key):  # an empty one of its own, or the shared ones would count again
            detect[key] = _written(new[key], detect.get(key))
        elif key in detect:
            del detect[key]
    if not detect:
        del keys["detect"]


def _written(value: Any, before: Any) -> Any:
    """A value as a person would write it: points on one line; what was there before keeps its comments."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, Mapping):
        kept = before if isinstance(before, CommentedMap) else CommentedMap()
        for key in [key for key in kept if key not in value]:
            del kept[key]
        for key, each in value.items():
            if key not in kept or _plain(kept[key]) != _plain(each):
                kept[key] = _written(each, kept.get(key))
        return kept
    if isinstance(value, Sequence) and not isinstance(value, str):
        listed = CommentedSeq(_written(each, None) for each in value)
        if not value or not isinstance(value[0], Sequence) or isinstance(value[0][0], int | float | Sequence):
            listed.fa.set_flow_style()
        return listed
    return round(value, 4) if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return round(float(value), 4) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _replace(path: Path, content: bytes, text: str) -> None:
    """Put a new text in the file's place, once it is known to be right and on the disk; ``content`` is the old one."""
    try:
        newline = "\r\n" if b"\r\n" in content else "\n"
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline=newline) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            try:
                config.load(part, resolve=False)
            except ConfigError as error:
                raise ConfigError(str(error).replace(f"{part}:", f"{path.name}:")) from None
            found = path.stat()
            part.chmod(found.st_mode & 0o7777)
            if os.geteuid() == 0:
                os.chown(part, found.st_uid, found.st_gid)
            if path.read_bytes() != content:
                raise OvertakenError(
                    f"{path.name} was changed by somebody else at this moment: look at it, and try again"
                )
            part.rename(path)
            _sync(path.parent)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; check who may write to its folder") from error


def _sync(folder: Path) -> None:
    """Let the new name of a file survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
