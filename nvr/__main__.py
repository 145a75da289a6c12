"""``python -m nvr``."""

from nvr.cli import main

main()
