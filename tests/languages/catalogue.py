"""Keeps the catalogues in step with the texts: `python -m tests.languages.catalogue` (make languages).

New texts are entered without a translation, texts that no longer stand anywhere are taken out. A
language begins with a file of its name that holds nothing but its header.
"""

import sys
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from tests.languages.texts import ROOT, texts

FOLDER: Final = ROOT / "reports/languages"
# Without dates and names: the file changes only where a text does.
HEADER: Final = """msgid ""
msgstr ""
"Language: {}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def catalogues() -> list[Path]:
    """Lists the files of all languages but English."""
    return sorted(FOLDER.glob("*.po"))


def said(path: Path) -> dict[str, str]:
    """Returns the translations of a catalogue, empty ones too."""
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale=path.stem)
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def renewed(path: Path, found: dict[str, str], translations: dict[str, str]) -> None:
    """Writes a catalogue with exactly these texts, in the order of their files."""
    catalogue = Catalog(locale=path.stem)
    for text, place in sorted(found.items(), key=lambda entry: (entry[1], entry[0])):
        catalogue.add(text, translations.get(text, ""), locations=[(place, 1)])
        # "%" in a text is a percent sign and "{}" is filled by the pages: no tool's format.
        catalogue[text].flags.clear()
    with path.open("wb") as stream:
        stream.write(HEADER.format(path.stem).encode())
        write_po(stream, catalogue, width=0, omit_header=True, include_lineno=False)


def main() -> int:
    """Renews every catalogue and says what is still to be translated."""
    found = texts()
    missing = 0
    for path in catalogues():
        translations = said(path)
        renewed(path, found, translations)
        without = [text for text in found if not translations.get(text)]
        missing += len(without)
        sys.stdout.write(f"{path.name}: {len(found)} texts, {len(without)} without a translation\n")
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
