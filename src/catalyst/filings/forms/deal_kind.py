"""What kind of offering it is, how far along, and which banks sell it. Start with `kind_of`, `stage_of`, `banks`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from catalyst.filings.forms.deal import around
from catalyst.filings.forms.parts import fact, quoted
from catalyst.stream.types import Fact

_KINDS = (
    ("at the market", re.compile(r"at[ -]the[ -]market[”\"’']?[ -](?:offering|issuance|equity|sales|program|"
        r"facility)", re.I)),
    ("resale", re.compile(
        r"\b(?:selling|resale)\b[^.\n]{0,40}\b(?:stock|share|security|securities|unit)holders?\b[^.\n]{0,220}"
        r"\b(?:may|to)\b[^.\n]{0,60}\b(?:sell|resell|resale|offer)|"
        r"\bresale\b[^.\n]{0,80}\bby\b[^.\n]{0,60}\bselling\b", re.I)),
    ("registered direct", re.compile(r"\bregistered direct offering\b", re.I)),
    ("initial public offering", re.compile(
        r"\b(?:is an|is our|our|the|its|of) initial public offering\b(?! price)(?=[^.\n]{0,80}\b(?:of|"
        r"securities|shares|units))|"
        r"\bthis is an initial public offering\b", re.I)),
    ("private placement", re.compile(r"\b(?:announce\w*|pricing of|closing of|entered into|in "
        r"a)\b[^.\n]{0,140}\b(?<!concurrent )private placement\b", re.I)),
    ("underwritten", re.compile(r"\bunderwritten\b[^.\n]{0,40}\boffering\b|\bunderwriting agreement\b", re.I)),
    ("best efforts", re.compile(r"\b(?:reasonable |commercially reasonable )?best[ -]efforts\b", re.I)),
)  # fmt: skip
"""The first that is met names the kind; an at-the-market programme is told by its own words alone."""

_PIECE = re.compile(r"(?<=[.\n])")
_DEBT = re.compile(
    r"\b(?:(?:senior |subordinated |convertible |secured |unsecured |linked |yield |return )*notes?(?: linked|"
    r"[ \t]+due\b)|"
    r"debentures?|(?:senior|convertible|subordinated|secured) notes|(?:aggregate )?(?:principal|face) amount|"
    r"debt securities)\b",
    re.IGNORECASE,
)
_STOCK = re.compile(
    r"\b(?:common (?:stock|shares?|units?)|(?:ordinary|depositary) shares?|class [a-c] shares|preferred "
    r"(?:stock|shares))\b"
    r"|\b\d[\d,]* units\b",
    re.IGNORECASE,
)
_STAGES = (
    ("terminated", re.compile(r"\b(?:terminat\w+|withdr(?:e|a)w\w*|cancel\w*|postpon\w+|abandon\w*)\b", re.I)),
    ("closed", re.compile(
        r"\b(?:clos(?:ing|ed|es)|complet(?:ion|ed|es)|consummat\w+)\b(?! price| sale| conditions?| date| of "
        r"business| bell)", re.I)),
    ("upsized", re.compile(r"\bup-?siz\w+", re.I)),
    ("priced", re.compile(r"\bpric(?:ing|ed|es)\b(?! supplement| date| information)", re.I)),
    ("announced", re.compile(r"\b(?:propos\w+|commenc\w+|launch\w*|announc\w+|intends?|intention)\b", re.I)),
)  # fmt: skip
_OFFERING = (
    r"(?:offering|private placement|at-the-market|notes|debentures|shares|common stock|ADSs|financing|"
    r"registered direct|units|securities)"
)
_FUTURE = re.compile(
    r"\b(?:expect\w*|anticipat\w*|scheduled|subject to|will|intend\w*|upon|prior to|following)\b[^.\n]{0,60}$", re.I
)
_ROLE = (
    r"(?:(?:joint|sole|lead|active|passive|exclusive|global|co|book|running|bookrunning|financial|left|physical)[ -]+)*"
    r"(?:book-?runn(?:ers?|ing managers?)|managers?|placement agents?|underwriters?|sales agents?|coordinators?|"
    r"representatives?|initial purchasers?)"
)
_ACTING = re.compile(
    rf"(?P<names>[A-Z][^;$]{{2,220}}?),? (?:is|are|acted|served|will act|is also|are also)(?: acting| "
    rf"serving)? as (?:the |our |a |an )?{_ROLE}"
)
_WITH = re.compile(
    r"\b(?:[Uu]nderwriting|[Pp]lacement [Aa]gen(?:cy|t)|[Ss]ales|[Ee]quity [Dd]istribution|[Dd]istribution|ATM|"
    r"[Pp]urchase)"
    r" [Aa]greement(?:,? dated [^,]{3,12}, \d{4},?)?(?: \([^)]{0,60}\))?,? "
    r"(?:with|by and (?:between|among) [^;$]{2,60}? and|between [^;$]{2,60}? and) (?P<names>[A-Z][^;$]{2,200}?)"
    rf"(?:,? as (?:the |our |a )?{_ROLE}|,? or |,? relating| \([“\"]|,? pursuant|,? for the|,? under which|\.$|"
    rf",? in connection)"
)
_ENGAGED = re.compile(
    rf"\b(?:engaged|retained) (?P<names>[A-Z][^;$]{{2,120}}?)(?:, which we refer| \([“\"]|,? (?:as|to act as) "
    rf"(?:our |the )?(?:\w+ )?{_ROLE})"
)
_BESIDE = re.compile(
    rf",? and (?P<names>[A-Z][^;$,]{{2,60}}?(?:, a division of [^;$]{{2,60}}?)?), as (?:the )?co-{_ROLE}"
)
_HEADED = re.compile(rf"^[ \t|]{{0,8}}{_ROLE}:?[ \t|]{{0,8}}$", re.IGNORECASE)
_BANK = re.compile(
    r"\b(?:LLC|L\.L\.C|Inc|Incorporated|L\.P|LP|Ltd|Limited|Securities|Capital|Markets|Partners|& Co|Group|Bank|Morgan|"
    r"Jefferies|Cowen|Citigroup|Barclays|Goldman|BofA|Stifel|Leerink|Evercore|Lazard|Nomura|Mizuho|UBS|Baird|"
    r"Oppenheimer|Cantor|Guggenheim|Needham|Canaccord|Wainwright|Roth|Maxim|Truist|Raymond James|HSBC|Santander|Piper|"
    r"Wells Fargo|William Blair|KeyBanc|TD|RBC|BMO|CIBC|Scotiabank|BNP|SMBC|MUFG|BTIG|Wedbush|Ladenburg|"
    r"Craig-Hallum|AG|plc|"
    r"Advisors|Advisory|Global|Financial|Brokerage|Trading|Placement)\b"
)
_NAME = re.compile(r"[A-Z][\w.&’'/(), -]{1,70}")
_LOWER = re.compile(r"\b(?!(?:of|and|de|the|a|division|plc|affiliate|an)\b)[a-z]{2,}")
_CUT = re.compile(r"(?:, (?=[A-Z])|,? and (?=[A-Z])|;[ ]?)(?!(?:Inc|LLC|L\.L\.C|L\.P|LP|Ltd|Incorporated|N\.A|Co)\b)")
_TAIL = re.compile(r"(?:,? a division of.*|,? an affiliate of.*|\s*\([^)]*\)?|[,. ]+)$")
_LEAD = re.compile(
    r"^(?:[Ii]n connection with [^,]{0,60}, |[Tt]he [Cc]ompany (?:has )?(?:engaged|retained) |.*\b(?:with|"
    r"among|between|and) the "
    r"[Cc]ompany,? (?:and )?|[Tt]he [Cc]ompany(?:,)? and )"
)
_DATED = re.compile(r"(?:the )?date\b|prospectus|dated|table of", re.IGNORECASE)
_MOST_BANKS = 12


def kind_of(head: str) -> Iterator[Fact]:
    """How it is sold, by the first words that say so; another offering at the same time is left out."""
    head = "\n".join(piece for piece in _PIECE.split(head) if "concurrent" not in piece.lower())
    for kind, pattern in _KINDS:
        found = pattern.search(head)
        if found:
            yield fact("offering_kind", kind, quote=quoted(found[0]), verified=True)
            return


def security_of(head: str) -> Iterator[Fact]:
    """Equity, debt, or mixed where the head names both."""
    debt, stock = _DEBT.search(head), _STOCK.search(head)
    found = debt or stock
    if found:
        kind = "mixed" if debt and stock else "debt" if debt else "equity"
        yield fact("security_kind", kind, quote=quoted(found[0]), verified=True)


def stage_of(title: Sequence[str]) -> Iterator[Fact]:
    """How far along: the furthest that a release's title and lead sentences tell. A closing to come is none."""
    for stage, pattern in _STAGES:
        for said in title:
            found = pattern.search(said)
            if not found or not re.search(rf"\b{_OFFERING}\b", said, re.IGNORECASE):
                continue
            if stage not in ("closed", "terminated") or not _FUTURE.search(said[: found.start()]):
                yield fact("offering_stage", stage, quote=around(said, *found.span()), verified=True)
                return


def banks(sentences: Sequence[str], lines: Sequence[str] = ()) -> Iterator[Fact]:
    """Underwriters and agents: named by sentences, or else standing under their role on a cover."""
    named: dict[str, str] = {}
    for said in sentences:
        for pattern in (_ACTING, _WITH, _ENGAGED, _BESIDE):
            for found in pattern.finditer(said):
                for name in _names(found["names"]):
                    named.setdefault(name, around(said, *found.span("names")))
    if not named:
        named = dict(_headed(lines))
    for name, quote in list(named.items())[:_MOST_BANKS]:
        yield fact("underwriter", name, quote=quote, verified=True)


def _names(text: str) -> Iterator[str]:
    for part in _CUT.split(_LEAD.sub("", text)):
        name = _TAIL.sub("", _TAIL.sub("", part.strip())).strip()
        if _NAME.fullmatch(name) and _BANK.search(name) and not _LOWER.search(name):
            yield name


def _headed(cover: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names in the lines below a role that stands alone on its line, up to the cover's date."""
    lines = [line.strip() for line in cover if line.strip()]
    for place, line in enumerate(lines):
        if not _HEADED.match(line):
            continue
        for below in lines[place + 1 : place + 4]:
            names = [name for cell in below.split(" | ") for name in [cell.strip()] if name]
            good = [name for name in names if _NAME.fullmatch(name) and not _LOWER.search(name) and _is_short(name)]
            if not good or _HEADED.match(below) or _DATED.match(below):
                break
            yield from ((name, below[:400]) for name in good)


def _is_short(name: str) -> bool:
    return len(name.split()) <= 6 and not any(char.isdigit() for char in name)
