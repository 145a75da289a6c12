"""The fault matrix: each module plays one family of faults on ``nvr start`` and judges what it did.

``scripts/faults`` runs them and prints the table; ``tests/test_faults.py`` runs the quick ones. Nothing in here looks
inside nvr: it starts the command, hurts it from outside, and compares files, rows and gaps with what was sent.
"""
