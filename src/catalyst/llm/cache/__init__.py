"""The answer cache: more hits than a threshold finds, and never another question's answer.

`meaning.py` says what a question asks and whether two ask the same (pure); read it first. The ladder, the stores and
the index stand beside it. Why hits are judged against an ideal, and wrong answers first: docs/decisions/0007.
"""
