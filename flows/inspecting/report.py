"""What inspecting a file says: names, formats and counts, never the text of a patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from flows.errors import RapportError
from flows.inspecting.codebook import CodebookField, read_codebook
from flows.inspecting.draft import draft, lines_to_write
from flows.inspecting.guess import Guesses, guess, shown_codes
from flows.inspecting.look import Look, look_at
from flows.inspecting.responses import questionnaires
from flows.reading.columns import is_personal
from schemas.instrument_types import Instrument
from schemas.presets import WITH_HEADER

COLUMNS_SHOWN = 60


def inspect_file(
    path: Path,
    instruments: Mapping[str, Instrument],
    dictionary: Path | None,
    target: Path | None,
) -> list[str]:
    """What is said of a file; a draft is written to `target`, where one is named.

    Raises:
        RapportError: when a file cannot be read or written.
    """
    look = look_at(path)
    codebook = read_codebook(dictionary) if dictionary else {}
    guesses = guess(look, instruments)
    lines = list(_said(look, guesses, codebook))
    if target is not None:
        text = draft(look, guesses, codebook, instruments, target.stem)
        try:
            # Nothing is overwritten: a mapping may hold a day's work.
            with target.open("x", encoding="utf-8") as sink:
                sink.write(text)
        except FileExistsError:
            raise RapportError(f"{target}: is there already; name another file") from None
        except OSError as error:
            raise RapportError(f"{target}: cannot be written ({error.strerror})") from None
        left = sum(1 for _ in lines_to_write(text))
        lines.append(f"draft: {target}; {left} lines to fill in, every guess is marked GUESS")
    return lines


def _said(look: Look, guesses: Guesses, codebook: Mapping[str, CodebookField]) -> Iterator[str]:
    yield f"file: {look.path.name}"
    yield f"format: {look.kind}; looks like: {look.preset or 'no product that is known'}"
    if look.kind == "fhir":
        yield from _said_of_responses(look)
        return
    if look.kind == "csv":
        sure = "by its byte order mark" if look.is_marked else "a guess"
        names = {"\t": "tab"}
        yield f"encoding: {look.encoding} ({sure}); delimiter: {names.get(look.delimiter, look.delimiter)}"
    if look.sheets:
        told = [
            *look.sheets[: look.alike],
            *(f"{name} (other columns)" for name in look.sheets[look.alike :]),
        ]
        yield f"{'sheets' if look.kind == 'xlsx' else 'tables'}: {', '.join(told)}"
    if look.kind in WITH_HEADER and look.kind != "tables":
        yield f"names stand in record {look.header_line}"
    yield f"records looked at: {len(look.records)}; columns: {len(look.columns)}"
    items = {name for group in guesses.groups for name in group.columns}
    for role, name in guesses.roles.items():
        yield f"  {role}: {name} (a guess by its name)"
    for name, formats in guesses.dates.items():
        yield f"  date: {name} ({' or '.join(formats)})"
    for name in guesses.telling:
        yield f"  may tell forms or respondents apart: {name}"
    yield from _said_of_items(guesses, codebook)
    if personal := [name for name in look.columns if is_personal(name)]:
        yield f"  personal data by name: {', '.join(personal)}"
    told = items | set(guesses.roles.values()) | set(guesses.dates)
    rest = [name for name in look.columns if name and name not in told]
    if rest:
        more = f", and {len(rest) - COLUMNS_SHOWN} more" if len(rest) > COLUMNS_SHOWN else ""
        yield f"  other columns: {', '.join(rest[:COLUMNS_SHOWN])}{more}"


def _said_of_items(guesses: Guesses, codebook: Mapping[str, CodebookField]) -> Iterator[str]:
    for group in guesses.groups:
        names = " or ".join(known.name for known in group.candidates) or "none of the registry"
        how = "by name" if group.is_named else "by their number"
        yield f"  items: {group.told} x {len(group.columns)}: {names} ({how})"
        if group.total:
            yield f"    total: {group.total}"
        if codes := shown_codes(group):
            yield "    codes: " + ", ".join(f"{code or '(empty)'} x {n}" for code, n in codes)
        field = codebook.get(group.columns[0])
        if field and field.choices:
            yield "    choices: " + ", ".join(
                f"{c} = {label}" for c, label in field.choices.items()
            )


def _said_of_responses(look: Look) -> Iterator[str]:
    kinds: dict[str, int] = {}
    for resource in look.resources:
        kind = str(resource.get("resourceType", "none"))
        kinds[kind] = kinds.get(kind, 0) + 1
    yield "resources: " + ", ".join(f"{n} x {kind}" for kind, n in sorted(kinds.items()))
    for name, seen in questionnaires(look.resources).items():
        yield f"  questionnaire {name or '(none)'}: {seen.responses} responses"
        yield f"    link ids: {', '.join(seen.links)}"
        yield "    kinds of answers: " + ", ".join(
            f"{n} x {kind}" for kind, n in seen.kinds.items()
        )
        if 0 < len(seen.codes) <= 20:
            yield "    codes: " + ", ".join(
                f"{code} x {n}" for code, n in sorted(seen.codes.items())
            )
