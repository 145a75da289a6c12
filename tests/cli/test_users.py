"""``nvr users``: accounts from the command line, and no password where one could read it."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nvr.catalogue.store import Catalogue
from nvr.credential import digest, hash_password, is_password
from nvr.model import Account, Key, KeyKind
from tests.fakes.station import COMMAND, ROOT, nvr

KINDS: tuple[KeyKind, ...] = ("session", "link", "token")
PASSWORD, OTHER = "hunter2-süß hunter2", "another hunter2"


def users(config: Path, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    """``nvr users`` with something on its standard input, which is no terminal."""
    return subprocess.run(
        [*COMMAND, "users", *arguments, "--config", str(config)],
        input=typed or "",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def stored(config: Path, name: str) -> Account | None:
    with Catalogue.open(config.parent / "storage/nvr.db", readonly=True) as catalogue:
        return catalogue.account(name)


def listed(config: Path) -> list[dict[str, Any]]:
    done = nvr("users", "list", "--json", "--config", str(config))
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def everything(config: Path, *done: subprocess.CompletedProcess[str]) -> bytes:
    """What the commands said, and every byte below the folder of the configuration."""
    said = "".join(one.stdout + one.stderr for one in done).encode()
    return said + b"".join(file.read_bytes() for file in config.parent.rglob("*") if file.is_file())


@pytest.fixture
def peopled(config: Path) -> Path:
    """Anna sees everything, Bert one camera; Anna has a session, a link and a token."""
    made = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    with Catalogue.open(config.parent / "storage/nvr.db") as catalogue:
        catalogue.add_account(Account("anna", "admin", None, made, hash_password(PASSWORD)))
        catalogue.add_account(Account("bert", "viewer", ("hik2",), made, hash_password(OTHER)))
        for kind in KINDS:
            catalogue.add_key(Key("anna", kind, "x", made), digest(kind))
    return config


def test_nobody_has_an_account_at_first(config: Path) -> None:
    assert listed(config) == []
    assert nvr("users", "list", "--config", str(config)).stderr == "nobody has an account; nvr start shows a link\n"


def test_an_account_is_made_with_the_password_that_was_written(config: Path) -> None:
    done = users(config, "add", "anna", "--camera", "hik2", "--camera", "hik1", "--stdin", typed=PASSWORD + "\nmore\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "anna may log in at http://127.0.0.1:8642\n", "")
    anna = stored(config, "anna")
    assert anna is not None
    assert (anna.role, anna.cameras) == ("viewer", ("hik2", "hik1"))
    assert is_password(anna.password, PASSWORD)
    assert b"hunter2" not in everything(config, done)


def test_accounts_are_listed_with_what_they_see(peopled: Path) -> None:
    anna, bert = listed(peopled)
    assert anna["created"].endswith("Z")
    assert anna == {**anna, "name": "anna", "role": "admin", "cameras": None, "active": True}
    assert bert == {**bert, "name": "bert", "role": "viewer", "cameras": ["hik2"], "active": True}
    table = [line.split() for line in nvr("users", "list", "--config", str(peopled)).stdout.splitlines()]
    assert table[1:] == [["anna", "admin", "all", "yes"], ["bert", "viewer", "hik2", "yes"]]


def test_a_name_that_is_taken_is_one_line_and_changes_nothing(peopled: Path) -> None:
    before = stored(peopled, "anna")
    done = users(peopled, "add", "anna", "--stdin", typed=OTHER)
    assert done.returncode == 1
    assert done.stderr == "nvr: there is an account anna already: nvr users passwd anna changes its password\n"
    assert stored(peopled, "anna") == before


def test_a_new_password_ends_sessions_and_keeps_tokens(peopled: Path) -> None:
    done = users(peopled, "passwd", "anna", "--stdin", typed=OTHER + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the password of anna is changed, and its sessions have ended\n"
    anna = stored(peopled, "anna")
    assert anna is not None
    assert is_password(anna.password, OTHER)
    assert not is_password(anna.password, PASSWORD)
    assert anna.role == "admin"
    with Catalogue.open(peopled.parent / "storage/nvr.db", readonly=True) as catalogue:
        left = [kind for kind in KINDS if catalogue.find_key(digest(kind))]
    assert left == ["token"]
    assert b"hunter2" not in everything(peopled, done)


def test_a_removed_account_is_gone_with_its_keys(peopled: Path) -> None:
    with Catalogue.open(peopled.parent / "storage/nvr.db") as catalogue:
        catalogue.change_account("bert", {"role": "admin"})
    done = nvr("users", "remove", "anna", "--config", str(peopled))
    assert (done.returncode, done.stdout) == (0, "anna has no account any more\n")
    assert [row["name"] for row in listed(peopled)] == ["bert"]
    with Catalogue.open(peopled.parent / "storage/nvr.db", readonly=True) as catalogue:
        assert catalogue.find_key(digest("token")) is None


def test_the_last_admin_stays(peopled: Path) -> None:
    done = nvr("users", "remove", "anna", "--config", str(peopled))
    assert done.returncode == 1
    assert "anna is the last admin" in done.stderr
    assert [row["name"] for row in listed(peopled)] == ["anna", "bert"]


def test_a_token_is_printed_once_and_opens_the_account(peopled: Path) -> None:
    done = nvr("users", "token", "bert", "--for", "prometheus", "--config", str(peopled))
    assert (done.returncode, done.stderr) == (0, "")
    (token,) = done.stdout.splitlines()
    assert len(token) == 43
    with Catalogue.open(peopled.parent / "storage/nvr.db", readonly=True) as catalogue:
        found = catalogue.find_key(digest(token))
    assert found is not None
    key, account = found
    assert (key.kind, key.name, key.expires, account.name) == ("token", "prometheus", None, "bert")
    assert token.encode() not in everything(peopled)


@pytest.mark.parametrize("command", ["passwd", "remove", "token"])
def test_an_unknown_name_is_one_line(config: Path, command: str) -> None:
    done = users(config, command, "nobody", *(["--stdin"] if command == "passwd" else []), typed=PASSWORD)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "nvr: no account nobody; see nvr users list\n"


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (["add", "anna", "--role", "boss", "--stdin"], PASSWORD, '--role: got "boss", want admin or viewer'),
        (["add", "anna", "--camera", "hik9", "--stdin"], PASSWORD, "no camera named hik9 in the configuration"),
        (["add", "an na", "--stdin"], PASSWORD, 'got "an na", want a name of letters, digits'),
        (["add", "anna", "--stdin"], "hunter2\n", "a password of 7 characters is too short: want 8 at least"),
        (["add", "anna", "--stdin"], "", "a password of 0 characters is too short"),
        (["add", "anna", "--stdin"], "hunter2" * 99, "a password of 693 characters is too long: want 256 at most"),
        (["add", "anna"], PASSWORD, "a password is asked for in a terminal: without one, give --stdin"),
    ],
    ids=["role", "camera", "name", "short", "none", "long", "no terminal"],
)
def test_bad_usage_is_one_line_and_makes_no_account(config: Path, arguments: list[str], typed: str, words: str) -> None:
    done = users(config, *arguments, typed=typed)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr
    assert stored(config, "anna") is None


def test_a_password_that_is_too_short_leaves_the_old_one(peopled: Path) -> None:
    before = stored(peopled, "anna")
    assert users(peopled, "passwd", "anna", "--stdin", typed="short\n").returncode == 2
    assert stored(peopled, "anna") == before


def test_in_a_terminal_it_asks_twice_and_shows_nothing(config: Path) -> None:
    main, end = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "users", "add", "anna", "--config", str(config)],
        stdin=end,
        stdout=end,
        stderr=end,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    os.close(end)
    said = b""
    for _ in range(2):
        while not said.endswith(b": "):
            said += os.read(main, 4096)
        os.write(main, PASSWORD.encode() + b"\n")
        said += os.read(main, 1)
    assert process.wait(30) == 0
    os.close(main)
    assert b"hunter2" not in said
    anna = stored(config, "anna")
    assert anna is not None
    assert is_password(anna.password, PASSWORD)
