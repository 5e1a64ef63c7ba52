"""Findings: what is wrong, where, and what to do; never a patient's value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from schemas.finding_rules import finding_rules

SCHEMA = {
    "line": pl.Int32,
    "column_name": pl.String,
    "rule": pl.String,
    "severity": pl.String,
    "n_broken": pl.Int32,
    "n_checked": pl.Int32,
    "message": pl.String,
    "what_to_do": pl.String,
}


@dataclass(frozen=True)
class Finding:
    """One broken rule of one file."""

    line: int | None
    column_name: str | None
    rule: str
    severity: str
    n_broken: int | None
    n_checked: int | None
    message: str
    what_to_do: str


@dataclass
class Findings:
    """Collects the findings of one file: single ones, and whole frames of them.

    Attributes:
        single: findings added one by one.
        frames: findings added by rule.
        places: parts of the file in which lines are counted anew, named for people.
        stride: from one part's lines to the next one's; None: the file is one.
        session_columns: where a form's cells stand by session, the file's column by name and session.
    """

    single: list[Finding] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    places: tuple[str, ...] = ()
    stride: int | None = None
    session_columns: dict[tuple[str, str], str] = field(default_factory=dict)

    def divide(self, places: Sequence[str], stride: int) -> None:
        """Say that the file has parts, each with lines of its own.

        Line n of the part at index k is then given as `k * stride + n`, everywhere until `frame`
        (and the merge) take it apart again.

        Args:
            places: names of the parts for people, as `sheet 'May'`.
            stride: more lines than any part can have.
        """
        self.places, self.stride = tuple(places), stride

    def line_in(self, part: str | None, line: int) -> int | None:
        """A line of a part as it is given everywhere; None where there is no such part.

        Args:
            part: its name in `places`; None in a file that has no parts or one.
            line: as counted in the part.
        """
        if part is None and len(self.places) < 2:
            return line
        if part not in self.places:
            return None
        return self.places.index(part) * (self.stride or 0) + line

    def column_in(self, column: str | None, session: object) -> str | None:
        """The file's column that holds what a form calls `column`, in one of its sessions.

        Args:
            column: a name, or several of them joined as findings join them.
            session: as the record tells it.
        """
        if column is None:
            return None
        names = column.split(" / ")
        return " / ".join(self.session_columns.get((name, str(session)), name) for name in names)

    def add(
        self,
        rule: str,
        line: int | None = None,
        column: str | None = None,
        **about: Any,
    ) -> None:
        """Add one finding; `about` fills the places of the rule's message.

        Line 0 is none: some formats have a header that stands on no line.
        """
        known = finding_rules()[rule]
        self.single.append(
            Finding(
                line or None,
                column,
                rule,
                known.severity,
                None,
                None,
                known.message.format(**about),
                known.what_to_do,
            )  # fmt: skip
        )

    def add_lines(
        self,
        rule: str,
        lines: pl.Series,
        column: str | None = None,
        n_checked: int | None = None,
        sessions: pl.Series | None = None,
        **about: Any,
    ) -> None:
        """Add one finding for each line, or for the first of them where the rule is kept short.

        Args:
            rule: id of the rule.
            lines: physical text lines, any order.
            column: the column concerned.
            n_checked: how many rows the rule looked at.
            sessions: of each line, where each session may have columns of its own.
            about: places of the message; `n` is the full count.
        """
        if lines.is_empty():
            return
        if sessions is not None and self.session_columns:
            cells = pl.DataFrame({"line": lines, "session": sessions})
            for (session,), own in cells.group_by("session", maintain_order=True):
                told = self.column_in(column, session)
                self.add_lines(rule, own["line"], told, n_checked, **about)
            return
        known = finding_rules()[rule]
        shown = lines.sort() if known.shown is None else lines.sort().head(known.shown)
        message = known.message.format(n=len(lines), **about)
        self.frames.append(
            pl.DataFrame({"line": shown.cast(pl.Int32)}).with_columns(
                pl.lit(column, pl.String).alias("column_name"),
                pl.lit(rule).alias("rule"),
                pl.lit(known.severity).alias("severity"),
                pl.lit(len(lines), pl.Int32).alias("n_broken"),
                pl.lit(n_checked, pl.Int32).alias("n_checked"),
                pl.lit(message).alias("message"),
                pl.lit(known.what_to_do).alias("what_to_do"),
            )
        )

    def frame(self) -> pl.DataFrame:
        """All findings, rejects first, then by line; what several forms share is said once."""
        one = pl.DataFrame([asdict(found) for found in self.single], schema=SCHEMA)
        together = pl.concat([one, *self.frames])
        said_once = together.unique(
            ["line", "column_name", "rule", "message"], keep="first", maintain_order=True
        )
        return self._placed(
            said_once.sort("severity", "line", "column_name", "rule", "message", nulls_last=False)
        )

    def _placed(self, found: pl.DataFrame) -> pl.DataFrame:
        """Lines as they are counted in their part, and the part named in the message."""
        if self.stride is None or not self.places:
            return found
        names = pl.Series("place", self.places, dtype=pl.String)
        place = pl.lit(names).gather(pl.col("line").fill_null(0) // self.stride)
        told = pl.format("{} ({})", "message", place)
        return found.with_columns(
            pl.when(pl.col("line").is_null()).then("message").otherwise(told).alias("message"),
            (pl.col("line") % self.stride).cast(pl.Int32),
        )
