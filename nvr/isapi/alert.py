"""One alert of a camera, read from XML or JSON. Pure.

Documents differ by model and firmware: namespaces, case of tags, fields that are empty or missing, a bare ``&``, bytes
that are no UTF-8. Only what an event needs is read, by local name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from nvr.isapi.multipart import Part
from nvr.model import Box

TAGS = 4000
"""A document with more is none of ours; nothing nests deeper, either."""
REGIONS = 16
_TEXT = 200
_BARE = re.compile(r"&(?!(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SHORT_OFFSET = re.compile(r"([+-])(\d):?(\d\d)$")


@dataclass(frozen=True, slots=True)
class Region:
    """One region that an alert names: its number as the camera gives it, what is in it, and where."""

    id: str
    target: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """What a camera says: that something of ``type`` goes on (``active``), or is over."""

    type: str
    channel: int | None
    """As the camera numbers them; None where it says nothing."""
    active: bool
    at: datetime | None
    """UTC by the camera's clock; None where that cannot be told from ``said``."""
    said: str = ""
    """The time as the camera wrote it."""
    description: str = ""
    regions: tuple[Region, ...] = ()
    late: bool = False
    """The camera could not tell it when it happened, and does so now."""

    @property
    def heartbeat(self) -> bool:
        """Whether it says nothing but that the camera is there."""
        words = (self.type.lower(), self.description.lower())
        return "heartbeat" in words or (words[0] == "videoloss" and not self.active)


def read(part: Part) -> Alert | None:
    """The alert; None for a document that tells none. Raises ValueError where it cannot be read."""
    return _from_json(part.body) if part.form == "json" else _from_xml(part.body)


def _from_xml(body: bytes) -> Alert:
    text = body.decode(errors="replace")
    if text.count("<") > TAGS:
        raise ValueError(f"more than {TAGS} tags")
    try:
        root = ElementTree.fromstring(_BARE.sub("&amp;", _NO_XML.sub("", text)))
    except (ParseError, DefusedXmlException) as error:
        raise ValueError(f"no XML: {error}") from None
    fields = {_name(child): (child.text or "") for child in reversed(root)}  # where one comes twice, the first counts
    return _alert(fields, tuple(_regions(root)))


def _from_json(body: bytes) -> Alert | None:
    try:
        found = json.loads(body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        return None
    fields = {key.lower(): value for key, value in found.items()}
    inner = fields.get("eventnotificationalert")
    if isinstance(inner, dict):
        fields = {key.lower(): value for key, value in inner.items()}
    if "eventtype" not in fields:
        return None
    return _alert({key: str(value) for key, value in fields.items() if isinstance(value, str | int)}, ())


def _alert(fields: Mapping[str, str], regions: tuple[Region, ...]) -> Alert:
    kind = _short(fields.get("eventtype", ""))
    if not kind:
        raise ValueError("no eventType")
    said = _short(fields.get("datetime", ""))
    return Alert(
        type=kind,
        channel=_number(fields.get("channelid")) or _number(fields.get("dynchannelid")),
        active=_short(fields.get("eventstate", "")).lower() != "inactive",
        at=read_time(said),
        said=said,
        description=_short(fields.get("eventdescription", "")),
        regions=regions,
        late=_short(fields.get("isdataretransmission", "")).lower() == "true",
    )


def read_time(text: str) -> datetime | None:
    """The instant of a ``dateTime``; None for no time, or one without an offset: it could be any."""
    try:
        at = datetime.fromisoformat(_SHORT_OFFSET.sub(r"\g<1>0\2:\3", text))
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _regions(root: Element) -> Iterator[Region]:
    entries = [entry for entry in root.iter() if _name(entry) == "detectionregionentry"]
    for entry in entries[:REGIONS]:
        fields = {_name(child): child for child in reversed(entry)}
        id, target = (_text(fields.get(name)) for name in ("regionid", "detectiontarget"))
        yield Region(re.sub(r"[^\w-]+", "", id)[:20], target.lower(), _box(fields.get("targetrect")))


def _box(element: Element | None) -> Box | None:
    """A rectangle in fractions of the picture, or in thousandths of it; None for none that makes sense."""
    if element is None:
        return None
    fields = {_name(child): _text(child) for child in element}
    try:
        left, top, width, height = (float(fields[name]) for name in ("x", "y", "width", "height"))
    except (KeyError, ValueError):
        return None
    scale = 1.0 if max(left + width, top + height) <= 1 else 1000.0
    box = Box(left / scale, top / scale, (left + width) / scale, (top + height) / scale)
    whole = 0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1
    return box if whole else None


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _text(element: Element | None) -> str:
    return "" if element is None else _short(element.text or "")


def _short(text: str) -> str:
    """One printable line, bounded: it comes from the network and goes into rows, logs and terminals."""
    line = " ".join(text[: 4 * _TEXT].split())
    return "".join(each for each in line if each.isprintable())[:_TEXT]


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None
