"""Where in the picture, how large and how sure: the keys of zones, lines, masks and filters below ``detect``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from nvr.analysis.zones import has_area, self_crossing
from nvr.config.echo import shown
from nvr.config.keys import Keys, key
from nvr.config.value import DurationSchema, Text, Texts, Week, span

MOST = 32
"""Zones, lines or masks of a camera."""
MOST_CORNERS, MOST_BENDS = 64, 16
_PERCENT_PATTERN = r"^([0-9]{1,3}(?:\.[0-9]{1,18})?)%$"
_PERCENT = re.compile(_PERCENT_PATTERN)
_Pair = tuple[float, float]


def _fraction(value: object) -> float | None:
    """A number from 0 to 1; None for anything else."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if fits else None  # type: ignore[arg-type]  # it is a number


def _pair(given: object) -> _Pair:
    """A point: ``[0.1, 0.5]`` or ``"0.1,0.5"``."""
    pair: object = given
    if isinstance(given, str):
        try:
            pair = [float(part) for part in given.split(",")]
        except ValueError:
            pair = None
    match pair:
        case [given_x, given_y] if (x := _fraction(given_x)) is not None and (y := _fraction(given_y)) is not None:
            return x, y
        case [int() | float() as x, int() | float() as y]:
            hint = ": 0 is left or top, 1 is right or bottom; divide pixels by the picture's width or height"
            raise ValueError(f"got {shown(x)}, {shown(y)}, want two numbers from 0 to 1{hint}")
    raise ValueError(f"got {shown(given)}, want a point such as [0.1, 0.5]")


def _split(given: object) -> object:
    """Points as text become a list of texts."""
    if isinstance(given, str):
        return tuple(given.split())
    if isinstance(given, list | tuple):
        return tuple(given)
    raise ValueError(f'got {shown(given)}, want points such as [[0.1, 0.5], [0.9, 0.5], [0.5, 1]] or "0.1,0.5 0.9,0.5"')


def _polygon(points: tuple[_Pair, ...]) -> tuple[_Pair, ...]:
    """A closed outline that ends where it began loses its last point."""
    if len(points) > 3 and points[0] == points[-1]:
        points = points[:-1]
    _check_count(points, 3, MOST_CORNERS)
    if not has_area(points):
        raise ValueError("has no area: all points are on one line, want three that are not")
    _check_apart([*points, points[0]])
    wrong = self_crossing(points)
    if wrong is not None:
        first, second = (f"edge {edge} ({_edge(points, edge)})" for edge in wrong)
        raise ValueError(f"crosses or touches itself: {first} and {second}; want the corners in order around it")
    return points


def _course(points: tuple[_Pair, ...]) -> tuple[_Pair, ...]:
    _check_count(points, 2, MOST_BENDS)
    _check_apart(points)
    return points


def _check_count(points: Sequence[_Pair], least: int, most: int) -> None:
    if not least <= len(points) <= most:
        raise ValueError(f"got {len(points)} point{'' if len(points) == 1 else 's'}, want {least} to {most}")


def _check_apart(points: Sequence[_Pair]) -> None:
    for number, (point, after) in enumerate(pairwise(points), 1):
        if point == after:
            raise ValueError(f"has point {number} ({_spell(point)}) twice in a row: remove one of them")


def _edge(points: Sequence[_Pair], number: int) -> str:
    return f"{_spell(points[number - 1])} to {_spell(points[number % len(points)])}"


def _spell(point: _Pair) -> str:
    return f"{point[0]:g},{point[1]:g}"


def _outlines(given: object) -> object:
    if not isinstance(given, list | tuple):
        raise ValueError(f"got {shown(given)}, want a list of polygons such as [[[0, 0], [1, 0], [1, 0.1], [0, 0.1]]]")
    if given and isinstance(given[0], list | tuple) and given[0] and not isinstance(given[0][0], list | tuple | str):
        raise ValueError("got one polygon, want a list of polygons: put it in [ ] once more")
    return tuple(given)


def _share(given: object) -> float:
    """A share of the picture's area: ``0.002`` or ``"0.2%"``."""
    match = _PERCENT.fullmatch(given.strip()) if isinstance(given, str) else None
    share = _fraction(given if match is None else float(match[1]) / 100)
    if share is None:
        raise ValueError(f"got {shown(given)}, want a share of the picture such as 0.2%, 0% to 100%, or 0 to 1")
    return share


def _names(given: object) -> object:
    if not isinstance(given, list | tuple):
        raise ValueError(f"got {shown(given)}, want a list of zones and lines such as [yard, gate]")
    return tuple(given)


def _some_hours(given: object) -> object:
    if isinstance(given, Mapping) and all(isinstance(spans, list) and not spans for spans in given.values()):
        raise ValueError("has no span, so there would be nothing at all: want spans such as {mon-sun: 22:00-06:00}")
    return given


def _points_schema(least: int, most: int) -> WithJsonSchema:
    number = {"type": "number", "minimum": 0, "maximum": 1}
    pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    points = {"type": "array", "items": {"anyOf": [pair, {"type": "string"}]}, "minItems": least, "maxItems": most}
    return WithJsonSchema({"anyOf": [points, {"type": "string"}]})


Point = Annotated[_Pair, BeforeValidator(_pair)]
_Points = Annotated[tuple[Point, ...], BeforeValidator(_split)]
Polygon = Annotated[_Points, AfterValidator(_polygon), _points_schema(3, MOST_CORNERS + 1)]
Course = Annotated[_Points, AfterValidator(_course), _points_schema(2, MOST_BENDS)]
Polygons = Annotated[tuple[Polygon, ...], BeforeValidator(_outlines), Field(max_length=MOST)]
Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": _PERCENT_PATTERN}]}
    ),
]
"""A share of the picture's area, 0..1."""
Hours = Annotated[Week, BeforeValidator(_some_hours)]
"""Hours of the week in which something holds, in the machine's local time."""
Names = Annotated[tuple[Text, ...], BeforeValidator(_names)]
"""Names of zones and lines."""
_Labels = Annotated[Texts, Field(min_length=1)]
_Dwell = Annotated[timedelta, span(timedelta(), timedelta(hours=1)), DurationSchema]


class Zone(Keys):
    """A place on the ground, as it is seen in the picture."""

    points: Polygon = key(..., "Its corners in order around it, 3 to 64, each [across, down] from 0 to 1.")
    labels: _Labels | None = key(None, "Objects that can be in it; all of the camera's labels if not given.")
    dwell: _Dwell = key("0s", "How long an object has to stay in it to have entered it, up to 1h.")
    schedule: Hours | None = key(None, "Hours of the week in which the zone is there at all; always if not given.")


class Line(Keys):
    """A line on the ground that objects cross."""

    points: Course = key(..., "Its points in order, 2 to 16, each [across, down] from 0 to 1.")
    direction: Literal["both", "in", "out"] = key(
        "both", "Which way counts; in is from left to right of who walks from its first to its last point."
    )
    labels: _Labels | None = key(None, "Objects that can cross it; all of the camera's labels if not given.")


class Filter(Keys):
    """What an object of one label has to be like."""

    min_score: float | None = key(
        None, "Least score of such an object, 0 to 1, in place of that for all.", ge=0, le=1, allow_inf_nan=False
    )
    min_size: Share = key(0, "Least share of the picture that its box covers, such as 0.2%.")
    max_size: Share = key(1, "Most of the picture that its box covers, such as 40%.")

    @model_validator(mode="after")
    def _leaves_something(self) -> Filter:
        if self.min_size >= self.max_size:
            raise ValueError(f"min_size ({self.min_size:.4g}) is not below max_size ({self.max_size:.4g})")
        return self


def misfits(detect: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Keys of ``detect`` that name what is not there: (place within it, what is wrong and what to do).

    Takes the keys as the file holds them, of whatever type, or a ``Detect``.
    """
    zones, lines = _below(detect, "zones"), _below(detect, "lines")
    yield from _unknown_labels(detect, zones, lines)
    for name in lines:
        if name in zones:
            yield ("lines", name), "is the name of a zone as well: want another"
    required = _get(detect, "required")
    if not isinstance(required, list | tuple) or not required:
        return
    if _get(detect, "mode") in ("motion", "camera"):
        yield ("required",), "goes with mode: objects; with mode: motion use masks"
    for number, name in enumerate(required):
        if isinstance(name, str) and name not in zones and name not in lines:
            there = ", ".join(map(str, [*zones, *lines]))
            yield (
                ("required", number),
                f"got {shown(name)}, want a zone or line of this camera: {there or 'it has none'}",
            )


def _unknown_labels(detect: object, *places: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Labels of zones, lines and filters that the camera does not look for."""
    labels = _get(detect, "labels")
    known = ("person", "car") if labels is None else labels
    if not isinstance(known, list | tuple):
        return
    named: list[tuple[tuple[str | int, ...], object]] = [
        (("filters", label), label) for label in _below(detect, "filters")
    ]
    for kind, below in zip(("zones", "lines"), places, strict=True):
        for name, keys in below.items():
            own = _get(keys, "labels")
            if isinstance(own, list | tuple):
                named += [((kind, name, "labels", number), label) for number, label in enumerate(own)]
    for place, label in named:
        if isinstance(label, str) and label not in known:
            yield place, f"got {shown(label)}, want one of labels: {', '.join(map(str, known))}"


def _get(keys: object, name: str) -> Any:
    return keys.get(name) if isinstance(keys, Mapping) else getattr(keys, name, None)


def _below(detect: object, name: str) -> Mapping[str, object]:
    found = _get(detect, name)
    return found if isinstance(found, Mapping) else {}
