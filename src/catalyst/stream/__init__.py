"""The durable log: `types.py` says what a message holds, `log.py` what a log promises, `sqlite.py` keeps it."""
