"""Whether two questions ask the same: `compare`."""

from __future__ import annotations

from catalyst.llm.cache.question import Question, Verdict


def compare(asked: Question, kept: Question) -> Verdict:
    """Serve only what is proven the same; `Verdict.reason` says what isn't."""
    for question in (asked, kept):
        if question.bypass:
            return Verdict("refuse", question.why_bypass, "bypass")
    if asked.canonical == kept.canonical:
        return Verdict("serve", "the same canonical question")
    return Verdict("refuse", "another canonical question", "words")
