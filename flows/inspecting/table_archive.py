"""Archives of tables that a preset knows by the names of their files: which tables, and their columns."""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path, PurePosixPath

from flows.inspecting.detect import detect
from flows.reading.archive import is_archive, opened
from flows.reading.export import Export
from flows.reading.finding import Findings
from schemas.export_format import Read, Source

LINES_SEEN = 50


def known_tables(path: Path) -> tuple[str, dict[str, bytes]] | None:
    """The preset, and the first lines of each table; None for any other file.

    Raises:
        FileRefused: when the archive is damaged or unsafe.
    """
    if not is_archive(path):
        return None
    with tempfile.TemporaryDirectory() as folder:
        source = Source.model_construct(name="inspect", read=Read(format="tables"))
        export = Export(path, source, Path(folder), Findings())
        with opened(export) as archive:
            names = tuple(PurePosixPath(member).stem for member in archive.members)
            preset = detect(names, "")
            if preset is None:
                return None
            tables = {}
            for place, member in enumerate(archive.members):
                unpacked = archive.unpack(member, export.folder / f"table{place}")
                with unpacked.open("rb") as raw:
                    tables[names[place]] = b"".join(islice(raw, LINES_SEEN))
                unpacked.unlink()
    return preset, tables
