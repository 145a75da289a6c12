"""Passwords and secrets: hashed, checked, made up. The only place that knows how.

Passwords are hashed by argon2id (RFC 9106) with 19 MB and two passes, which a small machine does in about 50 ms. Keys
(of sessions, tokens, links) are 256 random bits, of which the SHA-256 is kept: they need no slow hash.
"""

from __future__ import annotations

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,31}$"
"""What an account may be called."""
LEAST, MOST = 8, 256
"""Characters of a password."""
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_NOBODY = _HASHER.hash(secrets.token_hex(16))


def check_password(password: str) -> None:
    """Raise ValueError for a password that nobody should have."""
    if len(password) < LEAST:
        raise ValueError(f"a password of {len(password)} characters is too short: want {LEAST} at least")
    if len(password) > MOST:
        raise ValueError(f"a password of {len(password)} characters is too long: want {MOST} at most")


def hash_password(password: str) -> str:
    return _HASHER.hash(password)


def is_password(hashed: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed. Takes as long where there is no hash, so that nobody learns which
    accounts there are."""
    try:
        return _HASHER.verify(hashed or _NOBODY, password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def new_secret() -> str:
    """43 characters that nobody guesses, safe in an address."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
