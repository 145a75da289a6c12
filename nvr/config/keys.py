"""A mapping of the configuration file: what all of them have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


def key(default: Any, description: str, **limits: Any) -> Any:
    """A key of the file. Its default is written as in the file, and read as if it stood there."""
    return Field(default, description=description, validate_default=default is not None, **limits)


class Keys(BaseModel):
    """A mapping of the file. A key with nothing after it counts as not given, but a password is never nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, keys: Any) -> Any:
        if not isinstance(keys, Mapping):
            return keys
        empty = {key for key in cls.model_fields if key in keys and keys[key] is None and key != "password"}
        return {key: value for key, value in keys.items() if key not in empty}
