"""The recorder process: what is cut where and when (pure), and the shell that does it."""
