"""The values of single keys: how each is read, and what of the world outside the file it may look at.

Each is a pydantic type with its check, whose ValueError says what is wanted, and with what the JSON schema says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    InstanceOf,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)

from nvr.config.address import check_host, check_rtsp, is_file, split_login
from nvr.config.echo import kind, redact, shown
from nvr.config.unit import DURATION_PATTERN, SIZE_PATTERN, examples, parse_size, parse_span
from nvr.schedule import DAY_PATTERN, SPAN_PATTERN, Schedule, parse


@dataclass(frozen=True, slots=True)
class Outside:
    """What values refer to: the file's folder, and the environment for secrets.

    ``environ`` is None where neither secrets nor files are to be looked at.
    """

    folder: Path = Path()
    environ: Mapping[str, str] | None = field(default=None, repr=False)


def _outside(info: ValidationInfo) -> Outside:
    return info.context if isinstance(info.context, Outside) else Outside()


def _path(given: object, info: ValidationInfo) -> Path:
    if not isinstance(given, str | Path) or not str(given):
        raise ValueError(f"got {shown(given)}, want a path")
    try:
        return (_outside(info).folder / Path(given).expanduser()).absolute()
    except RuntimeError:
        raise ValueError(f"got {shown(given)}, whose home folder is not known: write the whole path") from None


def _lacks(path: Path, info: ValidationInfo) -> bool:
    """Whether a file that is to be looked for is not there, or in a folder that may not be entered."""
    try:
        return _outside(info).environ is not None and not path.is_file()
    except OSError:
        return True


def _existing(path: Path, info: ValidationInfo) -> Path:
    if _lacks(path, info):
        raise ValueError(f"there is no file {path}")
    return path


def _url(given: str, info: ValidationInfo) -> str:
    if not is_file(given):
        if split_login(given)[0] != given:
            raise ValueError(f"got {shown(given)} with a login in it and another beside it: keep one of them")
        return check_rtsp(given)
    path = _path(given, info)
    if _lacks(path, info):
        raise ValueError(f"got {shown(given)}: there is no such video file, and an address starts with rtsp://")
    return str(path)


def _secret(given: object, info: ValidationInfo) -> SecretStr | None:
    environ = _outside(info).environ
    match given:
        case SecretStr():
            return given
        case str():
            secret, where = given, "the text"
        case {"env": str() as name, **rest} if not rest:
            if environ is None:
                return None
            if name not in environ:
                raise ValueError(f"the environment variable {name} is not set: set it before nvr starts")
            secret, where = environ[name], f"the environment variable {name}"
        case {"file": str() as name, **rest} if not rest:
            if environ is None:
                return None
            path = _path(name, info)
            secret, where = _first_line(path), f"the file {path}"
        case _:
            hint = ": put it in quotes" if isinstance(given, int | float) else ""
            raise ValueError(f"got {kind(given)}, want text, {{env: NAME}} or {{file: PATH}}{hint}")
    if not secret:
        raise ValueError(f"{where} is empty, want a password")
    return SecretStr(secret)


def _first_line(path: Path) -> str:
    try:
        if not path.is_file():
            raise ValueError(f"there is no file {path} to read it from")
        with path.open("rb") as file:
            return file.readline(4096).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"the file {path} is not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"cannot read the file {path}: {error.strerror or error}") from None


def _size(given: object) -> int:
    if not isinstance(given, str):
        raise ValueError(f"got {shown(given)}, want a size such as 500GB, 200MB or 1TiB")
    return parse_size(given)


def _not_nothing(size: int) -> int:
    if not size:
        raise ValueError("got nothing at all: leave the key out for no limit")
    return size


def _week(given: object) -> Schedule:
    if isinstance(given, Schedule):
        return given
    if not isinstance(given, Mapping):
        raise ValueError(f'got {shown(given)}, want days with spans, such as {{mon-fri: "07:00-19:00"}}')
    try:
        return parse(given)
    except ValueError as error:
        raise ValueError(redact(str(error))) from None


def _tuple(given: object) -> object:
    return tuple(given) if isinstance(given, list) else given


def span(least: timedelta, most: timedelta) -> BeforeValidator:
    """The check of a duration with limits."""

    def check(given: object) -> timedelta:
        if isinstance(given, timedelta):
            return given
        if not isinstance(given, str):
            raise ValueError(f"got {shown(given)}, want a duration such as {examples(least, most)}")
        return parse_span(given, least, most)

    return BeforeValidator(check)


def _reference(key: str, means: str) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": means}}
    return {"type": "object", "properties": properties, "required": [key], "additionalProperties": False}


DurationSchema = WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})
Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
"""Small letters, digits and hyphens, at most 32."""
Texts = Annotated[tuple[Text, ...], BeforeValidator(_tuple)]
AnyPath = Annotated[Path, BeforeValidator(_path)]
"""An absolute path; a relative one starts at the configuration file's folder, ``~`` at the home folder."""
ExistingFile = Annotated[AnyPath, AfterValidator(_existing)]
Host = Annotated[str, AfterValidator(check_host)]
Url = Annotated[str, AfterValidator(_url)]
"""An RTSP address without a login, or the absolute path of a video file."""
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN}),
]
"""Bytes."""
MostSize = Annotated[Size, AfterValidator(_not_nothing)]
"""Bytes, more than 0."""
_SpanSchema = {"type": "string", "pattern": SPAN_PATTERN}
Week = Annotated[
    InstanceOf[Schedule],
    BeforeValidator(_week),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": DAY_PATTERN},
            "additionalProperties": {"anyOf": [_SpanSchema, {"type": "array", "items": _SpanSchema}]},
            "minProperties": 1,
        }
    ),
]
"""A weekly schedule in the machine's local time."""
Secret = Annotated[
    SecretStr | None,
    BeforeValidator(_secret),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                _reference("env", "Name of the environment variable that holds it."),
                _reference("file", "Path of the file whose first line it is."),
            ]
        }
    ),
]
"""A password: text, ``{env: NAME}`` or ``{file: PATH}`` (its first line). None where it was not to be looked up."""
