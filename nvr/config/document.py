"""A YAML 1.2 file as plain values that remember their lines.

Knows YAML and files, nothing of cameras. Mappings are ``dict[str, object]`` whose keys are the text as written (``1``
and ``on`` are names here), lists are ``list``, scalars follow the core schema (YAML 1.2, section 10.3): ``off`` and
``12:30`` are text. Anchors, aliases and merge keys (``<<``) work. No error holds a value of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.config.echo import clean, printable
from nvr.errors import ConfigError

if TYPE_CHECKING:
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.nodes import Node

Place = tuple[str | int, ...]
"""The keys and list positions that lead to a value: ``("cameras", "hik1", "detect", "labels", 0)``."""

_MOST_BYTES = 1_000_000
_TAG = "tag:yaml.org,2002:"
_ECHO = re.compile(r"(['\"])(?!<|\\)[^'\"]{2,}\1")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: ``line`` counts from 1."""

    line: int
    place: Place
    text: str

    def __str__(self) -> str:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{clean(part)}" for part in self.place)
        return f"{where.removeprefix('.')}: {printable(self.text)}"


class Document:
    """The values of one file. ``problems`` are the keys that were given twice."""

    def __init__(self, root: Node, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._lines: dict[int, dict[str | int, int]] = {}
        self._built: dict[int, object] = {}
        self.value = self._build(root, ())

    def holds(self, place: Place) -> bool:
        """Whether the file has a value there."""
        value = self.value
        for part in place:
            if part not in self._lines.get(id(value), ()):
                return False
            value = value[part]  # type: ignore[index]  # only containers have lines
        return True

    def nearest(self, place: Place) -> Place:
        """The longest beginning of ``place`` that the file has a value at."""
        return next(place[:length] for length in range(len(place), -1, -1) if self.holds(place[:length]))

    def at(self, place: Place) -> object:
        """The value there. Raises KeyError or IndexError where there is none."""
        value = self.value
        for part in place:
            value = value[part]  # type: ignore[index]
        return value

    def line(self, place: Place) -> int:
        """The line of a key or list item, or of the nearest one around it."""
        place = self.nearest(place)
        return self._lines[id(self.at(place[:-1]))][place[-1]] if place else 1

    def _build(self, node: Node, place: Place) -> object:
        if isinstance(node.value, str):
            return self._scalar(node)
        # An alias is its anchor's node again: built once, or a file of a kilobyte could mean gigabytes of values.
        if id(node) in self._built:
            if self._built[id(node)] is None:
                raise self._error(node, "an alias that contains itself")
            return self._built[id(node)]
        self._built[id(node)] = None
        if node.tag == _TAG + "map":
            value: object = self._mapping(node, place)
        elif node.tag == _TAG + "seq":
            items = [self._build(item, (*place, index)) for index, item in enumerate(node.value)]
            self._lines[id(items)] = {index: item.start_mark.line + 1 for index, item in enumerate(node.value)}
            value = items
        else:
            raise self._error(node, "a tag that has no meaning here")
        self._built[id(node)] = value
        return value

    def _mapping(self, node: Node, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        lines: dict[str | int, int] = {}
        merged: list[object] = []
        for key_node, value_node in node.value:
            if not isinstance(key_node.value, str):
                raise self._error(key_node, "a key that is a list or a mapping; want a name")
            key, line = key_node.value, key_node.start_mark.line + 1
            value = self._build(value_node, (*place, key))
            if key_node.tag == _TAG + "merge":
                merged += value if isinstance(value, list) else [value]
                continue
            if key in values:
                text = f"given twice, first on line {lines[key]}: remove one of them"
                self.problems.append(Problem(line, (*place, key), text))
            values[key], lines[key] = value, line
        for other in merged:
            if not isinstance(other, dict):
                raise self._error(node, "<< that does not name a mapping; want an alias such as *shared")
            for key in (key for key in other if key not in values):
                values[key], lines[key] = other[key], self._lines[id(other)][key]
        self._lines[id(values)] = lines
        return values

    def _scalar(self, node: Node) -> object:
        text, tag = node.value, str(node.tag).removeprefix(_TAG)
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() in {"true", "yes", "on", "y"}
        if tag in {"int", "float"}:
            return _number(text, tag)
        if tag in {"str", "timestamp", "value", "merge"}:
            return text
        raise self._error(node, "a tag that has no meaning here; put text that starts with ! in quotes")

    def _error(self, node: Node, text: str) -> ConfigError:
        return ConfigError(f"{self.path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}: {text}")


def _number(text: str, tag: str) -> int | float | str:
    """A YAML number; one that Python does not read (more than 4300 digits, ``12:30`` of YAML 1.1) stays text."""
    try:
        if tag == "float":
            return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        return int(text, 0) if text.lstrip("+-")[:2].lower() in {"0x", "0o", "0b"} else int(text)
    except ValueError:
        return text


def read(path: Path) -> Document:
    """Read one YAML file. Raises ConfigError, with line and column, where it is not readable or not YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    text = _text(path)
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        root = yaml.compose(text)
    except YAMLError as error:
        problem = _syntax(error, text)
    except RecursionError:
        problem = " nested too deeply to be a configuration"
    else:
        document = None if root is None else Document(root, path)
        if document is None or document.value is None:
            raise ConfigError(f"{path} is empty: name a camera in it, as docs/configuration.md shows")
        if not isinstance(document.value, dict):
            raise ConfigError(f'{path}:1: want keys such as "cameras:" at the top, not a list or a single value')
        return document
    raise ConfigError(f"{path}:{problem}")


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder, want a YAML file such as {path / 'nvr.yaml'}")
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} is not an ordinary file: want a YAML file")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist: name the configuration with --config or NVR_CONFIG, or write one "
            "as docs/configuration.md shows"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}; check who may read it") from error
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path} has more than {_MOST_BYTES // 1000} kB: is it the right file?")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text: save the file as UTF-8") from None


def _syntax(error: YAMLError, text: str) -> str:
    """``12:5: not YAML: …`` of a YAMLError, without its excerpt of the file, which may hold a password."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        before = text[: getattr(error, "position", 0)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return f"{line}:{column}: not YAML: a control character"
    problem = _ECHO.sub("…", (getattr(error, "problem", None) or "").strip().splitlines()[0])
    hint = ""
    if r"'\t'" in problem:
        hint = ": indent with spaces, not with tabs"
    elif "undefined alias" in problem:
        hint = ": put text that starts with * in quotes"
    context, start = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context and start is not None:
        hint += f" ({_ECHO.sub('…', context)} that begins on line {start.line + 1})"
    return f"{mark.line + 1}:{mark.column + 1}: not YAML: {problem}{hint}"
