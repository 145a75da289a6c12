"""Passwords and secrets; how long hashing takes is not tested."""

from __future__ import annotations

import hashlib
import re

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from nvr.credential import LEAST, MOST, NAME, check_password, digest, hash_password, is_password, new_secret

PASSWORD = "correct horse, süß „Tor“"


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_password(PASSWORD)


def test_only_the_password_that_was_hashed_is_taken(hashed: str) -> None:
    assert is_password(hashed, PASSWORD)
    for wrong in ("", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), hashed):
        assert not is_password(hashed, wrong)


def test_without_a_hash_no_password_is_right() -> None:
    assert not is_password(None, PASSWORD)
    assert not is_password(None, "")
    assert not is_password("", PASSWORD)
    assert not is_password("", "")


@pytest.mark.parametrize("damaged", ["hunter2hunter2", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$"])
def test_what_is_no_hash_lets_nobody_in(damaged: str) -> None:
    assert not is_password(damaged, PASSWORD)
    assert not is_password(damaged, damaged)


def test_equal_passwords_have_different_hashes(hashed: str) -> None:
    other = hash_password(PASSWORD)
    assert other != hashed
    assert is_password(other, PASSWORD)
    assert PASSWORD not in hashed


def test_hashes_are_as_slow_as_is_recommended(hashed: str) -> None:
    found = extract_parameters(hashed)
    assert found.type is Type.ID
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19456, 2, 1)


@given(st.integers(0, 400))
def test_a_password_has_from_8_to_256_characters(length: int) -> None:
    if 8 <= length <= 256:
        check_password("ü" * length)
    else:
        with pytest.raises(ValueError, match=f"of {length} characters is too (short|long)"):
            check_password("ü" * length)


def test_a_refusal_says_what_is_wanted_and_not_the_password() -> None:
    for password, words in (("hunter2", f"{LEAST} at least"), ("hunter2" * 99, f"{MOST} at most")):
        with pytest.raises(ValueError, match=words) as raised:
            check_password(password)
        assert "hunter2" not in str(raised.value)


def test_secrets_are_43_characters_and_never_the_same() -> None:
    made = {new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in made)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_digest_is_the_sha_256(secret: str) -> None:
    assert digest(secret) == hashlib.sha256(secret.encode()).hexdigest()


@pytest.mark.parametrize("name", ["a", "Anna", "7", "anna.b_c-d@example.org", "a" * 32])
def test_names_of_accounts(name: str) -> None:
    assert re.fullmatch(NAME, name)


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "ä", "a\n", "a/b", "a" * 33])
def test_what_is_no_name_of_an_account(name: str) -> None:
    assert not re.fullmatch(NAME, name)
