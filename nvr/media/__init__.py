"""All of FFmpeg: the only package that imports ``av``."""
