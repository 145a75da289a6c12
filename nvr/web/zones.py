"""Where in a camera's picture: zones, lines and masks, read from and written into ``nvr.yaml``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nvr import config
from nvr.config.edit import OvertakenError, places, save_places
from nvr.errors import ConfigError
from nvr.logs import redact
from nvr.web.access import Admin, Guest, Noting, SeenCamera, Visitor
from nvr.web.refusal import Refusal
from nvr.web.state import Here, State

log = logging.getLogger(__name__)
router = APIRouter(tags=["cameras"])
Share = Annotated[float, Field(ge=0, le=1)]
Point = Annotated[list[Share], Field(min_length=2, max_length=2)]
DEEPEST = 4
_LATER = "saved; it counts once nvr start is started again"


class Place(BaseModel):
    """A zone or a line: its other keys are those of the configuration, and go through as they are."""

    model_config = ConfigDict(extra="allow")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    points: Annotated[list[Point], Field(min_length=2, max_length=64)]

    @model_validator(mode="after")
    def _flat(self) -> Self:
        """No key of a zone holds more than a list or a mapping of plain values, or lists of them."""
        if any(_depth(value) > DEEPEST for value in (self.model_extra or {}).values()):
            raise ValueError(f"keys are nested deeper than {DEEPEST}")
        return self


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= DEEPEST:
        inside = [each for each in level if isinstance(each, list | dict)]
        level = [one for each in inside for one in (each.values() if isinstance(each, dict) else each)]
        depth += bool(inside)
    return depth


class Places(BaseModel):
    zones: Annotated[list[Place], Field(max_length=32)] = []
    lines: Annotated[list[Place], Field(max_length=32)] = []
    masks: Annotated[list[Annotated[list[Point], Field(min_length=3, max_length=64)]], Field(max_length=32)] = []


class Shown(Places):
    """``restart``: what has to be done for a change to count; null where nothing has."""

    restart: str | None = None


@router.get("/cameras/{camera}/zones")
def zones(camera: SeenCamera, visitor: Guest, state: Here) -> Shown:
    """As the configuration file has them now."""
    try:
        return _read(state, camera)
    except ConfigError as error:
        if visitor.is_admin:
            raise
        log.warning("zones of %s cannot be read: %s", camera, redact(str(error)))
        text = "the configuration file has errors now: an admin is told which"  # it names other cameras, and the file
        raise Refusal(422, "configuration", text) from error


@router.put("/cameras/{camera}/zones")
def save(camera: SeenCamera, body: Places, visitor: Admin, state: Here, audit: Noting, request: Request) -> Shown:
    """Write them into the configuration file, which keeps its comments."""
    for kind, listed in (("zones", body.zones), ("lines", body.lines)):
        names = [place.name for place in listed]
        if len(set(names)) < len(names):
            raise Refusal(422, "malformed", f"{kind}: a name is given twice")
    new = {
        "zones": {place.name: _keys(place) for place in body.zones},
        "lines": {place.name: _keys(place) for place in body.lines},
        "masks": [[list(point) for point in mask] for mask in body.masks],
    }
    try:
        save_places(state.task.file, camera, new)
    except OvertakenError as error:
        raise Refusal(409, "changed_meanwhile", str(error)) from error
    audit.note(visitor.account.name, visitor.address, "zones", camera)
    told = request.app.state.reload()
    return _read(state, camera).model_copy(update={"restart": None if told else _LATER})


def names(visitor: Visitor, state: State) -> list[str]:
    """Of zones and lines that there are, of cameras that the visitor may see."""
    cameras = list(state.config.cameras.items())
    with suppress(ConfigError):  # what was drawn since nvr start counts already, and is in the file alone
        cameras += config.load(state.task.file, resolve=False).cameras.items()
    return sorted(
        {name for camera, keys in cameras if visitor.sees(camera) for name in [*keys.detect.zones, *keys.detect.lines]}
    )


def _read(state: State, camera: str) -> Shown:
    if camera not in state.config.cameras:
        raise Refusal(404, "unknown_camera", f"{camera} is a camera of former days: it has no zones any more")
    current = config.load(state.task.file, resolve=False).cameras.get(camera)
    written = places(state.task.file, camera)  # after it was found to be right: this takes its form for granted
    if current is None:
        raise Refusal(404, "unknown_camera", f"{state.task.file.name} has no camera {camera} any more")
    detect = current.detect
    return Shown(
        zones=[_place(name, zone.points, written["zones"]) for name, zone in detect.zones.items()],
        lines=[_place(name, line.points, written["lines"]) for name, line in detect.lines.items()],
        masks=[[list(point) for point in mask] for mask in detect.masks],
    )


def _place(name: str, points: Any, written: Any) -> Place:
    keys = written.get(name) if isinstance(written, Mapping) else None
    others = {key: value for key, value in keys.items() if key != "points"} if isinstance(keys, Mapping) else {}
    return Place(**(others | {"name": name, "points": [list(point) for point in points]}))


def _keys(place: Place) -> dict[str, Any]:
    return {"points": [list(point) for point in place.points], **(place.model_extra or {})}
