"""Reads the questionnaire files into frozen records; lists every fault of every file at once."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from schemas.instrument_check import faults_of
from schemas.instrument_record import instrument_of
from schemas.instrument_types import Instrument

# Many times the largest that is shipped.
MOST_BYTES = 1_000_000
SHIPPED = Path(__file__).resolve().parent / "instruments"


class InstrumentFaults(Exception):
    """Everything wrong with the instrument files: one sentence each, with the dotted path."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def load_instruments(folders: Sequence[Path]) -> dict[str, Instrument]:
    """Read all *.yaml files of the folders and return the instruments by registry id.

    A later folder adds instruments; an id or a name that is used twice is a fault. Only the place
    of an instrument that is switched off may be taken, by a later folder's file with the same id.

    Raises:
        InstrumentFaults: with every fault of every file.
    """
    faults: list[str] = []
    loaded: dict[str, Instrument] = {}
    owner: dict[str, str] = {}
    place: dict[str, Path] = {}
    for path in (path for folder in folders for path in _files(folder)):
        instrument, found = _read(path)
        if instrument is not None:
            _give_up_place(instrument, path.parent, loaded, owner, place)
            for word in sorted({_fold(word) for word in (instrument.id, *instrument.names)}):
                if word in owner:
                    found.append(f"names: {word!r} already stands for {owner[word]}")
                owner.setdefault(word, instrument.id)
            loaded.setdefault(instrument.id, instrument)
            place.setdefault(instrument.id, path.parent)
        faults.extend(f"{path.name}: {fault}" for fault in found)
    if faults:
        raise InstrumentFaults(faults)
    return loaded


def _give_up_place(
    instrument: Instrument,
    folder: Path,
    loaded: dict[str, Instrument],
    owner: dict[str, str],
    place: dict[str, Path],
) -> None:
    """Forget an instrument that is switched off, where another folder brings it with its key."""
    old = loaded.get(instrument.id)
    if old is not None and not old.is_enabled and place[old.id] != folder:
        del loaded[old.id], place[old.id]
        for word in [word for word, of in owner.items() if of == old.id]:
            del owner[word]


def find(instruments: Mapping[str, Instrument], name_or_id: str) -> Instrument | None:
    """Return the instrument with this registry id or one of its names (case does not matter)."""
    wanted = _fold(name_or_id)
    for instrument in instruments.values():
        if wanted in {_fold(word) for word in (instrument.id, *instrument.names)}:
            return instrument
    return None


def _fold(word: str) -> str:
    return " ".join(word.casefold().split())


def _files(folder: Path) -> list[Path]:
    """Instrument files of a folder; an editor's lock or backup is none."""
    found = [path for path in folder.glob("*") if path.suffix in (".yaml", ".yml")]
    return sorted(path for path in found if not path.name.startswith("."))


def _read(path: Path) -> tuple[Instrument | None, list[str]]:
    """Read one file: the instrument, or everything that is wrong with it."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        return None, [f"cannot be read ({error.strerror})"]
    if len(content) > MOST_BYTES:
        return None, ["is too large for a questionnaire's file"]
    instrument, faults = _judged(content)
    return instrument, list(faults)


# The same bytes are read on every night of a process; parsing all shipped files takes a second.
@lru_cache(maxsize=256)
def _judged(content: bytes) -> tuple[Instrument | None, tuple[str, ...]]:
    data, problem = _parsed(content)
    faults = [problem] if problem else faults_of(data)
    if faults:
        return None, tuple(faults)
    return instrument_of(data, hashlib.sha256(content).hexdigest()), ()


def _parsed(content: bytes) -> tuple[Any, str]:
    """Parse the text; the second value says what is wrong, or is empty."""
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    try:
        return reader.load(content.decode("utf-8")), ""
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start}"
    except RecursionError:
        return None, "nested too deeply"
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        return None, f"{line}not readable as YAML: {getattr(error, 'problem', error)}"
