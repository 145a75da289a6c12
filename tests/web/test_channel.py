"""A live stream for all who watch it: what a new, a quick and a slow viewer get."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from nvr import packetring
from nvr.packetring import Form, Parcel, RingWriter
from nvr.web.channel import Channel, Channels
from tests.fakes.live import Camera
from tests.fakes.station import WAIT_S


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "hik1.main.ring"
    packetring.create(path)
    return path


@pytest.fixture
def camera(ring: Path, tape: Path) -> Iterator[Camera]:
    with Camera(ring, tape) as sending:
        yield sending


async def settle() -> None:
    """Let the loop hear the bell."""
    for _ in range(10):
        await asyncio.sleep(0.005)


def test_a_new_viewer_begins_with_the_newest_key_frame(ring: Path, camera: Camera) -> None:
    async def watch() -> None:
        camera.send(60)  # key frames are 0, 25 and 50
        channel = Channel(ring)
        channel.enter()
        await settle()
        pieces, number, skipped = channel.after(0)
        assert channel.opening is not None
        assert channel.opening.codec == "h264"
        assert [piece.key for piece in pieces] == [True] + [False] * 8
        assert not skipped
        camera.send(2)
        await settle()
        more, _, _ = channel.after(number)
        assert [piece.key for piece in more] == [False] * 2
        channel.leave()

    asyncio.run(watch())


def test_a_slow_viewer_goes_on_at_the_newest_key_frame(ring: Path, camera: Camera) -> None:
    async def watch() -> None:
        camera.send(5)
        channel = Channel(ring)
        channel.enter()
        await settle()
        _, number, _ = channel.after(0)
        for _ in range(30):
            camera.send(5)
            await settle()
        pieces, _, skipped = channel.after(number)
        assert skipped
        assert pieces[0].key
        assert len(pieces) <= 50
        channel.leave()

    asyncio.run(watch())


def test_a_viewer_that_is_a_little_late_misses_nothing_at_a_key_frame(ring: Path, camera: Camera) -> None:
    async def watch() -> None:
        camera.send(20)
        channel = Channel(ring)
        channel.enter()
        await settle()
        _, number, _ = channel.after(0)
        camera.send(10)
        await settle()
        pieces, _, skipped = channel.after(number)
        assert (len(pieces), skipped) == (10, False)
        assert any(piece.key for piece in pieces)
        channel.leave()

    asyncio.run(watch())


def test_nothing_is_kept_for_nobody(ring: Path, camera: Camera) -> None:
    async def watch() -> None:
        camera.send(30)
        channel = Channel(ring)
        channel.enter()
        channel.enter()
        await settle()
        channel.leave()
        assert channel.after(0)[0]
        channel.leave()
        assert channel.after(0)[0] == []
        assert channel.opening is None
        assert not list((ring.parent / (ring.name + ".wake")).iterdir())

    asyncio.run(watch())


def test_what_is_kept_is_bounded(ring: Path, camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nvr.web.channel.KEPT_BYTES", 30_000)

    async def watch() -> None:
        channel = Channel(ring)
        channel.enter()
        for _ in range(20):
            camera.send(10)
            await settle()
            assert sum(len(piece.data) for _, piece in channel._pieces) <= 30_000
        channel.leave()

    asyncio.run(watch())


def test_another_picture_begins_a_new_opening(ring: Path, camera: Camera) -> None:
    async def watch() -> None:
        camera.send(30)
        channel = Channel(ring)
        channel.enter()
        await settle()
        before = channel.epoch
        camera.begin()
        camera.send(30)
        await settle()
        assert channel.epoch == before + 1
        assert channel.after(0)[0][0].key
        channel.leave()

    asyncio.run(watch())


def test_a_ring_that_grows_interrupts_nobody(ring: Path, tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packetring, "FIRST", 1 << 14)

    async def watch() -> None:
        with Camera(ring, tape) as camera:
            camera.send(3)
            channel = Channel(ring)
            channel.enter()
            await settle()
            epoch, number, got = channel.epoch, 0, 0
            for _ in range(40):
                camera.send(5)
                await settle()
                pieces, number, skipped = channel.after(number)
                assert not skipped
                got += len(pieces)
            assert channel.epoch == epoch
            assert got == 202
            channel.leave()

    asyncio.run(watch())


def test_a_ring_that_comes_later_is_found(tmp_path: Path, tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nvr.web.channel.REOPEN_S", 0.01)
    path = tmp_path / "late.ring"

    async def watch() -> None:
        channel = Channel(path)
        channel.enter()
        await settle()
        assert "is `nvr start` running" in channel.reason
        assert str(tmp_path) not in channel.reason
        packetring.create(path)
        with Camera(path, tape) as camera:
            camera.send(30)
            async with asyncio.timeout(WAIT_S):
                while channel.opening is None:
                    await settle()
        channel.leave()

    asyncio.run(watch())


def test_a_codec_that_no_browser_takes_is_said(ring: Path) -> None:
    async def watch() -> None:
        channel = Channel(ring)
        channel.enter()
        with RingWriter(ring) as writer:
            writer.begin(Form("mjpeg", 640, 360, b""))
            writer.write(Parcel(b"\xff\xd8", 0, 0, 0, True))
            await settle()
        assert channel.opening is None
        assert "mjpeg is not shown live" in channel.reason
        channel.leave()

    asyncio.run(watch())


def test_what_can_be_watched_is_told(ring: Path, camera: Camera, tmp_path: Path) -> None:
    channels = Channels(lambda name: {"main": ring, "sub": tmp_path / "none.ring"} if name == "hik1" else {})
    assert channels.of("hik1") == []
    camera.send(1)
    [offer] = channels.of("hik1")
    assert (offer.stream, offer.opening.width) == ("main", 320)
    assert channels.of("hik1")[0].opening is offer.opening, "made once"
    assert channels.of("hik2") == []
    assert channels.get("hik2", "main") is None
    assert channels.get("hik1", "main") is channels.get("hik1", "main")
