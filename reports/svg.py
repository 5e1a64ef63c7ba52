"""Making a converter's SVG fit for a page: small, readable aloud, the same bytes every night."""

import itertools
import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from markupsafe import Markup

from reports.look import INK, LABEL_LINE

NOTHING: Final = Markup("")
NOISE: Final = {"class", "pointer-events", "font-family", "stroke-miterlimit", "version"}
SCAFFOLD: Final = {"background", "foreground"}
DEFAULTS: Final = {("opacity", "1"), ("transform", "translate(0,0)"), ("stroke-width", "1")}
GEOMETRY: Final = {"d", "transform", "x", "y", "x2", "y2"}
SHARED: Final = ("fill", "stroke", "stroke-width", "font-size", "text-anchor")
AT: Final = re.compile(r"translate\(([-\d.]+),([-\d.]+)\)")
DOT: Final = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0")
LINE: Final = {"transform", "x2", "y2"}
CIRCLE: Final = {"cx", "cy", "r"}
# A line or an area as the converter writes it: every point with both of its numbers.
OUTLINE: Final = re.compile(r"(?:[ML]-?[\d.]+,-?[\d.]+)+Z?")
POINT: Final = re.compile(r"([ML])(-?[\d.]+),(-?[\d.]+)")
# Divides the lines of a label, and the room between them.
NEW_LINE: Final = "|"
LEADING: Final = 2
LONG_NUMBER: Final = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
# What an axis says, where it has decimals.
DECIMAL: Final = re.compile(r"(>[-−]?\d+)\.(\d+(?: %)?</t)")
# Stands for the id of the chart: a sign that no XML text can hold.
OWN_ID: Final = "\x01"
CLIP: Final = re.compile(r"url\(#([\w-]+)\)")


class Drawing(NamedTuple):
    """A drawing without a name: its size, and what is in it."""

    width: str
    height: str
    box: str
    body: str


def tidy(source: str) -> Drawing:
    """Makes an SVG fit for inlining: no namespaces or classes, one decimal, clip paths by number.

    The converter counts clip paths over its whole life and would print other ids each time.
    """
    # Nothing from outside is parsed: the converter wrote this, and escaped all text in it.
    root = ET.fromstring(source)  # noqa: S314
    _strip(root)
    names = {node.get("id", ""): f"{OWN_ID}-clip-{number}" for number, node in _named(root)}
    for node in root.iter():
        _clean(node, names)
    _lighten(root)
    for node in root.iter():
        _simplify(node)
    body = "".join(ET.tostring(child, encoding="unicode") for child in root).replace(" />", "/>")
    return Drawing(root.get("width", ""), root.get("height", ""), root.get("viewBox", ""), body)


def named(
    drawing: Drawing,
    chart_id: str,
    title: str,
    description: str,
    texts: Markup = NOTHING,
    comma: str = ".",
) -> Markup:
    """Writes a drawing for a page, with its id and its words in front; `texts` go on top.

    `comma` stands in the numbers of its axes; a kept drawing is of no language.
    """
    head = Markup(
        '<svg role="img" aria-labelledby="{id}-title {id}-desc" width="{width}" height="{height}" '
        'viewBox="{box}"><title id="{id}-title">{title}</title><desc id="{id}-desc">{desc}</desc>'
    ).format(
        id=chart_id,
        width=drawing.width,
        height=drawing.height,
        box=drawing.box,
        title=title,
        desc=description,
    )
    # ElementTree escaped all text in the body; nothing else reaches it.
    own = DECIMAL.sub(rf"\1{comma}\2", drawing.body.replace(OWN_ID, chart_id))
    body = Markup(own)  # noqa: S704
    return head + body + texts + Markup("</svg>")


def row_text(top: int, width: int, lines: Sequence[str], value: str) -> Markup:
    """Writes a row's label (left, one or two lines) and value (right) above its strip."""
    label = Markup("").join(
        Markup('<tspan x="0" y="{}">{}</tspan>').format(top + LABEL_LINE * number, line)
        for number, line in enumerate(lines, start=1)
    )
    return Markup(
        '<text fill="{ink}" font-size="{size}">{label}</text><text fill="{ink}" font-size="{size}" '
        'font-weight="bold" text-anchor="end" x="{right}" y="{top}">{value}</text>'
    ).format(ink=INK, size=13, label=label, right=width, top=top + LABEL_LINE, value=value)


def _strip(node: ET.Element) -> None:
    """Removes namespaces, the scaffolding shapes, what is not seen, and what is empty; writes texts."""
    node.tag = node.tag.rpartition("}")[2]
    if node.tag == "text":
        _write(node)
    for child in list(node):
        _strip(child)
        is_empty = child.tag in {"g", "text"} and not len(child) and not child.text
        if child.get("class") in SCAFFOLD or child.get("opacity") == "0" or is_empty:
            node.remove(child)


def _write(text: ET.Element) -> None:
    """Writes a text that the converter only placed, from its description: a line for each part."""
    first, *others = text.get("aria-label", "").split(NEW_LINE)
    text.text = first
    for line in others:
        step = f"{int(text.get('font-size', '').removesuffix('px')) + LEADING}"
        ET.SubElement(text, "tspan", {"x": "0", "dy": step}).text = line


def _named(root: ET.Element) -> list[tuple[int, ET.Element]]:
    return list(enumerate((node for node in root.iter() if node.get("id")), start=1))


def _clean(node: ET.Element, names: dict[str, str]) -> None:
    """Drops attributes a page does not need, shortens numbers and renames clip paths."""
    for name, value in list(node.attrib.items()):
        if name in NOISE or name.startswith(("aria-", "role")) or (name, value) in DEFAULTS:
            del node.attrib[name]
        elif name == "id":
            node.set(name, names[value])
        elif name == "clip-path":
            node.set(name, CLIP.sub(lambda found: f"url(#{names[found[1]]})", value))
        elif name in GEOMETRY:
            node.set(name, LONG_NUMBER.sub(_short, value))
    if OUTLINE.fullmatch(node.get("d", "")):
        node.set("d", _outline(node.get("d", "")))


def _outline(path: str) -> str:
    """Leaves out points amid level and upright lines, and writes these by their one new number."""
    points = POINT.findall(path)
    kept = [("", "", "")]
    for point, after in zip(points, [*points[1:], ("M", "", "")], strict=True):
        is_amid = any(kept[-1][axis] == point[axis] == after[axis] for axis in (1, 2))
        if not (is_amid and point[0] == after[0] == "L"):
            kept.append(point)
    told = [
        f"{move}{x},{y}" if move == "M" or before[1] != x and before[2] != y
        else f"H{x}" if before[2] == y
        else f"V{y}"
        for before, (move, x, y) in itertools.pairwise(kept)
    ]  # fmt: skip
    return "".join(told) + path[len(path.rstrip("Z")) :]


def _lighten(node: ET.Element) -> None:
    """Unwraps groups that say nothing, and says once for a group what all its members share."""
    for child in list(node):
        _lighten(child)
    node[:] = [
        member
        for child in node
        for member in (child if child.tag == "g" and not child.attrib else [child])
    ]
    if node.tag != "g":
        return
    for name in SHARED:
        values = {child.get(name) for child in node}
        if len(node) > 1 and len(values) == 1 and None not in values:
            node.set(name, values.pop() or "")
            for child in node:
                del child.attrib[name]


def _simplify(node: ET.Element) -> None:
    """Writes dots as circles, and the dots or the lines of one group as one path: half to read."""
    for child in node:
        dot = DOT.fullmatch(child.get("d", ""))
        at = AT.fullmatch(child.get("transform", ""))
        if child.tag == "path" and dot and at:
            child.tag = "circle"
            child.attrib = {"cx": at[1], "cy": at[2], "r": dot[1], **child.attrib}
            del child.attrib["transform"], child.attrib["d"]
        elif child.tag == "text" and at:
            child.attrib = {"x": at[1], "y": at[2], **child.attrib}
            del child.attrib["transform"]
            for line in child:
                line.set("x", at[1])
    if node.tag == "g" and len(node) > 1:
        _join_lines(node)
        _join_dots(node)


def _join_lines(group: ET.Element) -> None:
    places = [AT.fullmatch(child.get("transform", "")) for child in group]
    plain = all(child.tag == "line" and set(child.attrib) == LINE for child in group)
    if plain and all(places):
        lines = [
            f"M{at[1]},{at[2]}{_step(child.get('x2', ''), child.get('y2', ''))}"
            for at, child in zip(places, group, strict=True)
            if at
        ]
        group[:] = [ET.Element("path", {"d": "".join(lines)})]


def _step(right: str, down: str) -> str:
    return f"h{right}" if down == "0" else f"v{down}" if right == "0" else f"l{right},{down}"


def _join_dots(group: ET.Element) -> None:
    """Makes equal dots the round ends of lines without length."""
    radii = {child.get("r") for child in group}
    plain = all(child.tag == "circle" and set(child.attrib) == CIRCLE for child in group)
    if plain and len(radii) == 1 and "fill" in group.attrib:
        width = f"{2 * float(radii.pop() or 0):.1f}"
        dots = "".join(f"M{child.get('cx')},{child.get('cy')}h0" for child in group)
        group[:] = [ET.Element("path", {"d": dots})]
        group.attrib = {
            "stroke": group.attrib["fill"],
            "stroke-width": width,
            "stroke-linecap": "round",
        }


def _short(found: re.Match[str]) -> str:
    text = f"{float(found[0]):.1f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
