"""Events for all who listen: asked for once, and nobody is waited for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest

from nvr.follow import Follower, Told
from nvr.model import Event
from nvr.web import app, herald
from nvr.web.herald import Herald
from tests.fakes.site import Site, until
from tests.fakes.station import WAIT_S


def happen(site: Site, label: str = "person") -> None:
    now = datetime.now(UTC)
    with site.writing() as catalogue:
        catalogue.open_event(Event("hik1", "object", label, now, now))


async def told(inbox: asyncio.Queue[Told]) -> Told:
    async with asyncio.timeout(WAIT_S):
        return await inbox.get()


def run(listen: object) -> None:
    asyncio.run(listen)  # type: ignore[arg-type]


def test_all_who_listen_are_told(site: Site) -> None:
    async def listen() -> None:
        speaker = Herald(site.state)
        task = asyncio.ensure_future(speaker.run())
        async with speaker.listening() as one, speaker.listening() as other:
            await asyncio.to_thread(happen, site)
            assert (await told(one)).event.label == (await told(other)).event.label == "person"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(listen())


def test_who_does_not_take_it_loses_the_oldest(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(herald, "WAITING", 2)

    async def listen() -> None:
        speaker = Herald(site.state)
        task = asyncio.ensure_future(speaker.run())
        async with speaker.listening() as inbox, speaker.listening() as quick:
            for number in range(4):
                await asyncio.to_thread(happen, site, f"label{number}")
                await told(quick)
            assert [(await told(inbox)).event.label for _ in range(2)] == ["label2", "label3"]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(listen())


def test_a_database_that_is_gone_for_a_while_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(herald, "AGAIN_S", 0.05)

    async def listen() -> None:
        speaker = Herald(site.state)
        task = asyncio.ensure_future(speaker.run())
        aside = site.database.with_suffix(".aside")
        async with speaker.listening() as inbox:
            site.database.rename(aside)
            await asyncio.sleep(herald.LOOK_S * 2)
            aside.rename(site.database)
            await asyncio.to_thread(happen, site)  # before it has looked again: what is stored meanwhile is told, too
            assert (await told(inbox)).event.label == "person"
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(listen())


def test_a_mistake_is_logged_and_does_not_end_the_telling(
    site: Site, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look, failures = herald._look, [ValueError("a bug"), ValueError("another")]

    def failing(follower: Follower) -> list[Told]:
        if failures:
            raise failures.pop()
        return look(follower)

    monkeypatch.setattr(app, "AGAIN_S", 0.05)
    monkeypatch.setattr(herald, "_look", failing)
    with admin.stream("GET", "events/live") as stream:
        lines = stream.iter_lines()
        until(lambda: not failures, "it failed twice")
        happen(site)
        assert "event: begin" in lines
    assert "bug: ValueError: a bug" in caplog.text


def test_a_database_that_is_gone_keeps_nobody_from_listening(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(herald, "AGAIN_S", 0.05)

    async def listen() -> None:
        site.database.unlink()
        speaker = Herald(site.state)
        task = asyncio.ensure_future(speaker.run())
        async with asyncio.timeout(WAIT_S), speaker.listening() as inbox:
            assert inbox.empty()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run(listen())
