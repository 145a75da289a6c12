from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.config.address import check_host, check_rtsp, hikvision, is_file, split_login


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://cam/x", ("rtsp://cam/x", None, None)),
        ("rtsp://u:p@cam:8554/x?a=1", ("rtsp://cam:8554/x?a=1", "u", "p")),
        ("rtsp://u:p%40s%2Fs%3A@cam/x", ("rtsp://cam/x", "u", "p@s/s:")),
        ("rtsp://u:p@ss@cam/x", ("rtsp://cam/x", "u", "p@ss")),
        ("rtsp://u@[fe80::1]:554/x", ("rtsp://[fe80::1]:554/x", "u", None)),
        ("rtsp://admin:@cam", ("rtsp://cam", "admin", None)),
        ("rtsps://u:a:b@cam", ("rtsps://cam", "u", "a:b")),
        ("rtsp://cam/a@b", ("rtsp://cam/a@b", None, None)),
        ("clips/a@b.mp4", ("clips/a@b.mp4", None, None)),
    ],
)
def test_the_login_is_taken_out_of_an_address(url: str, expected: tuple[str, str | None, str | None]) -> None:
    assert split_login(url) == expected


@pytest.mark.parametrize("url", ["rtsp://u:hunter%ff@cam/", "rtsp://%ff:hunter@cam/"])
def test_a_login_that_cannot_be_decoded_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="not percent-encoded UTF-8") as caught:
        split_login(url)
    assert "hunter" not in str(caught.value)


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(text, text)
def test_every_encoded_login_comes_back_whole(username: str, password: str) -> None:
    url = f"rtsp://{quote(username, safe='')}:{quote(password, safe='')}@cam/x"
    assert split_login(url) == ("rtsp://cam/x", username, password)


@pytest.mark.parametrize(
    "url",
    ["rtsp://cam", "rtsps://cam:322/x", "rtsp://[::1]:8554/x?y=1", "rtsp://192.168.1.64:554/Streaming/Channels/101"],
)
def test_an_rtsp_address_is_taken_as_it_is(url: str) -> None:
    assert check_rtsp(url) == url


def test_the_scheme_may_be_written_large() -> None:
    assert check_rtsp("RTSP://cam/X") == "rtsp://cam/X"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://cam/x", "want rtsp://"),
        ("file:///x.mp4", "path of a video file"),
        ("rtsp://", "want rtsp://HOST"),
        ("rtsp:///x", "want rtsp://HOST"),
        ("rtsp://cam:0/", "a port from 1 to 65535"),
        ("rtsp://cam:65536/", "a port from 1 to 65535"),
        ("rtsp://cam:x/", "a port from 1 to 65535"),
        ("rtsp://[::1/", "want rtsp://HOST"),
        ("rtsp://cam/a b", "write it as %20"),
        ("rtsp://cam/a#b", "# as %23"),
        ("rtsp://u:hunter/2@cam/", "/ as %2F"),
        ("rtsp://u:12/34@cam/", "@ as %40"),
    ],
)
def test_any_other_address_is_refused_with_what_to_write(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match="got ") as caught:
        check_rtsp(url)
    assert problem in str(caught.value)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("192.168.1.64", "192.168.1.64"),
        ("front-door.local", "front-door.local"),
        ("camera_1", "camera_1"),
        ("fe80::1", "fe80::1"),
        ("[fe80::1]", "fe80::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_a_host_is_a_name_or_an_address(text: str, host: str) -> None:
    assert check_host(text) == host


@pytest.mark.parametrize("text", ["", "cam:8554", "rtsp://cam", "u:p@cam", "cam/x", "a b", "-cam", "[cam]", "::g"])
def test_a_host_is_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="want a host name or an IP address alone"):
        check_host(text)


def test_hikvision_addresses_name_channel_and_stream() -> None:
    assert hikvision("cam", 554, 1, "main") == "rtsp://cam:554/Streaming/Channels/101"
    assert hikvision("cam", 8554, 16, "sub") == "rtsp://cam:8554/Streaming/Channels/1602"
    assert hikvision("fe80::1", 554, 1, "main") == "rtsp://[fe80::1]:554/Streaming/Channels/101"


def test_whatever_has_no_scheme_is_a_file() -> None:
    assert is_file("clips/a.mp4")
    assert not is_file("rtsp://cam")
    assert not is_file(None)
