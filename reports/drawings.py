"""Drawings, made anew only where their rows changed: nine tenths of a page's time go into them.

What was drawn is kept by a hash of its kind and rows; whoever writes pages may hand in what the
last night drew, and keep what this one used. A drawing has no id and no title yet, so that the same
rows give the same drawing wherever on a page they stand.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from reports import specs, svg
from reports.svg import Drawing


class Drawings:
    """Draws what it has not drawn before; `used` is all that it gave."""

    def __init__(self, known: Mapping[str, Drawing]) -> None:
        """Takes drawings by key, as another one's `used` has them."""
        self.known = known
        self.used: dict[str, Drawing] = {}
        self.n_made = 0

    def draw(self, kind: str, rows: Sequence[Mapping[str, Any]], lines: int) -> Drawing:
        """Returns the drawing of a kind of chart with these rows."""
        told = json.dumps([kind, lines, rows], sort_keys=True, default=str)
        key = hashlib.sha256(told.encode()).hexdigest()
        drawing = self.used.get(key) or self.known.get(key) or self._make(kind, rows, lines)
        self.used[key] = drawing
        return drawing

    def _make(self, kind: str, rows: Sequence[Mapping[str, Any]], lines: int) -> Drawing:
        import vl_convert

        self.n_made += 1
        # The empty list of addresses: a chart may fetch nothing.
        source = vl_convert.vega_to_svg(specs.filled(kind, rows, lines), allowed_base_urls=[])
        return svg.tidy(source)


_KEPT: ContextVar[Drawings | None] = ContextVar("kept", default=None)


@contextmanager
def keeping(known: Mapping[str, Drawing]) -> Iterator[Drawings]:
    """Draws anew only what is not among these, until the end of the block."""
    drawings = Drawings(known)
    token = _KEPT.set(drawings)
    try:
        yield drawings
    finally:
        _KEPT.reset(token)


def draw(kind: str, rows: Sequence[Mapping[str, Any]], lines: int) -> Drawing:
    """Returns a drawing, kept where drawings are being kept."""
    return (_KEPT.get() or Drawings({})).draw(kind, rows, lines)
