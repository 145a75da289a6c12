"""The plan: which segments go, by which rule; and over random stores, what never goes and what always holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.model import Event, Segment
from nvr.retention.cover import Cover
from nvr.retention.plan import Deletion, Disk, Plan
from nvr.retention.policy import SETTLE, Limits, Policy
from tests.retention.footage import MB, NOW, ROOMY, Store, ago, event, policy, segment

DAY = timedelta(days=1)
WEEK = Limits(7 * DAY, 30 * DAY)


def plan(
    store: Store, policy: Policy, disk: Disk = ROOMY, watched: tuple[str, ...] = ("hik1", "hik2")
) -> list[Deletion]:
    return list(Plan(store, policy, NOW, watched).all(disk))


def ages(deletions: list[Deletion]) -> list[tuple[float, str]]:
    """Age in days and rule of what goes."""
    return [((NOW - one.segment.end) / DAY, one.rule) for one in deletions]


def daily(days: range, camera: str = "hik1", size: int = 10 * MB) -> list[Segment]:
    return [segment(ago(days=day), camera, size=size) for day in days]


def test_video_without_events_goes_when_it_is_older_than_continuous() -> None:
    found = plan(Store(daily(range(10))), policy({"hik1": WEEK}))
    assert ages(found) == [(9, "continuous 7d"), (8, "continuous 7d")]
    assert found[0].reason == "9d 0h old, no event near it"


def test_video_around_events_goes_when_it_is_older_than_events() -> None:
    store = Store(daily(range(0, 40, 4)), [event(ago(days=day), ago(days=day)) for day in (8, 20, 32, 36)])
    assert ages(plan(store, policy({"hik1": WEEK}))) == [
        (36, "events 30d"),
        (32, "events 30d"),
        (28, "continuous 7d"),
        (24, "continuous 7d"),
        (16, "continuous 7d"),
        (12, "continuous 7d"),
    ]


@pytest.mark.parametrize(("seconds", "kept"), [(9.9, True), (10, True), (10.1, False)])
def test_what_is_before_and_after_an_event_counts_as_around_it(seconds: float, kept: bool) -> None:
    old = segment(ago(days=8))
    roll = timedelta(seconds=seconds)
    for happened in (event(old.end + roll, old.end + roll), event(old.start - 2 * roll, old.start - roll)):
        found = plan(Store([old, segment(NOW)], [happened]), policy({"hik1": WEEK}))
        assert (not found) is kept


def test_an_event_of_another_camera_keeps_nothing() -> None:
    store = Store(daily(range(0, 9, 4)), [event(ago(days=8), ago(days=8), "hik2")])
    assert ages(plan(store, policy({"hik1": WEEK}))) == [(8, "continuous 7d")]


def test_an_event_that_lasts_keeps_video_up_to_now() -> None:
    store = Store(daily(range(20)), [event(ago(days=15), None)])
    assert [age for age, _ in ages(plan(store, policy({"hik1": WEEK})))] == [19, 18, 17, 16]


def test_video_around_events_is_kept_no_shorter_than_the_rest() -> None:
    store = Store(daily(range(9)), [event(ago(days=5), ago(days=5)), event(ago(days=8), ago(days=8))])
    found = plan(store, policy({"hik1": Limits(7 * DAY, 2 * DAY)}))
    assert ages(found) == [(8, "continuous 7d")]


def test_record_events_keeps_what_is_around_events_alone() -> None:
    store = Store([segment(ago(minutes=minute)) for minute in range(10)], [event(ago(minutes=7.5), ago(minutes=7.4))])
    found = plan(store, policy({"hik1": replace(WEEK, only_events=True)}))
    assert [((NOW - one.segment.end).seconds // 60, one.rule) for one in found] == [
        (9, "record: events"),
        (8, "record: events"),
        (6, "record: events"),
    ]


def test_record_events_deletes_nothing_of_a_camera_that_nobody_looks_at() -> None:
    store = Store([segment(ago(days=8)), *(segment(ago(minutes=minute)) for minute in range(10))])
    found = plan(store, policy({"hik1": replace(WEEK, only_events=True)}), watched=())
    assert ages(found) == [(8, "continuous 7d")]


def test_video_so_young_that_an_event_may_still_be_told_stays_whatever_the_limit() -> None:
    store = Store([segment(ago(minutes=minute)) for minute in range(8)])
    found = plan(store, policy({"hik1": Limits(timedelta(), timedelta())}))
    assert [NOW - one.segment.end for one in found] == [timedelta(minutes=7), timedelta(minutes=6)]


def test_a_cameras_size_is_kept_by_its_oldest() -> None:
    store = Store([*daily(range(6)), *daily(range(6), "hik2")])
    found = plan(store, policy({"hik1": replace(WEEK, max_size=35 * MB)}))
    assert ages(found) == [(day, "max_size 35MB of hik1") for day in (5, 4, 3)]
    assert {one.segment.camera for one in found} == {"hik1"}
    assert found[0].reason == "its video takes 60MB"


def test_the_size_of_all_is_kept_by_the_oldest_of_all() -> None:
    store = Store([*daily(range(0, 6, 2)), *daily(range(1, 7, 2), "hik2")])
    found = plan(store, policy(max_size=30 * MB))
    assert ages(found) == [(5, "max_size 30MB"), (4, "max_size 30MB"), (3, "max_size 30MB")]


def test_the_oldest_goes_until_the_disk_has_room_again() -> None:
    store = Store(daily(range(6)))
    found = plan(store, policy(min_free=1000 * MB), Disk(985 * MB, 10**6, 10**6))
    assert ages(found) == [(5, "min_free 1GB"), (4, "min_free 1GB")]
    assert found[0].reason == "985MB free"


def test_the_oldest_goes_until_there_are_inodes_again() -> None:
    found = plan(Store(daily(range(6))), policy(), Disk(10**12, 997, 10**6))
    assert ages(found) == [(5, "min_free 1000 files"), (4, "min_free 1000 files"), (3, "min_free 1000 files")]
    assert plan(Store(daily(range(6))), policy(), Disk(10**12, 97, 9700)) == []
    assert plan(Store(daily(range(6))), policy(), Disk(10**12, 0, 0)) == []


def test_each_rule_sees_what_those_before_it_have_left() -> None:
    store = Store(daily(range(10)))
    found = plan(store, policy({"hik1": WEEK}, max_size=60 * MB, min_free=100 * MB), Disk(50 * MB, 10**6, 10**6))
    assert [rule for _, rule in ages(found)] == [*2 * ["continuous 7d"], *2 * ["max_size 60MB"], "min_free 100MB"]


def test_video_younger_than_min_kept_does_not_go_for_room_but_for_its_age() -> None:
    keep = policy({"hik1": replace(WEEK, max_size=1)}, min_kept=5 * DAY, min_free=10**12)
    found = Plan(Store(daily(range(9))), keep, NOW)
    assert ages(list(found.all(Disk(0, 0, 10**6)))) == [
        (8, "continuous 7d"),
        (7, "max_size 1B of hik1"),
        (6, "max_size 1B of hik1"),
        (5, "max_size 1B of hik1"),
    ]
    assert found.short == ["max_size 1B of hik1", "min_free 1TB"]


def test_a_locked_event_keeps_its_video_from_every_rule() -> None:
    store = Store(daily(range(40)), [event(ago(days=35), ago(days=35), locked=True)])
    limits = replace(WEEK, max_size=1, only_events=True)
    found = plan(store, policy({"hik1": limits}, max_size=1, min_free=10**12), Disk(0, 0, 10**6))
    assert len(found) == 38
    assert 35 not in [age for age, _ in ages(found)]


def test_the_newest_segment_of_each_camera_stays() -> None:
    store = Store([segment(ago(days=90)), segment(ago(days=91)), segment(ago(days=99), "gone")])
    found = plan(store, policy(max_size=1, min_free=10**12), Disk(0, 0, 10**6))
    assert [age for age, _ in ages(found)] == [91]


def test_a_clock_that_was_set_far_back_does_not_keep_the_disk_full() -> None:
    store = Store(daily(range(-30, -20)))
    found = plan(store, policy({"hik1": WEEK}, min_free=100 * MB), Disk(90 * MB, 10**6, 10**6))
    assert ages(found) == [(-21, "min_free 100MB")]


def test_a_later_look_reads_only_what_became_old_since() -> None:
    store = Store(daily(range(100)), [event(ago(days=day), ago(days=day)) for day in range(0, 100, 2)])
    whole = list(Plan(store, policy({"hik1": WEEK}), NOW).by_age())
    left = store.without([one.segment for one in whole])
    later = Plan(left, policy({"hik1": WEEK}), NOW + 2 * DAY)
    left.read = 0
    found = list(later.by_age(NOW))
    assert left.read <= 6
    assert [(one.segment.end, one.rule) for one in found] == [
        (ago(days=30), "events 30d"),
        (ago(days=7), "continuous 7d"),
    ]
    assert [one.segment for one in Plan(left, policy({"hik1": WEEK}), NOW + 2 * DAY).by_age()] == [
        one.segment for one in found
    ]


def test_an_event_is_forgotten_after_its_video_unless_it_is_locked_or_lasts() -> None:
    limit = 30 * DAY + timedelta(minutes=15, seconds=10)
    happened = [
        event(NOW - limit - timedelta(seconds=1), NOW - limit - timedelta(seconds=1), id=1),
        event(NOW - limit, NOW - limit, id=2),
        event(ago(days=90), ago(days=90), locked=True, id=3),
        event(ago(days=90), None, id=4),
        event(ago(days=40), ago(days=40), "hik2", id=5),
    ]
    keep = policy({"hik1": WEEK, "hik2": Limits(7 * DAY, 60 * DAY)})
    assert [one.id for one in Plan(Store([], happened), keep, NOW).expired()] == [1]
    assert [one.id for one in Plan(Store([], happened), keep, NOW + DAY).expired(NOW)] == [2]


spans = st.builds(timedelta, hours=st.integers(0, 24 * 20))
sizes = st.none() | st.integers(1, 300).map(lambda size: size * MB)
limits = st.builds(Limits, spans, spans, sizes, st.booleans())
policies = st.builds(
    Policy,
    usual=limits,
    cameras=st.dictionaries(st.sampled_from(["hik1", "hik2"]), limits),
    min_free=st.integers(0, 300).map(lambda size: size * MB),
    max_size=sizes,
    min_kept=st.just(timedelta()) | spans,
    pre_roll=st.sampled_from([timedelta(), timedelta(seconds=10), timedelta(minutes=15)]),
    post_roll=st.sampled_from([timedelta(), timedelta(seconds=10), timedelta(minutes=15)]),
)


@st.composite
def stores(draw: st.DrawFn) -> Store:
    """Some days of up to three cameras; in short segments, with holes, and with events anywhere."""
    recorded: list[Segment] = []
    for camera in draw(st.sets(st.sampled_from(["hik1", "hik2", "hik3"]), min_size=1)):
        end = ago(hours=draw(st.integers(0, 100)))
        for _ in range(draw(st.integers(1, 12))):
            one = segment(end, camera, draw(st.sampled_from([5, 60, 900])), draw(st.integers(0, 30)) * MB)
            recorded.append(one)
            end = one.start - timedelta(minutes=draw(st.sampled_from([0, 0, 1, 600, 5000])))
    happened: list[Event] = []
    for number in range(draw(st.integers(0, 8))):
        near = draw(st.sampled_from(recorded))
        start = near.start + timedelta(seconds=draw(st.integers(-1000, 1000)))
        end_ = draw(st.none() | st.integers(0, 5000).map(lambda lasted: start + timedelta(seconds=lasted)))  # noqa: B023
        happened.append(event(start, end_, near.camera, locked=draw(st.booleans()), id=number))
    return Store(recorded, sorted(happened, key=lambda one: one.start))


disks = st.builds(
    Disk, st.integers(0, 400).map(lambda size: size * MB), st.integers(0, 2000), st.sampled_from([0, 10**6])
)
watchers = st.sets(st.sampled_from(["hik1", "hik2", "hik3"]))


def guarded(store: Store, policy: Policy, *, locked_only: bool) -> set[Segment]:
    """Segments that an event protects; told the slow and obvious way."""
    return {
        one
        for one in store.rows
        for happened in store.happened
        if happened.camera == one.camera
        and (happened.locked or not locked_only)
        and happened.start - policy.pre_roll <= one.end
        and max(happened.end or NOW, happened.start) + policy.post_roll >= one.start
    }


@given(stores(), policies, disks, watchers)
def test_whatever_the_store_what_is_protected_stays_and_what_must_hold_holds(
    store: Store, policy: Policy, disk: Disk, watched: set[str]
) -> None:
    made = Plan(store, policy, NOW, watched)
    found = list(made.all(disk))
    gone = [one.segment for one in found]
    left = store.without(gone)
    assert len({one.path for one in gone}) == len(gone)
    locked, near = guarded(store, policy, locked_only=True), guarded(store, policy, locked_only=False)
    newest = {one.camera: one.newest for one in store.usage()}
    kept = locked | {one for one in store.rows if one.end >= newest[one.camera]}
    assert not kept & set(gone)
    for one in found:
        age, own = NOW - one.segment.end, policy.of(one.segment.camera)
        if one.rule.startswith(("max_size", "min_free")):
            assert not policy.min_kept or age >= policy.min_kept
        elif one.rule == "record: events":
            assert one.segment not in near
            assert age > SETTLE
            assert one.segment.camera in watched
            assert own.only_events
        else:
            assert age > (own.events if one.segment in near else own.continuous)
    movable = [
        one for one in left.rows if one not in kept and (not policy.min_kept or NOW - one.end >= policy.min_kept)
    ]
    by_camera = {one.camera: one.bytes for one in left.usage()}
    for camera, size in by_camera.items():
        most = policy.of(camera).max_size
        assert most is None or size <= most or not [one for one in movable if one.camera == camera]
    assert policy.max_size is None or sum(by_camera.values()) <= policy.max_size or not movable
    space, files = disk.shortage(policy.min_free)
    freed = sum(one.bytes for one in gone)
    assert (freed >= space and len(gone) >= files) or not movable


@given(stores(), policies, disks, watchers)
def test_whatever_the_store_each_rule_takes_the_oldest_first_and_a_second_plan_is_empty(
    store: Store, policy: Policy, disk: Disk, watched: set[str]
) -> None:
    made = Plan(store, policy, NOW, watched)
    by_age, by_size, by_disk = list(made.by_age()), list(made.by_size()), list(made.by_disk(disk))
    groups: dict[str, list[datetime]] = {"age": [one.segment.start for one in by_age]}
    for one in (*by_size, *by_disk):
        groups.setdefault(one.rule, []).append(one.segment.start)
    for starts in groups.values():
        assert all(before <= after for before, after in pairwise(starts))
    gone = [one.segment for one in (*by_age, *by_size, *by_disk)]
    freed = sum(one.bytes for one in gone)
    after = Disk(disk.free_bytes + freed, disk.free_files + len(gone), disk.files)
    assert plan(store.without(gone), policy, after, tuple(watched)) == []


@given(stores(), policies, st.integers(1, 5))
def test_whatever_the_store_looking_now_and_then_deletes_what_one_look_would(
    store: Store, policy: Policy, looks: int
) -> None:
    looked, left = None, store
    for number in range(looks):
        now = NOW + timedelta(hours=7 * number)
        found = [one.segment for one in Plan(left, policy, now, ["hik1", "hik2", "hik3"]).by_age(looked)]
        whole = [one.segment for one in Plan(left, policy, now, ["hik1", "hik2", "hik3"]).by_age()]
        lasting = any(one.end is None for one in store.happened)  # it may reach what was passed by before
        assert found == whole or lasting
        left, looked = left.without(found), now


@given(stores(), policies)
def test_whatever_the_store_cover_tells_what_is_near_an_event(store: Store, policy: Policy) -> None:
    near, locked = (guarded(store, policy, locked_only=only) for only in (False, True))
    for camera in {one.camera for one in store.rows}:
        rolls = policy.pre_roll, policy.post_roll
        cover = Cover(lambda since, until: store.events(since, until, camera), rolls, NOW)  # noqa: B023
        for one in store.rows:
            if one.camera == camera:
                assert cover.has_event(one) == (one in near)
                assert cover.has_lock(one) == (one in locked)


def test_a_floor_that_the_disk_can_hardly_have_does_not_empty_it() -> None:
    """5TB where 5GB was meant."""
    disk = Disk(free_bytes=60 * MB, free_files=0, files=0, bytes=1000 * MB)
    assert disk.floor(5 * 10**12) == 50 * MB
    assert disk.floor(899 * MB) == 899 * MB
    assert disk.shortage(5 * 10**12)[0] < 0
    assert plan(Store(daily(range(6))), policy(min_free=5 * 10**12), disk) == []
