"""Events that a person marks false, or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nvr import layout
from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade
from nvr.config import Config
from nvr.errors import StorageError
from nvr.marks import affirm, deny
from nvr.model import Event

AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    storage = tmp_path / "storage"
    layout.prepare(storage)
    upgrade(storage / "nvr.db")
    model = tmp_path / "own.onnx"
    model.touch()
    cameras = {
        "hik1": {"host": "192.0.2.1"},
        "hik2": {"host": "192.0.2.2", "detect": {"model": {"path": str(model)}}},
    }
    return Config.model_validate({"storage": str(storage), "cameras": cameras})


@pytest.fixture
def catalogue(config: Config) -> Iterator[Catalogue]:
    with Catalogue.open(config.storage / "nvr.db") as catalogue:
        yield catalogue


def happen(config: Config, catalogue: Catalogue, told: Event, *, picture: bool = True) -> Event:
    """Store an event, with a snapshot of it if it is to have one."""
    event = replace(told, id=catalogue.open_event(told))
    if picture:
        path = layout.snapshot_path(event.camera, event.start, event.label, event.id or 0)
        layout.write_durably(config.storage / path, b"a picture")
        event = replace(event, snapshot=path)
        catalogue.update_event(event)
    return event


def person(camera: str = "hik1") -> Event:
    return Event(camera, "object", "person", AT, AT, AT)


def samples(config: Config) -> list[Path]:
    return sorted(path for path in (config.storage / "samples").rglob("*") if path.is_file())


def is_false(catalogue: Catalogue, event: Event) -> bool:
    found = catalogue.event(event.id or 0)
    assert found is not None
    return found.false


def test_a_denied_event_is_marked_and_its_picture_kept(config: Config, catalogue: Catalogue) -> None:
    event = happen(config, catalogue, person())
    there, kept = deny(config, catalogue, event)
    assert there
    assert kept is not None
    assert kept.source == "snapshot"
    assert (config.storage / kept.path).read_bytes() == b"a picture"
    assert is_false(catalogue, event)


def test_what_is_affirmed_is_as_if_it_was_never_denied(config: Config, catalogue: Catalogue) -> None:
    event = happen(config, catalogue, person())
    deny(config, catalogue, event)
    assert affirm(config, catalogue, event) == (True, True)
    assert not is_false(catalogue, event)
    assert samples(config) == []
    assert affirm(config, catalogue, event) == (True, False)


def test_an_event_without_any_picture_is_marked_all_the_same(config: Config, catalogue: Catalogue) -> None:
    event = happen(config, catalogue, person(), picture=False)
    assert deny(config, catalogue, event) == (True, None)
    assert is_false(catalogue, event)


def test_an_event_that_is_gone_meanwhile_is_told(config: Config, catalogue: Catalogue) -> None:
    event = happen(config, catalogue, person(), picture=False)
    catalogue.delete_events([event.id or 0])
    assert deny(config, catalogue, event) == (False, None)
    assert affirm(config, catalogue, event) == (False, False)


def test_nothing_is_marked_whose_sample_cannot_be_kept(config: Config, catalogue: Catalogue) -> None:
    event = happen(config, catalogue, person())
    (config.storage / "samples").write_text("in the way")
    with pytest.raises(StorageError, match="cannot keep a sample"):
        deny(config, catalogue, event)
    assert not is_false(catalogue, event)


def test_a_sample_says_which_model_was_wrong_where_one_looked(config: Config, catalogue: Catalogue) -> None:
    """None did at motion, and none is known of a camera of former days."""
    told = [person(), person("hik2"), replace(person(), kind="motion", label="motion"), person("gone")]
    named = []
    for one in told:
        _, kept = deny(config, catalogue, happen(config, catalogue, one))
        assert kept is not None
        named.append(json.loads((config.storage / kept.path).with_suffix(".json").read_text())["model"])
    assert named == ["built-in", str(config.storage.parent / "own.onnx"), None, None]
