"""How the street's steps are called: plainly here, as tasks where a scheduler runs the night."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class PlainSteps:
    """Calls each step in this process, one after the other."""

    def call(self, name: str, step: Callable[..., Any], *arguments: Any) -> Any:
        """One step."""
        return step(*arguments)

    def each(
        self, name: str, step: Callable[[Any], Any], items: Sequence[Any]
    ) -> list[Any | Exception]:
        """The same step for each of several items; what it raised stands in place of its result."""
        return [attempt(step, item) for item in items]


def attempt(step: Callable[[Any], Any], item: Any) -> Any | Exception:
    """The step's result, or the exception it ended in."""
    try:
        return step(item)
    except Exception as error:  # noqa: BLE001 - the others must have their turn
        return error
