"""A device over real HTTP: what it lets us hear, and every way in which it does not."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing, suppress

import pytest

from nvr.errors import LoginError, SourceError
from nvr.isapi.device import Device, Patience
from nvr.isapi.task import Place
from nvr.reason import Reason
from tests.fakes.isapi import PASSWORD, SILENT, USER, Answer, FakeDevice, alert, part

PATIENT = Patience(connect=10, answer=20, silence=20)
SHORT = Patience(connect=10, answer=3, silence=3)
"""For what is given up."""
BUSY_XML = b"<ResponseStatus><statusCode>4</statusCode><statusString>Invalid Operation</statusString></ResponseStatus>"
JPEG = b"\xff\xd8picture\xff\xd9"
DEVICE_ERROR = Answer("200 OK", b"<ResponseStatus><statusString>Device Error</statusString></ResponseStatus>")


def opened(
    fake: FakeDevice, password: str | None = PASSWORD, user: str | None = USER, patience: Patience = PATIENT
) -> Device:
    return Device(Place("127.0.0.1", fake.port, username=user, password=password), patience)


def failure(fake: FakeDevice, password: str | None = PASSWORD, user: str | None = USER) -> SourceError:
    with closing(opened(fake, password, user)) as device, pytest.raises(SourceError) as raised, device.alerts():
        pass
    assert PASSWORD not in str(raised.value)
    return raised.value


def test_the_stream_is_heard_as_it_comes() -> None:
    with FakeDevice([part(alert()), 0.2, b"tail"]) as fake, closing(opened(fake)) as device, device.alerts() as chunks:
        assert b"".join(chunks) == part(alert()) + b"tail"


@pytest.mark.parametrize(
    ("answer", "reason", "text"),
    [
        (Answer("403 Forbidden", BUSY_XML), Reason.BUSY, "too many others listen"),
        (Answer("503 Service Unavailable", b"too many subscribers"), Reason.BUSY, "too many others listen"),
        (Answer("503 Service Unavailable"), Reason.BUSY, "503"),
        (Answer("403 Forbidden"), Reason.FORBIDDEN, "Remote: Notify Surveillance Center"),
        (Answer("404 Not Found"), Reason.NOT_FOUND, "no ISAPI"),
        (Answer("302 Found", b"", {"Location": "https://127.0.0.1/"}), Reason.UNUSABLE, "tls: true"),
        (Answer("400 Bad Request"), Reason.UNUSABLE, "400"),
    ],
)
def test_a_refusal_says_what_to_do(answer: Answer, reason: Reason, text: str) -> None:
    with FakeDevice(answer) as fake:
        error = failure(fake)
    assert error.reason is reason
    assert text in str(error)
    assert not isinstance(error, LoginError)


def test_a_wrong_password_is_a_refused_login() -> None:
    with FakeDevice([SILENT]) as fake:
        error = failure(fake, "wrong")
    assert isinstance(error, LoginError)
    assert "the login of viewer was refused" in str(error)
    assert "locked" not in str(error)


def test_a_login_that_was_never_tried_is_no_refused_one() -> None:
    with FakeDevice([SILENT]) as fake:
        error = failure(fake, None, None)
        assert not isinstance(error, LoginError)
        assert "give username and password" in str(error)
        assert fake.refused == 0


def test_a_device_that_is_away_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with closing(Device(Place("127.0.0.1", port), PATIENT)) as device, pytest.raises(SourceError) as raised:
        device.alerts().__enter__()
    assert raised.value.reason is Reason.UNREACHABLE
    assert "cannot be reached" in str(raised.value)


@pytest.mark.parametrize(
    "words", [b"\x16\x03\x01garbage\r\n\r\n", b"HTTP/1.1 2OO OK\r\n\r\n", b"RTSP/1.0 200 OK\r\n\r\n", b""]
)
def test_what_does_not_speak_http_is_an_error_of_its_own(words: bytes) -> None:
    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(words)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        device = Device(Place("127.0.0.1", server.getsockname()[1]), PATIENT)
        with closing(device), pytest.raises(SourceError) as raised:
            device.alerts().__enter__()
        thread.join(5)
    assert raised.value.reason in (Reason.CLOSED, Reason.UNUSABLE)


def test_a_device_that_takes_the_connection_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        device = Device(Place("127.0.0.1", server.getsockname()[1]), SHORT)
        with closing(device), pytest.raises(SourceError) as raised:
            device.alerts().__enter__()
    assert raised.value.reason is Reason.STALLED


def test_an_answer_that_drips_holds_nobody_up() -> None:
    def drip() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"HTTP/1.1 200 OK\r\n"[:1])

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip)
        thread.start()
        patience = Patience(connect=10, answer=20, login=2)
        began = time.monotonic()
        device = Device(Place("127.0.0.1", server.getsockname()[1]), patience)
        with closing(device), pytest.raises(SourceError):
            device.alerts().__enter__()
        assert time.monotonic() - began < 15
        over.set()
        thread.join(5)


def test_what_a_device_says_is_nothing_that_a_terminal_obeys() -> None:
    with FakeDevice(Answer("500 Oops", "\x1b[2J<b>\x9b2Jno</b>".encode())) as fake:
        assert str(failure(fake)).endswith(": 500 Oops ([2J 2Jno)")


def test_silence_in_the_stream_ends_it() -> None:
    with FakeDevice([b"x", SILENT]) as fake, closing(opened(fake, patience=SHORT)) as device, device.alerts() as chunks:
        assert next(chunks) == b"x"
        with pytest.raises(SourceError) as raised:
            next(chunks)
    assert raised.value.reason is Reason.STALLED


def test_a_quiet_stream_is_waited_for_longer_than_an_answer() -> None:
    patience = Patience(connect=10, answer=2, silence=30)
    with (
        FakeDevice([b"x", 3.0, b"y"]) as fake,
        closing(opened(fake, patience=patience)) as device,
        device.alerts() as chunks,
    ):
        assert b"".join(chunks) == b"xy"


def test_a_read_that_waits_can_be_interrupted() -> None:
    with FakeDevice([b"x", SILENT]) as fake:
        device = Device(Place("127.0.0.1", fake.port, username=USER, password=PASSWORD))
        with closing(device), device.alerts() as chunks:
            assert next(chunks) == b"x"
            timer = threading.Timer(0.1, device.interrupt)
            timer.start()
            began = time.monotonic()
            assert next(chunks, b"over") == b"over"
            assert time.monotonic() - began < 30
            timer.join()
        device.interrupt()


@pytest.mark.parametrize(
    "answers",
    [
        [JPEG],
        [DEVICE_ERROR, JPEG],
        [Answer("503 Service Unavailable"), DEVICE_ERROR, JPEG],
    ],
)
def test_a_picture_is_asked_for_up_to_three_times(answers: list[bytes | Answer]) -> None:
    with FakeDevice([SILENT], pictures=answers) as fake, closing(opened(fake)) as device:
        assert device.picture(3) == JPEG
        assert fake.requests[-1][0] == "/ISAPI/Streaming/channels/301/picture"


def test_a_picture_that_never_comes_is_given_up() -> None:
    with FakeDevice([SILENT], pictures=[DEVICE_ERROR]) as fake, closing(opened(fake)) as device:
        with pytest.raises(SourceError, match="no picture but Device Error"):
            device.picture(1)
        assert sum(1 for _, login in fake.requests if login) == 3


def test_pictures_that_are_not_allowed_are_asked_for_once() -> None:
    with FakeDevice([SILENT], pictures=[Answer("403 Forbidden")]) as fake, closing(opened(fake)) as device:
        with pytest.raises(SourceError):
            device.picture(1)
        assert sum(1 for _, login in fake.requests if login) == 1


def test_a_place_has_an_address() -> None:
    assert Place("camera").url == "http://camera:80"
    assert Place("fe80::1", 8443, tls=True).url == "https://[fe80::1]:8443"
    assert "secret" not in repr(Place("camera", password="secret"))
