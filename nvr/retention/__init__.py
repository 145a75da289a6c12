"""What video is kept and what goes: limits, the plan, and how files are deleted and counted."""
