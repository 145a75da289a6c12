from __future__ import annotations

import json
import math

import pytest

from tests.faults import matrix
from tests.faults.result import Limit, Result, percentile

LIMIT = Limit(1.0, 2.0)


@pytest.mark.parametrize(
    ("result", "passed"),
    [
        (Result("x", LIMIT, 25, 2.0), True),
        (Result("x", LIMIT, 26, 2.0), False),
        (Result("x", LIMIT, 25, 2.1), False),
        (Result("x", LIMIT, 0, 0.0, ("wrong rows",)), False),
        (Result("x", LIMIT, skipped="needs root"), False),
        (Result("x", Limit(None, None), 1000, 60.0), True),
        (Result("x", Limit(None, None), 0, math.inf), False),
    ],
)
def test_a_limit_is_kept_or_missed(result: Result, passed: bool) -> None:
    assert result.passed is passed


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([float(n) for n in range(1, 101)]) == 95.0
    assert percentile([3.0, 1.0]) == 3.0
    assert math.isinf(percentile([]))


def test_what_never_came_back_can_be_written_as_json() -> None:
    (row,) = json.loads(matrix.as_json([("kills", Result("x", LIMIT, 5, math.inf))]))
    assert (row["back"], row["problems"], row["lost"], row["passed"]) == (None, ["never back"], 0.2, False)
