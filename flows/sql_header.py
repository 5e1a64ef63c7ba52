"""The comment block at the head of a SQL file, read into words a program can check."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flows.frozen import FROZEN_ON

GENERAL_KEYS = frozenset({"grain", "inputs", "columns", "version"})
# A measure may be left out of comparisons at a level; by default it has all three. One that is
# shown only `where: used` has no row for units that never use it, nor at levels it leaves out.
# Therapists are placed in a funnel only where it says so. A frozen table names the columns whose rows
# are kept together for a quarter, and, where it is dear, a table, or which of its rows, with every key
# it can have; one that is closed, those whose rows are kept for good. A table of scores whose rows
# depend on one patient's records names the column that says whose they are, and which rows change with
# time alone.
OPTIONAL_KEYS = frozenset(
    {"levels", "frozen", "closed", "funnel", "where", "keys", "patient", "ages"}
)
PATIENT_KEYS = frozenset({"patient_id", "episode_id", "form_id"})
MEASURE_KEYS = frozenset(
    {
        "label",
        "section",
        "order",
        "kind",
        "numerator",
        "denominator",
        "minimum",
        "better",
        "why",
        "source",
    }
)
# A column name stands below the first one; what stands further in goes on with the line above.
_CONTINUED = " " * 14
_KEY = re.compile(r"([a-z]+):\s*(.*)")


class HeaderFault(Exception):
    """A SQL file whose header does not follow the grammar; the text names the file."""


@dataclass(frozen=True)
class GrainColumn:
    """One column of a table's grain; `nullable` columns are written with a question mark."""

    name: str
    nullable: bool


@dataclass(frozen=True)
class HeaderColumn:
    """One output column as the header promises it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Header:
    """What a SQL file says about its table."""

    description: str
    grain: tuple[GrainColumn, ...]
    inputs: tuple[str, ...]
    columns: tuple[HeaderColumn, ...]
    words: Mapping[str, str]

    @property
    def is_measure(self) -> bool:
        """Whether the file defines a published measure."""
        return "better" in self.words

    @property
    def frozen_by(self) -> tuple[str, ...]:
        """The columns whose rows are kept together for a quarter; empty where nothing is."""
        return tuple(_listed([self.words.get("frozen", "")]))

    @property
    def closed_by(self) -> tuple[str, ...]:
        """The columns whose rows are kept together for good, once computed; empty where nothing is."""
        return tuple(_listed([self.words.get("closed", "")]))

    @property
    def patient_key(self) -> str | None:
        """The column that says whose a row is; None where rows depend on several patients."""
        return self.words.get("patient")

    @property
    def ages(self) -> str | None:
        """Which of the standing rows may read otherwise although nothing new is known of the patient.

        A condition on the row, `night_before`, `night`, and the clinic's `horizon_before` and `horizon`.
        """
        return self.words.get("ages")


def read_header(text: str, where: str) -> Header:
    """Read the leading comment block of a SQL file.

    Raises:
        HeaderFault: when a key is unknown, repeated or absent, or a column line is unreadable.
    """
    description, entries = _entries(text, where)
    if not description:
        raise HeaderFault(f"{where}: the header has no first sentence")
    known = GENERAL_KEYS | MEASURE_KEYS | OPTIONAL_KEYS
    unknown = sorted(set(entries) - known)
    if unknown:
        raise HeaderFault(f"{where}: unknown header keys: {', '.join(unknown)}")
    required = GENERAL_KEYS | (MEASURE_KEYS if "better" in entries else frozenset())
    absent = sorted(required - set(entries))
    if absent:
        raise HeaderFault(f"{where}: header keys missing: {', '.join(absent)}")
    words = {
        key: " ".join(line.strip() for line in lines if line.strip())
        for key, lines in entries.items()
        if key not in {"grain", "inputs", "columns"}
    }
    header = Header(
        description=description,
        grain=tuple(
            GrainColumn(name.removesuffix("?"), name.endswith("?"))
            for name in _listed(entries["grain"])
        ),
        inputs=tuple(_listed(entries["inputs"])),
        columns=tuple(_columns(entries["columns"], where)),
        words=MappingProxyType(words),
    )
    _check_frozen(header, where)
    _check_patient(header, where)
    return header


def _check_frozen(header: Header, where: str) -> None:
    keys = {column.name for column in header.grain if not column.nullable}
    kept_by = header.frozen_by + header.closed_by
    if wrong := sorted(set(kept_by) - keys):
        raise HeaderFault(f"{where}: frozen by {', '.join(wrong)}, which is no key of the grain")
    keys_of = header.words.get("keys", "").partition(" where ")[0]
    if keys_of not in {"", *(header.inputs if header.frozen_by else ())}:
        raise HeaderFault(f"{where}: keys of a frozen table come from one of its inputs")
    if kept_by and FROZEN_ON not in {column.name for column in header.columns}:
        raise HeaderFault(f"{where}: a frozen table has a column {FROZEN_ON}")


def _check_patient(header: Header, where: str) -> None:
    if header.patient_key is None:
        if header.ages:
            raise HeaderFault(f"{where}: rows that age belong to a patient; say by which column")
        return
    if header.patient_key not in PATIENT_KEYS & {column.name for column in header.columns}:
        listed = ", ".join(sorted(PATIENT_KEYS))
        raise HeaderFault(f"{where}: rows belong to a patient by a column of theirs: {listed}")
    if header.frozen_by:
        raise HeaderFault(f"{where}: what is frozen is no patient's")


def _entries(text: str, where: str) -> tuple[str, dict[str, list[str]]]:
    """Split the block into its opening sentences and its keys with their lines."""
    sentences: list[str] = []
    entries: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for raw in text.splitlines():
        if not raw.startswith("--"):
            break
        line = raw.removeprefix("--")
        match = _KEY.fullmatch(line.strip())
        if match and not line.startswith("   "):
            if match[1] in entries:
                raise HeaderFault(f"{where}: header key {match[1]} is given twice")
            lines = entries[match[1]] = [match[2].strip()]
        elif lines is None:
            sentences.append(line.strip())
        else:
            lines.append(line.rstrip())
    return " ".join(sentence for sentence in sentences if sentence), entries


def _listed(lines: list[str]) -> list[str]:
    return [word.strip() for word in " ".join(lines).split(",") if word.strip()]


def _columns(lines: list[str], where: str) -> list[HeaderColumn]:
    columns: list[HeaderColumn] = []
    for line in lines:
        if line.startswith(_CONTINUED) and columns:
            name, kind, words = columns[-1].name, columns[-1].type, columns[-1].description
            columns[-1] = HeaderColumn(name, kind, f"{words} {line.strip()}")
        elif line.strip():
            parts = line.split(maxsplit=2)
            if len(parts) < 3:
                raise HeaderFault(f"{where}: not a column line (name TYPE words): {line.strip()!r}")
            columns.append(HeaderColumn(*parts))
    return columns
