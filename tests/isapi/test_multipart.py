"""Every alert is found, whatever is around it and however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvr.isapi.multipart import LARGEST, Splitter
from tests.fakes.isapi import part
from tests.isapi.corpus import ALL, CASES, JPEG, OFF, ON, OVER, VMD, Case, listen

SMALL = [case for case in CASES if len(case.stream) < 20_000]


@pytest.mark.parametrize("case", ALL)
def test_what_a_device_sends_is_understood(case: Case) -> None:
    alerts, bad = listen([case.stream])
    assert tuple((alert.type, alert.channel, alert.active) for alert in alerts) == case.told
    assert bad == case.bad


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in SMALL])
def test_it_does_not_matter_where_a_stream_is_cut_in_two(case: Case) -> None:
    whole = listen([case.stream])
    for place in range(0, len(case.stream), max(1, len(case.stream) // 700)):
        assert listen([case.stream[:place], case.stream[place:]]) == whole, place


@pytest.mark.parametrize("case", ALL)
def test_it_does_not_matter_how_a_large_stream_is_cut(case: Case) -> None:
    size = 1400
    assert listen([case.stream[at : at + size] for at in range(0, len(case.stream), size)]) == listen([case.stream])


@given(st.lists(st.sampled_from(SMALL), min_size=1, max_size=4), st.lists(st.integers(1, 400), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_streams_cut_in_any_way_give_the_same(cases: list[Case], cuts: list[int]) -> None:
    stream = b"".join(case.stream for case in cases)
    chunks, at, turn = [], 0, 0
    while at < len(stream):
        chunks.append(stream[at : at + cuts[turn % len(cuts)]])
        at, turn = at + cuts[turn % len(cuts)], turn + 1
    assert listen(chunks) == listen([stream])


@given(st.binary(max_size=3000))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_before_costs_no_more_than_itself(noise: bytes) -> None:
    alerts, _ = listen([noise, b"\r\n", part(VMD), part(OVER)])
    assert [(alert.type, alert.channel, alert.active) for alert in alerts][-1:] == [OFF]


def test_byte_by_byte_is_the_same_as_at_once() -> None:
    stream = part(VMD) + part(JPEG, "image/jpeg", length=False) + part("{", "application/json") + part(OVER)
    assert listen([bytes([byte]) for byte in stream]) == listen([stream])


def test_a_stream_without_end_and_without_alerts_does_not_fill_memory() -> None:
    splitter = Splitter()
    for noise in (b"Content-Type: image/jpeg\r\n\r\n", *[b"\xff" * 65536] * 100, b"<EventNotificationAlert>"):
        assert list(splitter.feed(noise)) == []
        assert len(splitter._buffer) < 3 * 65536
    for _ in range(40):
        assert list(splitter.feed(b" " * 65536)) == []
        assert len(splitter._buffer) <= LARGEST + 65536
    assert splitter.bad == 1
    assert ON[0].encode() in next(splitter.feed(part(VMD))).body
