"""What tests of the web application share: it is there, on a socket, with a past and people who may log in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from nvr import layout
from nvr.frameslot import SlotWriter
from tests.fakes.clip import write
from tests.fakes.site import Past, Site
from tests.fakes.slots import put, scene


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of numbered pictures, a key frame every second."""
    return write(tmp_path_factory.mktemp("tape") / "tape.mp4", frames=500, gop=25)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path) as served:
        yield served


@pytest.fixture
def past(site: Site, tape: Path) -> Past:
    return site.record(tape)


@pytest.fixture
def admin(site: Site) -> httpx.Client:
    return site.client("admin")


@pytest.fixture
def viewer(site: Site) -> httpx.Client:
    """May see hik2 alone."""
    return site.client("bert")


@dataclass(frozen=True, slots=True)
class Lens:
    """Shows pictures in the slot of hik1."""

    writer: SlotWriter

    def show(self, at: datetime | None = None) -> datetime:
        at = at or datetime.now(UTC)
        [picture] = scene(1)
        put(self.writer, np.asarray(picture), at)
        return at


@pytest.fixture
def lens(site: Site) -> Iterator[Lens]:
    with SlotWriter(layout.slot_path(site.run, "hik1")) as writer:
        yield Lens(writer)
