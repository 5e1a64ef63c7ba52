"""Progress on the terminal: a bar for people, plain lines for logs, nothing when quiet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars

from flows.progress import Progress
from flows.workspace import Workspace


class TerminalProgress(Progress):
    """Shows each step as a line with a bar."""

    def __init__(self, workspace: Workspace, bars: Bars) -> None:
        super().__init__(workspace)
        self.bars = bars
        self.task = bars.add_task("open", total=None)

    def step(self, name: str, detail: str = "") -> None:
        """A stage begins."""
        super().step(name, detail)
        self.bars.reset(self.task, description=f"{name} {detail}".strip(), total=None)

    def advance(self, done: int, of: int) -> None:
        """So many of so many are done."""
        self.bars.update(self.task, completed=done, total=of)

    def say(self, sentence: str) -> None:
        """Something a person should know now."""
        self.bars.console.print(sentence, markup=False)


@contextmanager
def progress_for(workspace: Workspace, console: Console, *, quiet: bool) -> Iterator[Progress]:
    """The progress that fits the terminal."""
    if quiet or not console.is_terminal:
        yield Progress(workspace)
        return
    with Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bars:
        yield TerminalProgress(workspace, bars)
