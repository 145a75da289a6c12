"""Limits: what the configuration says, and how limits are spelt."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nvr.config import Config
from nvr.retention.policy import Limits, Policy, policy_of, spell_size, spell_span
from nvr.retention.task import Task
from tests.retention.footage import NOW

DAY = timedelta(days=1)


def config(**keys: Any) -> Config:
    return Config.model_validate({"cameras": {"hik1": {"host": "cam"}}, **keys})


def test_what_a_camera_does_not_say_is_as_for_all() -> None:
    found = policy_of(
        config(
            retention={"continuous": "2d", "events": "20d", "max_size": "1TB", "min_kept": "1d", "pre_roll": "5s"},
            cameras={
                "hik1": {"host": "a", "retention": {"events": "9d", "max_size": "5GB"}},
                "hik2": {"host": "b", "record": "events", "retention": {"continuous": "0s"}},
            },
        )
    )
    assert found == Policy(
        usual=Limits(2 * DAY, 20 * DAY),
        cameras={
            "hik1": Limits(2 * DAY, 9 * DAY, 5 * 10**9),
            "hik2": Limits(timedelta(), 20 * DAY, None, True),
        },
        min_free=5 * 10**9,
        max_size=10**12,
        min_kept=DAY,
        pre_roll=timedelta(seconds=5),
        post_roll=timedelta(seconds=10),
    )
    assert found.of("hik2").only_events
    assert found.of("somebody") == found.usual


def test_a_task_can_be_sent_to_another_process() -> None:
    task = Task(policy_of(config()), Path("/a"), Path("/a/nvr.db"), Path("/dev/shm/nvr-1"), NOW)
    assert pickle.loads(pickle.dumps(task)) == task


@pytest.mark.parametrize(
    ("seconds", "spelt"), [(604800, "7d"), (43200, "12h"), (90, "90s"), (5400, "90m"), (0.5, "0.5s"), (0, "0s")]
)
def test_spans_are_spelt_as_in_the_file(seconds: float, spelt: str) -> None:
    assert spell_span(timedelta(seconds=seconds)) == spelt


@pytest.mark.parametrize(
    ("size", "spelt"),
    [
        (5 * 10**9, "5GB"),
        (500 * 2**30, "500GiB"),
        (1_500_000_000, "1.5GB"),
        (1_234_567_890, "1.23GB"),
        (123_456_789_012_345, "123TB"),
        (999, "999B"),
        (0, "0B"),
    ],
)
def test_sizes_are_spelt_for_people(size: int, spelt: str) -> None:
    assert spell_size(size) == spelt
