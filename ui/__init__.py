"""The command line and the web chat."""
