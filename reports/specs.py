"""Kinds of charts: one altair chart per kind, compiled once and filled with rows later.

The converter spends a millisecond on measuring every text, most of a drawing's time. So it is given
none to measure: it places empty texts that carry their words as a description, which `svg.tidy`
writes, and the words of a row (label and value) are written afterwards at `row_top`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from reports import look, over_time, side_by_side

KINDS: Final[Mapping[str, Callable[[bool, int], Any]]] = {
    "trend": over_time.trend,
    "process": over_time.process,
    "course": over_time.course,
    "incidence": over_time.incidence,
    "compare": side_by_side.compare,
    "bars": side_by_side.bars,
    "funnel": side_by_side.funnel,
    "calibration": side_by_side.calibration,
}


@cache
def _compiled(kind: str, lines: int) -> dict[str, Any]:
    """Compiles a kind of chart to Vega with an empty data set, rows; shared, so never edited."""
    # Deferred: loading altair and the converter takes longer than all of `rapport check`.
    import vl_convert

    draw = KINDS[kind.split("_")[0]]
    vega = vl_convert.vegalite_to_vega(draw(kind.endswith("_mean"), lines).to_dict())
    for scale in vega.get("scales", []):
        if kind.startswith(("trend", "process")) and scale["name"] == "x":
            # Otherwise a period that is not shown would move to the end of the axis.
            scale["domain"] = {"data": "rows", "field": "period"}
    _leave_unmeasured(vega)
    return vega


def _leave_unmeasured(part: Any) -> None:
    """Moves the words of every label and text mark into its description."""
    if isinstance(part, list):
        for member in part:
            _leave_unmeasured(member)
    if not isinstance(part, dict):
        return
    for axis in part.get("axes", ()):
        if axis.get("labels", True):
            labels = axis.setdefault("encode", {}).setdefault("labels", {})
            update = labels.setdefault("update", {})
            update |= {"description": update.get("text", {"field": "label"}), "text": {"value": ""}}
    if part.get("type") == "text":
        update = part["encode"]["update"]
        update |= {"description": update["text"], "text": {"value": ""}}
    for member in part.values():
        _leave_unmeasured(member)


def filled(kind: str, rows: Sequence[Mapping[str, Any]], lines: int = 2) -> dict[str, Any]:
    """Returns the Vega of a chart with these rows in it.

    Args:
        kind: a name of `KINDS`, with `_rate` or `_mean` where shares and means are drawn apart.
        rows: what the kind draws.
        lines: how many lines the longest label of a row takes, one or two.
    """
    vega = dict(_compiled(kind, lines))
    vega["data"] = [
        {**data, "values": list(rows)} if data["name"] == "rows" else data for data in vega["data"]
    ]
    if kind == "compare_mean":
        vega["width"] = look.WIDTH - look.STRIP_PAD["left"] - look.STRIP_PAD["right"]
        vega["height"] = len(rows) * (look.strip_row(lines) + look.OWN_AXIS) - look.OWN_AXIS
    return vega


def row_top(kind: str, row: Mapping[str, Any], lines: int) -> int:
    """Returns where the words of a row begin, in pixels from the top of the SVG.

    A label of one line stands just above its strip, also where other rows have two.
    """
    step = look.strip_row(lines) + (look.OWN_AXIS if kind == "compare_mean" else 0)
    return look.STRIP_PAD["top"] + row["row"] * step + look.LABEL_LINE * (lines - len(row["label"]))
