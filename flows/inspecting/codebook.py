"""REDCap's data dictionary: which form a field belongs to, and its choices."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from flows.errors import RapportError

FIELD = "Variable / Field Name"
FORM = "Form Name"
CHOICES = "Choices, Calculations, OR Slider Labels"
KIND = "Field Type"
# What dictionaries call a choice that is no answer; such codes stand among the ordinary ones.
NO_ANSWER = ("not answered", "missing", "unknown", "refused", "n/a", "not applicable", "don't know")


@dataclass(frozen=True)
class CodebookField:
    """One field of the dictionary: its form, and label by code for fields with choices."""

    form: str
    choices: dict[str, str]

    @property
    def missing(self) -> list[str]:
        """Codes whose label says that there is no answer."""
        return [
            code
            for code, label in self.choices.items()
            if any(word in label.lower() for word in NO_ANSWER)
            or code in ("666", "777", "888", "999")
        ]


def read_codebook(path: Path) -> dict[str, CodebookField]:
    """The dictionary's fields by name.

    Raises:
        RapportError: when the file cannot be read or is no data dictionary.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            rows = list(csv.DictReader(text))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RapportError(f"{path}: cannot be read ({type(error).__name__})") from None
    if not rows or FIELD not in rows[0] or FORM not in rows[0]:
        raise RapportError(
            f"{path}: is no REDCap data dictionary", f"Its first columns are {FIELD}, {FORM}."
        )
    return {
        row[FIELD]: CodebookField(row[FORM] or "", _choices(row)) for row in rows if row.get(FIELD)
    }


def _choices(row: dict[str, str]) -> dict[str, str]:
    """Label by code: `0, Not at all | 1, Several days`, spaces or not, labels with commas."""
    if (row.get(KIND) or "") not in ("radio", "dropdown", "checkbox"):
        return {}
    parts = [part.partition(",") for part in (row.get(CHOICES) or "").split("|")]
    return {code.strip(): label.strip() for code, _, label in parts if code.strip()}
