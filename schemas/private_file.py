"""Files of the workspace that name patients or hold what they said: their owner alone may read them."""

from __future__ import annotations

from pathlib import Path


class Faults(ValueError):
    """Everything wrong with one file.

    Args:
        faults: one sentence each, beginning with the file's name and the place in it.
    """

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


def read_private(path: Path) -> str | None:
    """The text of a private file; None where there is none.

    Raises:
        Faults: where it cannot be read, or others may read it.
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Faults([f"{name}: cannot be read ({type(error).__name__})"]) from None
    if path.stat().st_mode & 0o077:
        raise Faults([f"{name}: others may read it: chmod 600 {name}"])
    return text
