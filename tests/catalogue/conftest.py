from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nvr.catalogue.store import Catalogue
from nvr.catalogue.upgrade import upgrade


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue without rows, to be copied and not to be opened."""
    path = tmp_path_factory.mktemp("fresh") / "nvr.db"
    upgrade(path)
    return path


@pytest.fixture
def path(fresh: Path, tmp_path: Path) -> Path:
    """A catalogue without rows."""
    return Path(shutil.copy(fresh, tmp_path / "nvr.db"))


@pytest.fixture
def catalogue(path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(path) as catalogue:
        yield catalogue


@pytest.fixture
def archive(fresh: Path) -> Iterator[Path]:
    """A catalogue that may be read but, like its folder, not be written; root is somebody else meanwhile."""
    with unprivileged(fresh, 0o555) as path:
        yield path


@pytest.fixture
def foreign(fresh: Path) -> Iterator[Path]:
    """A catalogue that may not be written, in a folder that may; root is somebody else meanwhile."""
    with unprivileged(fresh, 0o777) as path:
        yield path


@contextmanager
def unprivileged(fresh: Path, folder_mode: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = Path(shutil.copy(fresh, folder / "nvr.db"))
        path.chmod(0o444)
        folder.chmod(folder_mode)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield path
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)
