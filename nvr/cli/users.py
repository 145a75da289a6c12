"""``nvr users``: who may use the web page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nvr.cli.app import ConfigOption, JsonOption, app, database_of, load_config, open_catalogue

if TYPE_CHECKING:
    from nvr.config import Config
    from nvr.model import Account

users = typer.Typer(help="Who may use the web page.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(users, name="users")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]
CamerasOption = Annotated[
    list[str] | None, typer.Option("--camera", help="A camera it may see (again for more); else all.")
]
StdinOption = Annotated[
    bool, typer.Option("--stdin", help="Read the password from standard input, in place of asking for it.")
]


@users.command("list")
def list_users(json: JsonOption = False, config: ConfigOption = None) -> None:
    """All accounts."""
    from nvr.cli.listing import print_json_array, print_table

    with open_catalogue(load_config(config)) as catalogue:
        accounts = catalogue.accounts()
    if json:
        print_json_array(_as_json(account) for account in accounts)
        return
    rows = (
        (
            account.name,
            account.role,
            "all" if account.cameras is None else ", ".join(account.cameras) or "none",
            "yes" if account.password else "no",
        )
        for account in accounts
    )
    print_table(("name", "role", "cameras", "has a password"), rows, "nobody has an account; nvr start shows a link")


@users.command("add")
def add_user(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="admin or viewer.")] = "viewer",
    camera: CamerasOption = None,
    stdin: StdinOption = False,
    config: ConfigOption = None,
) -> None:
    """Make an account; asks for its password."""
    from nvr.catalogue.store import Catalogue
    from nvr.clock import SystemClock, from_us
    from nvr.credential import hash_password
    from nvr.errors import NvrError
    from nvr.model import Account

    settings = load_config(config)
    account = Account(
        _checked_name(name),
        _checked_role(role),
        _checked_cameras(settings, camera),
        from_us(SystemClock().now_us()),
        hash_password(_password(stdin)),
    )
    with Catalogue.open(database_of(settings)) as catalogue:
        if not catalogue.add_account(account):
            raise NvrError(f"there is an account {name} already: nvr users passwd {name} changes its password")
    typer.echo(f"{name} may log in at {settings.web.url}")


@users.command("passwd")
def change_password(name: Name, stdin: StdinOption = False, config: ConfigOption = None) -> None:
    """Set the password of an account; its sessions end."""
    from nvr.catalogue.store import Catalogue
    from nvr.credential import hash_password

    settings = load_config(config)
    with Catalogue.open(database_of(settings)) as catalogue:
        if catalogue.account(name) is None:
            raise _unknown(name)
        if catalogue.change_account(name, {"password": hash_password(_password(stdin))}) is None:
            raise _unknown(name)
    typer.echo(f"the password of {name} is changed, and its sessions have ended")


@users.command("remove")
def remove_user(name: Name, config: ConfigOption = None) -> None:
    """Remove an account with its sessions and tokens."""
    from nvr.catalogue.store import Catalogue

    with Catalogue.open(database_of(load_config(config))) as catalogue:
        if not catalogue.remove_account(name):
            raise _unknown(name)
    typer.echo(f"{name} has no account any more")


@users.command("token")
def make_token(
    name: Name,
    label: Annotated[str, typer.Option("--for", help="What it is for, such as prometheus.")] = "command line",
    config: ConfigOption = None,
) -> None:
    """Make an API token of an account, and print it this once."""
    from nvr.catalogue.store import Catalogue
    from nvr.clock import SystemClock, from_us
    from nvr.credential import digest, new_secret
    from nvr.model import Key

    secret = new_secret()
    with Catalogue.open(database_of(load_config(config))) as catalogue:
        if catalogue.account(name) is None:
            raise _unknown(name)
        catalogue.add_key(Key(name, "token", label[:64], from_us(SystemClock().now_us())), digest(secret))
    typer.echo(secret)


def _unknown(name: str) -> Exception:
    from nvr.errors import NvrError

    return NvrError(f"no account {name}; see nvr users list")


def _checked_name(name: str) -> str:
    import re

    from nvr.credential import NAME
    from nvr.errors import ConfigError

    if re.fullmatch(NAME, name) is None:
        raise ConfigError(f'got "{name}", want a name of letters, digits and . _ @ -, at most 32')
    return name


def _checked_role(role: str) -> Any:
    from nvr.errors import ConfigError

    if role not in ("admin", "viewer"):
        raise ConfigError(f'--role: got "{role}", want admin or viewer')
    return role


def _checked_cameras(config: Config, names: list[str] | None) -> tuple[str, ...] | None:
    from nvr.cli.app import check_camera

    for name in names or ():
        check_camera(config, name)
    return tuple(names) if names else None


def _password(stdin: bool) -> str:
    """Never as an argument: ``ps`` shows those to everybody."""
    from nvr.credential import check_password
    from nvr.errors import ConfigError

    if stdin:
        password = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        raise ConfigError("a password is asked for in a terminal: without one, give --stdin and write it there")
    try:
        check_password(password)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return str(password)


def _as_json(account: Account) -> dict[str, Any]:
    from nvr.clock import format_rfc3339

    return {
        "name": account.name,
        "role": account.role,
        "cameras": None if account.cameras is None else list(account.cameras),
        "created": format_rfc3339(account.created),
        "active": account.password is not None,
    }
