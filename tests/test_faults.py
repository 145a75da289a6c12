"""The quick fault matrix: nvr is hurt for real, and keeps what ``docs/reliability.md`` says."""

from __future__ import annotations

import pytest

from tests.fakes.camera import unavailable
from tests.faults import matrix
from tests.faults.result import Result


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("families", matrix.GROUPS, ids=" ".join)
def test_faults_cost_no_more_than_is_stated(families: tuple[str, ...]) -> None:
    results = [result for _, result in matrix.run_group(families, quick=True)]
    missed = [_words(result) for result in results if not result.passed and not result.skipped]
    assert results
    assert not missed, "\n".join(missed)
    if all(result.skipped for result in results):
        unavailable(results[0].skipped)


def test_every_family_is_in_a_group() -> None:
    assert sorted(family for group in matrix.GROUPS for family in group) == sorted(matrix.FAMILIES)


def _words(result: Result) -> str:
    said = "; ".join(result.problems)
    return (
        f"{result.fault}: lost {matrix.lost(result)}, back {matrix.seconds(result.back_s)} "
        f"(allowed: {result.limit}) {said} [{result.note}]"
    )
