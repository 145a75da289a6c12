"""Wrong logins: how many at once, how many later, and whom they keep out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.web import throttle
from nvr.web.throttle import ACCOUNT, ADDRESS, Throttle, network


def fill(limiter: Throttle, times: int, address: str = "10.0.0.1", name: str = "anna", at_us: int = 0) -> None:
    for _ in range(times):
        limiter.failed(address, name, at_us)


def test_so_many_wrong_tries_are_let_through_and_no_more() -> None:
    limiter = Throttle()
    for _ in range(ADDRESS.tries):
        assert limiter.wait_us("10.0.0.1", "anna", 0) == 0
        limiter.failed("10.0.0.1", "anna", 0)
    assert limiter.wait_us("10.0.0.1", "anna", 0) == ADDRESS.pause_us


def test_time_makes_room_again() -> None:
    limiter = Throttle()
    fill(limiter, ADDRESS.tries)
    assert limiter.wait_us("10.0.0.1", "anna", ADDRESS.pause_us - 1) > 0
    assert limiter.wait_us("10.0.0.1", "anna", ADDRESS.pause_us) == 0


def test_one_address_does_not_keep_the_owner_out_elsewhere() -> None:
    limiter = Throttle()
    fill(limiter, ADDRESS.tries)
    assert limiter.wait_us("10.0.0.2", "anna", 0) == 0


def test_many_addresses_together_fill_an_accounts_bucket() -> None:
    limiter = Throttle()
    for number in range(ACCOUNT.tries):
        limiter.failed(f"10.0.1.{number}", "anna", 0)
    assert limiter.wait_us("10.0.2.1", "anna", 0) == ACCOUNT.pause_us
    assert limiter.wait_us("10.0.2.1", "bert", 0) == 0


def test_a_right_password_forgets_the_slips() -> None:
    limiter = Throttle()
    fill(limiter, ADDRESS.tries - 1)
    limiter.succeeded("10.0.0.1", "anna", 0)
    fill(limiter, ADDRESS.tries - 1)
    assert limiter.wait_us("10.0.0.1", "anna", 0) == 0


def test_a_right_password_does_not_forget_wrong_ones_for_others() -> None:
    limiter, through = Throttle(), 0
    for _ in range(100):
        if limiter.wait_us("10.0.0.1", "anna", 0) == 0:
            limiter.failed("10.0.0.1", "anna", 0)
            through += 1
        if limiter.wait_us("10.0.0.1", "bert", 0) == 0:
            limiter.failed("10.0.0.1", "bert", 0)
            limiter.succeeded("10.0.0.1", "bert", 0)
    assert through == ADDRESS.tries


def test_slips_that_time_has_taken_out_already_are_not_taken_out_again() -> None:
    limiter = Throttle()
    fill(limiter, 4, name="bert")
    limiter.failed("10.0.0.1", "anna", 4 * ADDRESS.pause_us)
    limiter.succeeded("10.0.0.1", "bert", 4 * ADDRESS.pause_us)
    fill(limiter, ADDRESS.tries - 1, at_us=4 * ADDRESS.pause_us)
    assert limiter.wait_us("10.0.0.1", "anna", 4 * ADDRESS.pause_us) == ADDRESS.pause_us


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "KNOWN", 10)
    limiter = Throttle()
    for number in range(100):
        limiter.failed(f"10.0.0.{number}", f"name{number}", 0)
    assert len(limiter._buckets) == 10


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("not an address", "not an address"),
    ],
)
def test_an_address_counts_with_its_household(address: str, counted_as: str) -> None:
    assert network(address) == counted_as


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**8)), max_size=200))
def test_over_any_time_no_more_get_through_than_the_limit_says(tries: list[tuple[bool, int]]) -> None:
    limiter, now_us, through = Throttle(), 0, 0
    for _, pause_us in tries:
        now_us += pause_us
        if limiter.wait_us("10.0.0.1", "anna", now_us) == 0:
            limiter.failed("10.0.0.1", "anna", now_us)
            through += 1
    assert through <= ADDRESS.tries + now_us / ADDRESS.pause_us + 1
