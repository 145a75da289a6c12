"""The reasons of the ledger: their codes stay, and everybody can read what they mean."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nvr.reason import Reason

DOCUMENT = (Path(__file__).parents[1] / "docs/ledger.md").read_text()


def test_the_document_gives_every_reason_with_its_meaning() -> None:
    documented = re.findall(r"^\| `([\w-]+)` \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert documented == [(reason.value, reason.meaning) for reason in Reason]


@pytest.mark.parametrize("reason", Reason)
def test_a_meaning_ends_a_sentence_that_has_begun(reason: Reason) -> None:
    assert reason.meaning
    assert not reason.meaning.endswith(".")
    assert reason.meaning[0].islower()


def test_time_that_was_not_to_be_recorded_is_told_apart() -> None:
    assert {reason for reason in Reason if not reason.scheduled} == {Reason.SCHEDULE, Reason.OFF}


def test_the_codes_that_were_ever_stored_are_still_known() -> None:
    stored = (
        "starting unreachable refused forbidden not-found busy stalled closed unusable no-key-frame ended disk-full"
    )
    stored += " disk-error disk-slow volume-missing clock-stepped crashed killed hung power stopped missing"
    assert set(f"{stored} deleted schedule off unknown".split()) <= set(Reason)
