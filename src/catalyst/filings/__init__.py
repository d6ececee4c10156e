"""From the feed row to the log: `watch.py` finds filings, `pipeline.py` walks each one to its last message."""
