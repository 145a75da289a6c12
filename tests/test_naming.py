"""Every module has its tests where one looks for them: ``nvr/a/b.py`` → ``tests/a/test_b.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITHOUT = {"__init__", "__main__", "actions", "errors", "model", "task"}
"""Modules that hold names, values or one call: what uses them tests them."""
MODULES = sorted(path.relative_to(ROOT / "nvr") for path in (ROOT / "nvr").rglob("*.py") if path.stem not in WITHOUT)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_its_tests(module: Path) -> None:
    tests = ROOT / "tests" / module.with_name(f"test_{module.name}")
    assert tests.is_file(), f"nvr/{module} has no {tests.relative_to(ROOT)}"
    assert "def test_" in tests.read_text()


def test_there_are_modules() -> None:
    assert len(MODULES) > 40
