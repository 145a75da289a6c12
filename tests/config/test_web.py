"""The keys of ``web``: short forms, limits, and where the page is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvr.config import Config, Web, load
from nvr.errors import ConfigError


def config_of(tmp_path: Path, web: str) -> Config:
    path = tmp_path / "nvr.yaml"
    path.write_text(f"storage: video\n{web}\ncameras:\n  hik1: {{host: 192.0.2.1}}\n")
    return load(path)


def complaint(tmp_path: Path, web: str) -> str:
    with pytest.raises(ConfigError) as raised:
        config_of(tmp_path, web)
    return str(raised.value)


def test_there_is_a_page_for_this_machine_alone_unasked(tmp_path: Path) -> None:
    web = config_of(tmp_path, "").web
    assert (web.enabled, web.listen, web.port, web.certificate, web.private_key) == (
        True,
        "127.0.0.1",
        8642,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("given", "enabled"),
    [("true", True), ("on", True), ("false", False), ("off", False), ("'on'", True), ("", True), ("{}", True)],
)
def test_a_word_switches_it(tmp_path: Path, given: str, enabled: bool) -> None:
    assert config_of(tmp_path, f"web: {given}").web == Web(enabled=enabled)


def test_a_mapping_says_where(tmp_path: Path) -> None:
    web = config_of(tmp_path, "web: {listen: 0.0.0.0, port: 443, certificate: c.pem, private_key: /etc/k.pem}").web
    assert web.enabled
    assert (web.listen, web.port) == ("0.0.0.0", 443)
    assert (web.certificate, web.private_key) == (tmp_path / "c.pem", Path("/etc/k.pem"))
    off = config_of(tmp_path, "web: {enabled: false, port: 81}").web
    assert (off.enabled, off.port) == (False, 81)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("web: maybe", ':2: web: got "maybe", want true, false, or keys such as listen and port'),
        ("web: 5", ":2: web: got 5, want true, false, or keys such as listen and port"),
        ("web: [1]", ":2: web: got a list, want true, false, or keys such as listen and port"),
        ("web:\n  port: 0", ":3: web.port: got 0"),
        ("web:\n  listen: '::'\n  port: 65536", ":4: web.port: got 65536"),
        ("web:\n  listen: 'a b'", ":3: web.listen: "),
        ("web:\n  enabled: maybe", ":3: web.enabled: "),
        ("web:\n  prot: 81", ":3: web.prot: unknown key, "),
        ("web: {certificate: c.pem}", ":2: web: certificate and private_key go together: give both, or neither"),
        ("web: {private_key: k.pem}", ":2: web: certificate and private_key go together: give both, or neither"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_with_its_line(tmp_path: Path, given: str, words: str) -> None:
    told = complaint(tmp_path, given)
    assert f"{tmp_path}/nvr.yaml{words}" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8642"),
        ("192.0.2.5", "http://192.0.2.5:8642"),
        ("nvr.example.org", "http://nvr.example.org:8642"),
        ("0.0.0.0", "http://127.0.0.1:8642"),
        ("::", "http://[::1]:8642"),
        ("::1", "http://[::1]:8642"),
        ("2001:db8::5", "http://[2001:db8::5]:8642"),
    ],
)
def test_a_browser_on_this_machine_finds_it(listen: str, url: str) -> None:
    assert Web(listen=listen).url == url


def test_with_a_certificate_it_is_https() -> None:
    web = Web(port=8443, certificate=Path("/c.pem"), private_key=Path("/k.pem"))
    assert web.url == "https://127.0.0.1:8443"
