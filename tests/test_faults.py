"""The quick fault matrix: nvr is hurt for real, and keeps what ``docs/reliability.md`` says, with slack for a machine
that has other things to do; ``scripts/faults`` gives none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.camera import unavailable
from tests.faults import matrix
from tests.faults.result import Limit, Result

SLOWER = 5.0
MORE_LOST_S = 3.0


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("families", matrix.GROUPS, ids=" ".join)
def test_faults_cost_no_more_than_is_stated(families: tuple[str, ...]) -> None:
    results = [_with_slack(result) for _, result in matrix.run_group(families, quick=True)]
    missed = [_words(result) for result in results if not result.passed and not result.skipped]
    assert results
    assert not missed, "\n".join(missed)
    if all(result.skipped for result in results):
        unavailable(results[0].skipped)


def test_every_family_is_in_a_group() -> None:
    assert sorted(family for group in matrix.GROUPS for family in group) == sorted(matrix.FAMILIES)


@pytest.mark.parametrize(
    ("strict", "slack"),
    [(Limit(1.0, 2.0), Limit(4.0, 10.0)), (Limit(0.0, 5.0), Limit(0.0, 25.0)), (Limit(None), Limit(None))],
)
def test_where_nothing_may_be_lost_slack_allows_no_loss(strict: Limit, slack: Limit) -> None:
    assert _with_slack(Result("fault", strict)).limit == slack


def _with_slack(result: Result) -> Result:
    """A slow machine takes longer, and a fault that costs video costs more there; it excuses no other loss."""
    lost_s, back_s = result.limit.lost_s, result.limit.back_s
    limit = replace(
        result.limit,
        lost_s=lost_s + MORE_LOST_S if lost_s else lost_s,
        back_s=back_s * SLOWER if back_s is not None else None,
    )
    return replace(result, limit=limit)


def _words(result: Result) -> str:
    said = "; ".join(result.problems)
    return (
        f"{result.fault}: lost {matrix.lost(result)}, back {matrix.seconds(result.back_s)} "
        f"(allowed: {result.limit}) {said} [{result.note}]"
    )
