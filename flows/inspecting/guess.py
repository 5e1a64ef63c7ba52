"""Guesses about columns: who, when, and which of them are the items of which instrument."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flows.inspecting.look import Look
from flows.reading.columns import is_personal
from schemas.instrument_types import Instrument

DATE_FORMATS = (
    "iso", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y",
    "%m/%d/%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p",
    "%d-%m-%Y", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d", "%d.%m.%y kl. %H.%M", "%d.%m.%y",
)  # fmt: skip
ROLES = {
    "patient": r"(?:patient|klient|versichert|mandant)(?:in)?(?:en)?[ ._-]*(?:nr|nummer|code|kürzel)\.?|.*chiffre|"
    r"(local)?pat(ient)?[ ._-]*(id|nr|no|code)?\.?( id)?|pasient|client[ _]?id|usubjid|"
    r"subject[ _]?id|(castor )?participant([ _]id)?|externalreference|study_id|record_?id|record|token",
    "therapist": r".*(therap|behandler|clinician|provider_?id|practitioner|counsel).*",
    "episode": r".*(episode|case_?id|fall([ _-]?nr\.?)?|referral).*",
    "session": r".*(session|sitzung|time nr|visit|event_name|termin|zeitpunkt|repeating data name).*|"
    r"(therapie)?stunden?[ ._-]*(nr|nummer)?\.?|sesjon.*|zitting.*|s[ée]ance.*",
}
# Columns that may say which questionnaire a record holds, or who filled it in.
TELLS_FORMS = r"(?!respondent id$).*(skjema|fragebogen|füllt aus|ausgefüllt|filled in by|completed by|questionnaire|instrument|respondent|rater|form_?type|measure).*"
MISSING_TEXT = re.compile(
    r"|[.]|-\d{1,3}|99|999|n/?a|k\.? ?a\.?|keine angabe|null|#null!|vet ikke|weiß nicht", re.I
)
NUMBER = re.compile(r"-?\d{1,3}([.,]\d{1,2})?")
MOST_CODES = 12
FEWEST_ITEMS = 4
# Fewer columns in words may as well be diagnoses: then the names must speak of the instrument.
FEWEST_WORDED = 7
# Labels of one scale; a run of questions in words shares them.
MOST_LABELS = 7
# How exports write a part of a question: "Question | part", "Question [part]".
PART = re.compile(r"(.+?)(?: \| .+| ?\[.+\])")
LONGEST_LABEL = 40


@dataclass
class ItemGroup:
    """Columns that look like the items of one form.

    Attributes:
        template: pattern of the names, with a place for the number; of names in words, what they share.
        columns: in item order.
        codes: texts of their cells with counts.
        instrument: which it may be; several where only the count speaks.
    """

    template: str
    columns: list[str]
    codes: Counter[str]
    candidates: list[Instrument] = field(default_factory=list)
    is_named: bool = False
    is_worded: bool = False
    total: str | None = None

    @property
    def told(self) -> str:
        """Its columns in short."""
        return f"{self.columns[0]} .. {self.columns[-1]}" if self.is_worded else self.template

    @property
    def answers(self) -> list[str]:
        """Texts that are no missing codes by their look, numbers in order."""
        found = [text for text in self.codes if not MISSING_TEXT.fullmatch(text)]
        return sorted(found, key=lambda text: (not _is_number(text), _order(text), text))


@dataclass
class Guesses:
    """All guesses about one file.

    Attributes:
        roles: column by patient, therapist, episode and session.
        dates: formats that fit, by column.
        telling: columns that may tell forms or respondents apart.
        groups: columns that look like items.
    """

    roles: dict[str, str] = field(default_factory=dict)
    dates: dict[str, list[str]] = field(default_factory=dict)
    telling: list[str] = field(default_factory=list)
    groups: list[ItemGroup] = field(default_factory=list)


def guess(look: Look, instruments: Mapping[str, Instrument]) -> Guesses:
    """Guess at the columns of a table."""
    dates = {name: fits for name in look.columns if (fits := _date_formats(look.cells(name)))}
    if look.kind == "xlsx":
        # Date cells come as ISO text; another sheet may hold the same days as serial numbers.
        dates = {
            name: ["excel" if form == "iso" else form for form in fits]
            for name, fits in dates.items()
        }
    groups = _groups(look)
    groups += _worded_groups(look, {n for group in groups for n in group.columns} | dates.keys())
    items = {name for group in groups for name in group.columns}
    roles: dict[str, str] = {}
    for role, pattern in ROLES.items():
        free = [n for n in look.columns if n not in items | dates.keys() | set(roles.values())]
        fitting = [name for name in free if re.fullmatch(pattern, name, re.I)]
        # The number of a record is a patient's where nothing is called one.
        fitting.sort(key=lambda name: name.lower().startswith(("record", "token")))
        roles |= {role: fitting[0]} if fitting else {}
    for group in groups:
        _match(group, instruments)
        group.total = _total(look, group, items)
    told = [name for name in look.columns if name not in dates]
    telling = [name for name in told if re.fullmatch(TELLS_FORMS, name, re.I)]
    return Guesses(roles, dates, telling, groups)


def _date_formats(cells: Counter[str]) -> list[str]:
    """Every format that fits all filled cells of a column."""
    filled = [text for text in cells if text.strip() and text != "[not completed]"][:2000]
    if not filled or not all(re.search(r"\d.*\D.*\d", text) for text in filled):
        return []
    return [form for form in DATE_FORMATS if all(_reads(text, form) for text in filled)]


def _reads(text: str, form: str) -> bool:
    try:
        if form == "iso":
            datetime.fromisoformat(text)
            return bool(re.match(r"\d{4}-\d{2}-\d{2}([T ]|$)", text))
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def _groups(look: Look) -> list[ItemGroup]:
    """Names that differ in their last number alone, or in its last two digits, from 1 without a gap."""
    groups: list[ItemGroup] = []
    for pattern in (r"(.*?\D|)(\d{1,3})(\D*)", r"(.*\d)(\d{2})(\D*)"):
        taken = {name for group in groups for name in group.columns}
        found: dict[tuple[str, str], dict[int, str]] = {}
        for name in look.columns:
            if name not in taken and (parts := re.fullmatch(pattern, name)):
                found.setdefault((parts[1], parts[3]), {})[int(parts[2])] = name
        for (before, after), columns in found.items():
            if group := _group(look, before, after, columns):
                groups.append(group)
    return groups


def _group(look: Look, before: str, after: str, columns: dict[int, str]) -> ItemGroup | None:
    count = len(columns)
    if count < FEWEST_ITEMS or set(columns) != set(range(1, count + 1)) or "___" in before:
        return None
    width = len(columns[1]) - len(before) - len(after)
    template = before + (f"{{:0{width}}}" if width > 1 else "{}") + after
    names = [columns[number] for number in range(1, count + 1)]
    codes: Counter[str] = sum((look.cells(name) for name in names), Counter())
    if not _look_like_answers(codes) or is_personal(before):
        return None
    return ItemGroup(template, names, codes)


def _worded_groups(look: Look, taken: set[str]) -> list[ItemGroup]:
    """Neighbours whose names are questions: parts of one question, or answered by the labels of one scale."""
    groups: list[ItemGroup] = []
    run: list[str] = []
    seen: set[str] = set()
    for name in [*look.columns, ""]:
        is_free = bool(name) and name not in taken and not is_personal(name)
        labels = _labels(look, name) if is_free else set()
        if run and not (is_free and _goes_on(run, seen, name, labels)):
            if group := _worded_group(look, run):
                groups.append(group)
            run, seen = [], set()
        if is_free:
            run.append(name)
            seen |= labels
    return groups


def _goes_on(run: list[str], seen: set[str], name: str, labels: set[str]) -> bool:
    """True where a column asks the next part, or is answered by the same few labels as the run."""
    question = _question(name)
    is_shared = bool(seen & labels or not labels or question)
    return question == _question(run[0]) and is_shared and len(seen | labels) <= MOST_LABELS


def _question(name: str) -> str:
    parts = PART.fullmatch(name)
    return parts[1] if parts else ""


def _labels(look: Look, name: str) -> set[str]:
    return {text for text in look.cells(name) if not MISSING_TEXT.fullmatch(text)}


def _worded_group(look: Look, run: list[str]) -> ItemGroup | None:
    question = _question(run[0])
    answered = [place for place, name in enumerate(run) if question or _labels(look, name)]
    run = run[answered[0] : answered[-1] + 1] if answered else []
    codes: Counter[str] = sum((look.cells(name) for name in run), Counter())
    is_scale = any(not _is_number(text) for text in codes if not MISSING_TEXT.fullmatch(text))
    enough = FEWEST_ITEMS if question else FEWEST_WORDED
    if len(run) < enough or not (question or is_scale) or not _look_like_answers(codes):
        return None
    return ItemGroup(question, run, codes, is_worded=True)


def _look_like_answers(codes: Counter[str]) -> bool:
    """Numbers, or few short texts that come again and again: free text is none."""
    filled = {text: n for text, n in codes.items() if text.strip()}
    texts = [t for t in filled if not _is_number(t) and not MISSING_TEXT.fullmatch(t)]
    if not filled or any(len(text) > LONGEST_LABEL for text in texts):
        return False
    return len(texts) <= MOST_CODES and len(texts) * 2 <= sum(filled[text] for text in texts)


def _match(group: ItemGroup, instruments: Mapping[str, Instrument]) -> None:
    """Instruments with as many items; where the names speak of one of them, that one alone."""
    is_worded = any(not _is_number(text) for text in group.answers)
    # A visual analogue scale has no answers in words.
    same = [
        known
        for known in instruments.values()
        if known.item_count == len(group.columns) and not (is_worded and known.answer_step != 1)
    ]
    spelled = re.sub(r"[^a-z]", "", group.template.lower().split("{")[0])
    named = [
        known
        for known in same
        if any(
            len(stem) > 1 and spelled.startswith(stem)
            for stem in (re.sub(r"[^a-z]", "", word.lower()) for word in known.names)
        )
    ]
    is_guessable = not is_worded or len(group.columns) >= FEWEST_WORDED
    fitting = named or (same if is_guessable else [])
    # One that is switched off is scored by nobody: it is the last thing a file may hold.
    group.candidates = sorted(fitting, key=lambda known: not known.is_enabled)
    group.is_named = bool(named)


def _total(look: Look, group: ItemGroup, items: set[str]) -> str | None:
    stem = re.sub(r"[^a-z]", "", group.template.lower().split("{")[0])[:3]
    for name in look.columns:
        is_sum = re.search(r"sum|tota|score|gesamt", name, re.I)
        if name not in items and is_sum and stem and stem in re.sub(r"[^a-z]", "", name.lower()):
            return name
    return None


def shown_codes(group: ItemGroup) -> list[tuple[str, int]]:
    """The answer codes of a group with counts, where they are few enough to be codes."""
    is_worded = any(not _is_number(text) for text in group.answers)
    # Words are told as answers of an instrument alone: elsewhere they may be diagnoses.
    if len(group.codes) > MOST_CODES or (is_worded and not group.candidates):
        return []
    return sorted(group.codes.items(), key=lambda pair: (_order(pair[0]), pair[0]))


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _order(text: str) -> float:
    return float(text.replace(",", ".")) if _is_number(text) else 1e9
