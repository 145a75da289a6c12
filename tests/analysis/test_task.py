"""What crosses to the analyzer process: plain values, and no library with them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from nvr.analysis.sight import Sight
from nvr.analysis.task import Look, Task

LOOK = Look("hik1", Path("hik1.slot"), Sight(labels=("person",)), timedelta(seconds=0.2))


def test_a_task_arrives_as_it_was_sent() -> None:
    task = Task((LOOK,), Path("storage"), Path("nvr.db"), Path("analyzer.pulse"), restarts=2)
    assert pickle.loads(pickle.dumps(task)) == task


def test_the_supervisor_needs_none_of_the_analyzers_libraries() -> None:
    heavy = ["numpy", "cv2", "onnxruntime", "av", "sqlalchemy"]
    code = f"import nvr.analysis.task, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"
