"""What devices send, odd as it is: each stream with the alerts that have to be found in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from nvr.isapi.alert import Alert, read
from nvr.isapi.multipart import Splitter
from tests.fakes.isapi import HEARTBEAT, alert, part, region

VMD = alert()
OVER = alert(state="inactive")
Told = tuple[str, int | None, bool]
"""Type, channel, active."""
ON: Told = ("VMD", 1, True)
OFF: Told = ("VMD", 1, False)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20 + b"\r\n\r\n--\n<a>&</b>\xff\xd9"


@dataclass(frozen=True)
class Case:
    """A stream, the alerts in it, and how many of its parts are bad."""

    name: str
    stream: bytes
    told: tuple[Told, ...] = (ON, OFF)
    bad: int = 0


def _lower(text: str) -> str:
    return text.replace("EventNotificationAlert", "eventnotificationalert").replace("eventType", "eventtype")


def _upper(text: str) -> str:
    names = ("EventNotificationAlert", "channelID", "eventType", "eventState", "eventDescription")
    for name in names:
        text = text.replace(f"<{name}", f"<{name.upper()}").replace(f"</{name}", f"</{name.upper()}")
    return text


def _json(state: str) -> str:
    return f'{{"ipAddress": "127.0.0.1", "channelID": 1, "eventType": "VMD", "eventState": "{state}"}}'


PREFIXED = (
    '<ns2:EventNotificationAlert xmlns:ns2="urn:psialliance-org"><ns2:channelID>1</ns2:channelID>'
    "<ns2:eventType>VMD</ns2:eventType><ns2:eventState>{}</ns2:eventState></ns2:EventNotificationAlert>"
)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>'
    "<EventNotificationAlert><channelID>1</channelID><eventType>VMD</eventType><eventState>active</eventState>"
    "<eventDescription>&lol2;</eventDescription></EventNotificationAlert>"
)
DOCTYPE_WITHIN = (
    '<EventNotificationAlert><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>&b;</EventNotificationAlert>'
)
DEEP = f"<EventNotificationAlert><eventType>VMD</eventType>{'<a>' * 50_000}{'</a>' * 50_000}</EventNotificationAlert>"
HUGE = f"<EventNotificationAlert><eventType>VMD</eventType>{'x' * (3 << 20)}</EventNotificationAlert>"
CASES = [
    Case("as in the manual", part(VMD) + part(OVER)),
    Case("heartbeats", part(HEARTBEAT.format(at="")) * 3, (("videoloss", 1, False),) * 3),
    Case("line feeds alone", (part(VMD) + part(OVER)).replace(b"\r\n", b"\n")),
    Case("line feeds in headers, both in bodies", part(VMD).replace(b"xml\r\n", b"xml\n") + part(OVER)),
    Case("a boundary that is another one", part(VMD, boundary="MIME_boundary") + part(OVER, boundary="MIME_boundary")),
    Case("a boundary with dashes of its own", part(VMD, boundary="--boundary") + part(OVER, boundary="--boundary")),
    Case("boundaries that change", part(VMD, boundary="a1") + part(OVER, boundary="<b2>")),
    Case("no boundary at all", VMD.encode() + OVER.encode()),
    Case("no boundary, but headers", part(VMD)[12:] + part(OVER)[12:]),
    Case("no length", part(VMD, length=False) + part(OVER, length=False)),
    Case("a length that is too short", part(VMD).replace(b"Length: ", b"Length: 1 ") + part(OVER)),
    Case("a length that is too long", part(VMD).replace(b"Length: ", b"Length: 9") + part(OVER)),
    Case("a length that is nonsense", part(VMD).replace(b"Length: ", b"Length: -") + part(OVER)),
    Case("an XML declaration", part('<?xml version="1.0" encoding="UTF-8"?>\n' + VMD) + part(OVER)),
    Case("a byte order mark", part("\ufeff" + VMD) + part(OVER)),
    Case("another charset than announced", part(VMD.encode("latin-1").replace(b" alarm", b" \xe4\xff")) + part(OVER)),
    Case("tags in small letters", part(_lower(VMD)) + part(_lower(OVER))),
    Case("tags in capitals", part(_upper(VMD)) + part(_upper(OVER))),
    Case("a prefix for its namespace", part(PREFIXED.format("active")) + part(PREFIXED.format("inactive"))),
    Case("no namespace", part(VMD.replace(' xmlns="http://www.isapi.org/ver20/XMLSchema"', "")) + part(OVER)),
    Case("empty fields", part(VMD.replace("<activePostCount>1</activePostCount>", "<activePostCount/>")) + part(OVER)),
    Case("a bare ampersand", part(VMD.replace("VMD alarm", "Tom & Jerry &amp; &co;")) + part(OVER)),
    Case("a control character", part(VMD.replace("VMD alarm", "\x01VMD\x00")) + part(OVER)),
    Case("a dynamic channel", part(alert(channel="<dynChannelID>34</dynChannelID>")), (("VMD", 34, True),)),
    Case("an empty channel", part(alert(channel="<channelID/>")), (("VMD", None, True),)),
    Case(
        "an empty channel beside a dynamic one",
        part(alert(channel="<channelID></channelID><dynChannelID>2</dynChannelID>")),
        (("VMD", 2, True),),
    ),
    Case("no channel", part(alert(channel="")), (("VMD", None, True),)),
    Case("a channel that is no number", part(alert(channel="<channelID>one</channelID>")), (("VMD", None, True),)),
    Case("pictures between", part(VMD) + part(JPEG, "image/jpeg") + part(OVER)),
    Case("a picture without length", part(VMD) + part(JPEG, "image/jpeg", length=False) + part(OVER)),
    Case("an alert within a picture", part(JPEG + VMD.encode(), "image/jpeg") + part(OVER), (OFF,)),
    Case(
        "a picture that says it is longer",
        part(VMD) + part(JPEG, "image/jpeg").replace(b"Length: ", b"Length: 9") + part(OVER),
    ),
    Case(
        "a picture that says it is shorter",
        part(VMD) + part(JPEG, "image/jpeg").replace(b"Length: 5", b"Length: ") + part(OVER),
    ),
    Case(
        "a picture of more than can be",
        part(VMD) + part(JPEG, "image/jpeg").replace(b"Length: ", b"Length: 9999999") + part(OVER),
    ),
    Case(
        "headers in capitals",
        part(JPEG + VMD.encode(), "image/jpeg").replace(b"Content-", b"CONTENT-") + part(OVER),
        (OFF,),
    ),
    Case(
        "JSON", part(_json("active"), "application/json") + part(_json("inactive"), 'application/json; charset="UTF-8"')
    ),
    Case("JSON without length", part(_json("active"), "application/json", length=False) + part(OVER)),
    Case(
        "JSON of something else",
        part('{"a": [1]}', "application/json") + part("[]", "application/json") + part(OVER),
        (OFF,),
    ),
    Case("JSON that is none", part("{'a'", "application/json") + part(OVER), (OFF,), bad=1),
    Case("JSON that nests too deep", part("[" * 100_000, "application/json") + part(OVER), (OFF,), bad=1),
    Case("garbage between", part(VMD) + b"\x00\xff<<>&--\r\n\r\n--x\r\nHTTP/1.1 200 OK\r\n\r\n" + part(OVER)),
    Case("much garbage", b"Content-" * 20_000 + part(VMD) + b"\xff" * 200_000 + part(OVER)),
    Case("a part that is broken off", part(VMD[:200], length=False) + part(OVER), (OFF,), bad=1),
    Case("a part that is broken off, and no boundary", VMD[:200].encode() + OVER.encode(), (OFF,), bad=1),
    Case("XML that is none", part(VMD.replace("</eventType>", "</eventtipe>")) + part(OVER), (OFF,), bad=1),
    Case(
        "no type of event", part(VMD.replace("<eventType>VMD</eventType>", "<eventType/>")) + part(OVER), (OFF,), bad=1
    ),
    Case(
        "a document that is none of ours",
        part("<ResponseStatus><statusCode>4</statusCode></ResponseStatus>") + part(OVER),
        (OFF,),
    ),
    Case("a bomb of entities", part(BOMB) + part(OVER)),
    Case("a file as an entity", part(DOCTYPE_WITHIN) + part(OVER), (OFF,), bad=1),
    Case("tags that nest without end", part(DEEP) + part(OVER), (OFF,), bad=1),
    Case("a part that is too large", part(HUGE) + part(OVER), (OFF,), bad=1),
    Case("regions", part(alert("fielddetection", more=region("1", "human"))), (("fielddetection", 1, True),)),
    Case("a hundred at once", part(VMD) * 99 + part(OVER), (ON,) * 99 + (OFF,)),
]
ALL: list[Any] = [pytest.param(case, id=case.name) for case in CASES]


def listen(chunks: list[bytes]) -> tuple[list[Alert], int]:
    """What a reader of the stream makes of it, and how many parts were bad."""
    splitter, alerts, bad = Splitter(), list[Alert](), 0
    for chunk in chunks:
        for found in splitter.feed(chunk):
            try:
                alert = read(found)
            except ValueError:
                bad += 1
            else:
                alerts += [] if alert is None else [alert]
    return alerts, bad + splitter.bad
