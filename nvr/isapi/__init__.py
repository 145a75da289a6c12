"""Hikvision's HTTP interface (ISAPI), as far as nvr uses it: the stream of alerts, and a picture."""
