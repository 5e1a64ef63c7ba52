"""A source as it stands after its records are reshaped: one record per form, ordinary forms on it.

Everything here follows from the mapping alone; the file is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.export_format import Form, Read, Source
from schemas.mapping_parts import Condition, FieldRule, Items
from schemas.mapping_shapes import CLAIM, Code, Wide, coded_forms

# Names of columns that the reshaping adds; no header holds them, for a header's blank name is "(column 3)".
FORM_COLUMN = "(form)"
SESSION_COLUMN = "(session)"
STATE_COLUMN = "(lines)"
ABSENT = "(no line)"
REFUSED = "refused"


@dataclass(frozen=True)
class ShapedForm:
    """One instrument of one reshaping part of a mapping.

    Attributes:
        parts: the mapping's code tables, or its wide table.
        number: place among all shaped forms of the source; the text in the form column.
        instrument: as the mapping names it.
        cells: column of the reshaped record by item.
    """

    parts: tuple[Code | Wide, ...]
    number: int
    instrument: str
    cells: dict[int | str, str]


def link_column(instrument: str, item: int) -> str:
    """The column of an item that is found by patterns of link ids."""
    return f"{instrument} item {item}"


def shaped_forms(source: Source) -> list[ShapedForm]:
    """The forms that `code` and `wide` of a source make, in the mapping's order."""
    made: list[ShapedForm] = []
    taken: set[str] = set()
    for form in coded_forms(source.code):
        cells: dict[int | str, str] = {}
        for code in form.codes:
            for name, target in form.targets(code).items():
                # Two respondents may answer the same codes, each in a table of their own.
                told = f"{code.column}={name}"
                told += f" ({len(made) + 1})" if told in taken else ""
                cells.setdefault(target.item, told)
        taken |= set(cells.values())
        made.append(ShapedForm(tuple(form.codes), len(made), form.instrument, cells))
    if source.wide is not None:
        forms = source.wide.forms
        for instrument in dict.fromkeys(target.instrument for target in forms.values()):
            cells = {t.item: name for name, t in forms.items() if t.instrument == instrument}
            made.append(ShapedForm((source.wide,), len(made), instrument, cells))
    return made


def is_reshaped(source: Source) -> bool:
    """True where records are made of several lines, or several records of one."""
    return bool(source.code) or source.wide is not None


def shaped_source(source: Source) -> Source:
    """The source with ordinary forms in place of `code`, `wide` and `links`."""
    forms = [_without_links(form) for form in source.form]
    forms += [_form(made) for made in shaped_forms(source)]
    changes: dict[str, object] = {"form": tuple(forms), "code": (), "wide": None}
    if source.read.format == "fhir":
        changes["read"] = _with_states(source.read)
    if is_reshaped(source):
        codes = {code.column for code in source.code}
        changes["key"] = tuple(name for name in source.key if name not in codes)
        absent = source.missing.get("", "structurally_absent")
        changes["missing"] = {**source.missing, ABSENT: absent}
        changes["read"] = source.read.model_copy(update={"keep": (), "drop": ()})
    if source.wide is not None:
        session = FieldRule(column=SESSION_COLUMN, matches=".*")
        changes["fields"] = source.fields.model_copy(update={"session": session})
        changes["key"] = (*source.key, SESSION_COLUMN) if source.key else ()
    return source.model_copy(update=changes)


def _with_states(read: Read) -> Read:
    """Finished responses alone are read, where the mapping does not say which."""
    if any(rule.column == "status" for rule in (*read.keep, *read.drop)):
        return read
    keep = Condition(column="status", matches="completed|amended")
    return read.model_copy(update={"keep": (*read.keep, keep)})


def _without_links(form: Form) -> Form:
    if form.items is None or not form.items.links:
        return form
    names = [link_column(form.instrument, n) for n in range(1, len(form.items.links) + 1)]
    items = Items(list=tuple(names), omit_if_all_blank=form.items.omit_if_all_blank)
    return form.model_copy(update={"items": items})


def _form(made: ShapedForm) -> Form:
    part = made.parts[0]
    numbers = sorted(item for item in made.cells if isinstance(item, int))
    items = None
    if numbers:
        names = tuple(made.cells[number] for number in numbers)
        items = Items(list=names)
    scores = {
        item: name for item, name in made.cells.items() if isinstance(item, str) and item != CLAIM
    }
    totals = {CLAIM: made.cells[CLAIM]} if CLAIM in made.cells else {}
    return Form.model_validate(
        {
            "when": Condition(column=FORM_COLUMN, matches=str(made.number)),
            "instrument": made.instrument,
            "respondent": part.respondent,
            "items": items,
            "values": part.values if items else None,
            "reversed": part.reversed if items else "raw",
            "scores": scores,
            "totals": totals,
        }
    )
