"""What a person says of events: marked false, or not, with a picture of it kept as a sample.

Used by commands and front ends, in their own processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvr import sample
from nvr.sample import Sample

if TYPE_CHECKING:
    from nvr.catalogue.store import Catalogue
    from nvr.config import Config
    from nvr.model import Event


def deny(config: Config, catalogue: Catalogue, event: Event) -> tuple[bool, Sample | None]:
    """Mark an event false: whether it was still there, and the sample, None where nothing of it is left to keep.

    The sample is on the disk before the row says that the event was false.
    """
    assert event.id is not None
    kept = sample.keep(config.storage, catalogue, event, _model(config, event))
    return catalogue.mark_false(event.id, True), kept


def affirm(config: Config, catalogue: Catalogue, event: Event) -> tuple[bool, bool]:
    """Take the mark back: whether the event was still there, and whether a sample was removed.

    The sample goes before the mark: a mark without a sample can be taken back once more, a stray sample stays.
    """
    assert event.id is not None
    removed = sample.drop(config.storage, event) > 0
    return catalogue.mark_false(event.id, False), removed


def _model(config: Config, event: Event) -> str | None:
    """The model that looks at the camera now; None for what no model saw, and where the camera is of former days."""
    camera = config.cameras.get(event.camera)
    if camera is None or event.kind != "object":
        return None
    return "built-in" if camera.detect.model is None else str(camera.detect.model.path)
