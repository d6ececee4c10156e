"""The languages a draft can be in: name, script, direction, and the words of the drafts that need no model. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

MOSTLY = 0.5
"""A text is in a script when at least this share of its letters is."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One language. `words` are the sentences of minimal drafts."""

    name: str
    script: str
    """As Unicode names its letters."""
    rtl: bool
    words: Mapping[str, str]


LANGUAGES: Mapping[str, Speech] = {
    "en": Speech(
        "English",
        "LATIN",
        False,
        {
            "greeting": "Dear {names},",
            "greeting_all": "Hello,",
            "about": "I am writing about: {intent}.",
            "open": "These points are open:",
            "ask": "Could you please let us know where this stands?",
            "closing": "Kind regards,",
            "subject": "{intent}: {names}",
            "reminder": "A reminder: {intent}.",
            "stage": "stage",
            "due": "due",
            "owner": "owner",
            "days": "days in stage",
            "notes": "Notes:",
            "none": "There are no notes.",
            "unknown": "not known",
            "order": "Order from {names}.",
            "next": "Next",
            "blockers": "What blocks it",
            "advice": "Recommended",
            "lacking": "Missing",
            "actions": "Action items",
            "decided": "Decisions",
            "against": "Contradictions",
            "requirements": "Requirements",
            "end_user": "End user",
            "project": "Project",
            "delivery": "Delivery",
            "terms": "Payment terms",
        },
    ),
    "ar": Speech(
        "Arabic",
        "ARABIC",
        True,
        {
            "greeting": "السادة {names} المحترمين،",
            "greeting_all": "السلام عليكم،",
            "about": "أكتب إليكم بخصوص: {intent}.",
            "open": "النقاط المفتوحة:",
            "ask": "نرجو منكم إفادتنا بما تم في هذا الشأن.",
            "closing": "مع أطيب التحيات،",
            "subject": "{intent}: {names}",
            "reminder": "تذكير: {intent}.",
            "stage": "المرحلة",
            "due": "تاريخ الاستحقاق",
            "owner": "المسؤول",
            "days": "أيام في المرحلة",
            "notes": "الملاحظات:",
            "none": "لا توجد ملاحظات.",
            "unknown": "غير معروف",
            "order": "طلب من {names}.",
            "next": "الخطوة التالية",
            "blockers": "المعوقات",
            "advice": "التوصيات",
            "lacking": "معلومات ناقصة",
            "actions": "المهام",
            "decided": "القرارات",
            "against": "التناقضات",
            "requirements": "المتطلبات",
            "end_user": "المستخدم النهائي",
            "project": "المشروع",
            "delivery": "التسليم",
            "terms": "شروط الدفع",
        },
    ),
}


def is_in(text: str, language: str) -> bool:
    """Whether most letters of a text are of the language's script; a text without letters is in any."""
    letters = [unicodedata.name(char, "") for char in text if char.isalpha()]
    mine = sum(name.startswith(LANGUAGES[language].script) for name in letters)
    return not letters or mine >= MOSTLY * len(letters)


def direction(text: str) -> str:
    """`rtl` where the first letter is written from the right, else `ltr`."""
    first = next((unicodedata.bidirectional(char) for char in text if char.isalpha()), "L")
    return "rtl" if first in ("R", "AL") else "ltr"
