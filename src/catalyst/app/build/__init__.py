"""The only composition root: nothing else constructs a room's parts. One file per thing that can be run.

`service.py` is what `up` and `serve` run; `hub.py` is what every room that asks a model needs. Nothing is imported
here: a command pays for the rooms it runs.
"""
