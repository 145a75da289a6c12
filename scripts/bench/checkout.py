"""Imported for its effect: what is measured is this checkout's nvr, whether it is installed or not."""

from __future__ import annotations

import os
import sys

import measure

if str(measure.ROOT) not in sys.path:
    sys.path.insert(0, str(measure.ROOT))
CHILD = {"PYTHONPATH": os.pathsep.join(filter(None, (str(measure.ROOT), os.environ.get("PYTHONPATH"))))}
"""What child processes need in their environment for the same."""
