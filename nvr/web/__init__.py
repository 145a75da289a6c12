"""The web page and the HTTP API: a front end in a process of its own."""
