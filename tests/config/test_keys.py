"""A mapping of the file: unknown keys are errors, keys with nothing after them count as not given."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nvr.config.keys import Keys, key


class Lamp(Keys):
    colour: str = key("white", "Its colour.")
    password: str | None = key(None, "Its password.")


def test_a_key_with_nothing_after_it_counts_as_not_given() -> None:
    assert Lamp.model_validate({"colour": None}).colour == "white"


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(ValidationError, match="color"):
        Lamp.model_validate({"color": "red"})


def test_a_value_is_not_changed_afterwards() -> None:
    lamp = Lamp()
    with pytest.raises(ValidationError, match="frozen"):
        lamp.colour = "red"
