"""The parts of a mapping that reshape records: long data by code, and sessions in column names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from schemas.field_kinds import as_word
from schemas.mapping_parts import (
    Condition,
    FieldRule,
    Pattern,
    Strict,
    Values,
    target_faults,
    whole_cell,
)

Respondent = Literal["patient", "therapist", "relative", "observer"] | FieldRule
# The item name of a stated total that is a claim to check, not a score.
CLAIM = "answered_sum"
PLACES = ("{form}", "{time}")


class Target(Strict):
    """What a code or a column stands for: `[instrument, item, low, high]`, the range optional.

    `item` is a number, the name of a stated score, or `answered_sum`.
    """

    instrument: str
    item: int | str
    low: float | None = None
    high: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, words: Any) -> Any:
        if not isinstance(words, list):
            return words
        if len(words) not in (2, 4):
            raise ValueError("is [instrument, item] or [instrument, item, lowest, highest]")
        return dict(zip(("instrument", "item", "low", "high"), words, strict=False))

    @field_validator("item")
    @classmethod
    def _known_item(cls, item: int | str) -> int | str:
        number = int(item) if isinstance(item, str) and item.isdecimal() else item
        if isinstance(number, int) and not 1 <= number <= 400:
            raise ValueError("items are numbered from 1 to 400")
        if isinstance(number, str) and not number.strip():
            raise ValueError("a score needs a name")
        return number

    @model_validator(mode="after")
    def _range(self) -> Target:
        ends = [end for end in (self.low, self.high) if end is not None]
        if any(not math.isfinite(end) for end in ends) or sorted(ends) != ends:
            raise ValueError("the range goes from the lowest to the highest value")
        return self


class _Reshaping(Strict):
    """What long and wide data share."""

    respondent: Respondent = "patient"
    carry: tuple[str, ...] = ()
    values: Values | None = None
    reversed: Literal["raw", "already"] = "raw"

    @field_validator("respondent")
    @classmethod
    def _needs_map(cls, rule: str | FieldRule) -> str | FieldRule:
        known = {"patient", "therapist", "relative", "observer"}
        if isinstance(rule, str):
            return rule
        if not rule.targets or rule.targets - known:
            raise ValueError(f"map must lead to {', '.join(sorted(known))}")
        return as_word(rule)

    def _refuse_idle(self, targets: dict[str, Target]) -> None:
        has_items = any(isinstance(target.item, int) for target in targets.values())
        if not has_items and (self.values or self.reversed == "already"):
            raise ValueError("values and reversed speak of items: there are none")


class Code(_Reshaping):
    """Long data: each record holds one answer, and a code says of which item."""

    table: str | None = None
    column: str
    value: str
    when: Condition | None = None
    map: dict[str, Target] = Field(min_length=1)
    ignore: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _items_in_order(self) -> Code:
        self._refuse_idle(self.map)
        if both := sorted(set(self.map) & set(self.carry)):
            raise ValueError(f"carry: {', '.join(both)} is in map too")
        return self


class Wide(_Reshaping):
    """A column for each session: the session stands in the column's name; `table` as in a form."""

    table: str | None = None
    columns: str
    forms: dict[str, Target] = Field(min_length=1)
    times: dict[str, str] = Field(min_length=1)

    @model_validator(mode="after")
    def _two_places(self) -> Wide:
        if any(self.columns.count(place) != 1 for place in PLACES):
            raise ValueError("columns needs {form} and {time}, each once")
        refuse_gaps(list(self.forms.values()), "forms")
        self._refuse_idle(self.forms)
        places = [(target.instrument, target.item) for target in self.forms.values()]
        if len(set(places)) < len(places):
            raise ValueError("forms: two columns lead to one item of an instrument")
        if both := sorted(set(self.forms) & set(self.carry)):
            raise ValueError(f"carry: {', '.join(both)} is in forms too")
        return self

    @field_validator("times")
    @classmethod
    def _targets(cls, rules: dict[Pattern, str]) -> dict[Pattern, str]:
        for place, (pattern, target) in enumerate(rules.items(), start=1):
            groups = re.compile(whole_cell(pattern)).groups
            if faults := target_faults(target, groups):
                raise ValueError(f"entry {place} {faults[0]}")
        return rules

    def parts_of(self, column: str) -> tuple[str, str] | None:
        """Form and session of a column name; None where it is no such column.

        A name whose time fits none of `times` gives an empty session.
        """
        names = sorted({*self.forms, *self.carry}, key=len, reverse=True)
        groups = {"{form}": "|".join(map(re.escape, names)), "{time}": ".+"}
        parts = re.split(r"(\{form\}|\{time\})", self.columns)
        pattern = "".join(
            f"(?P<{part[1:-1]}>{groups[part]})" if part in groups else re.escape(part)
            for part in parts
        )
        found = re.fullmatch(pattern, column)
        if found is None:
            return None
        fits = ((re.fullmatch(rule, found["time"]), to) for rule, to in self.times.items())
        return found["form"], next((time.expand(to) for time, to in fits if time), "")


@dataclass
class CodedForm:
    """One instrument of long data, and the code tables that its items come from.

    Several tables make one form where they read items that no other of them reads, by one respondent
    and one set of answer codes.
    """

    instrument: str
    codes: list[Code]

    def targets(self, code: Code) -> dict[str, Target]:
        """The codes of one of its tables that lead here."""
        return {
            name: target
            for name, target in code.map.items()
            if target.instrument == self.instrument
        }

    def takes(self, other: Code) -> bool:
        """True where the items of another table belong to this form."""
        first = self.codes[0]
        alike = all(
            getattr(first, key) == getattr(other, key)
            for key in ("table", "respondent", "values", "reversed")
        )
        mine = {target.item for code in self.codes for target in self.targets(code).values()}
        return alike and not mine & {target.item for target in self.targets(other).values()}


def coded_forms(codes: Iterable[Code]) -> list[CodedForm]:
    """The forms that the code tables of a source make, in the mapping's order."""
    forms: list[CodedForm] = []
    for code in codes:
        for instrument in dict.fromkeys(target.instrument for target in code.map.values()):
            same = (form for form in forms if form.instrument == instrument)
            if form := next((form for form in same if form.takes(code)), None):
                form.codes.append(code)
            else:
                forms.append(CodedForm(instrument, [code]))
    return forms


def code_gaps(codes: Iterable[Code]) -> list[str]:
    """A fault for each form of long data whose items do not run from 1 without a gap."""
    faults = []
    forms = coded_forms(codes)
    for form in forms:
        try:
            refuse_gaps([t for code in form.codes for t in form.targets(code).values()], "code.map")
        except ValueError as gap:
            several = sum(other.instrument == form.instrument for other in forms) > 1
            why = "; tables of one form state the same respondent, values and reversed"
            faults.append(f"{gap}{why if several else ''}")
    return faults


def refuse_gaps(targets: list[Target], where: str) -> None:
    """Refuse an instrument whose items do not run from 1 without a gap."""
    items: dict[str, set[int]] = {}
    for target in targets:
        if isinstance(target.item, int):
            items.setdefault(target.instrument, set()).add(target.item)
    for instrument, numbers in items.items():
        absent = sorted(set(range(1, max(numbers) + 1)) - numbers)
        if absent:
            raise ValueError(f"{where}: {instrument} lacks item {', '.join(map(str, absent))}")
    claimed = {t.instrument for t in targets if t.item == CLAIM} - set(items)
    if claimed:
        raise ValueError(f"{where}: {sorted(claimed)[0]}: {CLAIM} is checked against items")
