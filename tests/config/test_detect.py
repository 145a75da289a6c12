"""``detect`` in its short and its long form."""

from __future__ import annotations

import pytest

from nvr.config.detect import Detect, spelled_out


def test_a_word_is_short_for_a_mode() -> None:
    assert Detect.model_validate(spelled_out("motion")).mode == "motion"


def test_a_mapping_stays_what_it_is() -> None:
    assert Detect.model_validate(spelled_out({"fps": 2.0})).fps == 2


def test_anything_else_is_refused() -> None:
    with pytest.raises(ValueError, match="want off, motion, objects"):
        spelled_out(7)
