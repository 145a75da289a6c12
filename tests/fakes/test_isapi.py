"""The fake device is as strict as a real one."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.isapi import PASSWORD, SILENT, USER, FakeDevice, alert, part

PATH = "/ISAPI/Event/notification/alertStream"


def get(device: FakeDevice, password: str = PASSWORD) -> httpx.Response:
    auth = httpx.DigestAuth(USER.encode(), password.encode())
    return httpx.get(f"http://127.0.0.1:{device.port}{PATH}", auth=auth, trust_env=False, timeout=5)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_it_plays_to_who_knows_the_password(algorithm: str) -> None:
    with FakeDevice([part(alert())], offers=[algorithm]) as device:
        assert get(device).content == part(alert())
        assert (device.refused, device.subscriptions()) == (0, 1)


def test_it_counts_wrong_passwords() -> None:
    with FakeDevice([SILENT]) as device:
        assert get(device, "wrong").status_code == 401
        assert device.refused == 1


def test_a_nonce_that_is_too_old_is_no_wrong_password() -> None:
    with FakeDevice([part(alert())], stale=1) as device:
        answer = get(device)
        assert answer.status_code == 401
        assert 'stale="true"' in answer.headers["www-authenticate"]
        assert device.refused == 0


def test_it_lets_go_of_whoever_listens_when_it_ends() -> None:
    with FakeDevice([b"x", SILENT], offers=()) as device:
        client = httpx.Client(trust_env=False, timeout=5)
        with client.stream("GET", f"http://127.0.0.1:{device.port}{PATH}") as answer:
            chunks = answer.iter_raw()
            assert next(chunks) == b"x"
            assert device.open == 1
        client.close()
    assert device.open == 0
