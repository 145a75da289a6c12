"""The benchmarks are scripts: what they share among themselves is found beside them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "scripts/bench"))
