"""SQL text for cells that hold answers and scores: numbers, and codes that stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flows.reading.cells import CellGrammar, literal, matches
from schemas.export_format import Values
from schemas.instrument_types import Instrument

# Numbers are kept as DECIMAL(9, 3).
SMALLEST_STEP = Decimal("0.001")


@dataclass(frozen=True)
class NumberRule:
    """Which texts are numbers here: decimal mark, and the step between allowed values.

    Attributes:
        decimal: the file's decimal mark.
        step: between two neighbouring values; whatever lies between is no number here.
        common: texts tried first, because nearly every cell is one of them.
    """

    decimal: str
    step: Decimal = SMALLEST_STEP
    common: tuple[str, ...] = ()

    def pattern(self) -> str:
        """A plain number; no leading zeros, because some exporters use 00 as a code of its own."""
        mark = "[.]" if self.decimal == "." else ","
        places = self._places()
        fraction = f"({mark}[0-9]{{1,{places}}}0*)?" if places else f"({mark}0+)?"
        return f"-?(0|[1-9][0-9]{{0,5}}){fraction}"

    def _places(self) -> int:
        return max(0, -int(self.step.normalize().as_tuple().exponent))

    def text(self, cell: str) -> str:
        """The number as plain text with a point; NULL where the cell is no number."""
        plain = f"replace({cell}, ',', '.')" if self.decimal == "," else cell
        fits = matches(cell, self.pattern())
        if self.step == 1:
            plain = f"regexp_replace({plain}, '[.]0+$', '')"
        elif self.step != Decimal(1).scaleb(-self._places()):
            fits = f"{fits} and try_cast({plain} as decimal(9,3)) % {self.step}::decimal(9,3) = 0"
        return f"case when {fits} then {plain} end"

    def value(self, cell: str) -> str:
        """The number as DECIMAL(9,3); NULL where the cell is no number."""
        quick = " ".join(f"when {literal(t)} then {t}::decimal(9,3)" for t in self.common)
        slow = f"cast({self.text(cell)} as decimal(9,3))"
        return f"case {cell} {quick} else {slow} end" if quick else slow


def number_rule(grammar: CellGrammar, instrument: Instrument | None) -> NumberRule:
    """What counts as an answer to an instrument; any number where the registry does not know it."""
    decimal = grammar.source.read.decimal
    if instrument is None:
        return NumberRule(decimal)
    if instrument.answer_step != 1:
        return NumberRule(decimal, instrument.answer_step)
    low, high = int(instrument.answer_min), int(instrument.answer_max)
    common = [str(n) for n in range(low, min(high, low + 20) + 1)]
    common = [text for text in common if text not in grammar.source.missing]
    return NumberRule(decimal, instrument.answer_step, tuple(common))


def coded(cell: str, values: Values, decimal: bool) -> str:
    """A cell through the mapping's answer codes: DECIMAL(9,3) or plain text; NULL if undeclared."""

    def fold(text: str) -> str:
        return " ".join(text.split()).lower() if values.fold else text

    shown = f"lower(trim(regexp_replace({cell}, '\\s+', ' ', 'g')))" if values.fold else cell
    cases = " ".join(
        f"when {literal(fold(code))} then "
        + (f"{value}::decimal(9,3)" if decimal else literal(str(value)))
        for code, value in values.map.items()
    )
    return f"case {shown} {cases} end"
