"""One file a command; `app/cli.py` lists them."""
