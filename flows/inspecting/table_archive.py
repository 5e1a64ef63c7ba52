"""Archives of tables that a preset knows by the names of their files: which tables, and their columns."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

from flows.inspecting.detect import detect
from flows.reading.archive import is_archive, opened, telling
from flows.reading.export import Export
from flows.reading.finding import Findings
from schemas.export_format import Read, Source

BYTES_SEEN = 1 << 16


def known_tables(path: Path) -> tuple[str, dict[str, bytes]] | None:
    """The preset, and the beginning of each table; None for any other file.

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
            for name, member in zip(names, archive.members.values(), strict=True):
                with telling(archive.is_locked), archive.zip.open(member) as packed:
                    tables[name] = packed.read(BYTES_SEEN)
    return preset, tables
