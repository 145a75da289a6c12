"""The first account: an admin who sets a password by a link that is shown where nvr was started, and works once."""

from __future__ import annotations

import logging
from datetime import timedelta

from nvr.credential import digest, new_secret
from nvr.errors import CatalogueError
from nvr.model import Account, Key
from nvr.web.state import State

log = logging.getLogger(__name__)
ADMIN = "admin"
VALID = timedelta(days=1)


def invite(state: State) -> None:
    """While no admin has a password: make one an admin's link and show it. Earlier links are worth nothing then."""
    try:
        accounts = state.catalogue().accounts()
        if any(account.role == "admin" and account.password is not None for account in accounts):
            return
        name = next((account.name for account in accounts if account.role == "admin"), ADMIN)
        link = make_link(state, name)
    except CatalogueError as error:
        log.error("nobody can log in yet: %s", error)
        return
    log.warning("nobody has an account yet. Within a day, open this once to choose the password of %s: %s", name, link)


def make_link(state: State, name: str) -> str:
    """Where an account's password can be set, once, within a day; the account is made where there is none.

    Raises CatalogueError.
    """
    secret, now = new_secret(), state.now()
    with state.changing() as catalogue:
        catalogue.add_account(Account(name, "admin", None, now))
        catalogue.remove_links(name)
        catalogue.add_key(Key(name, "link", "", now, now + VALID), digest(secret))
    return f"{state.config.web.url}/#/setup/{secret}"
