"""Every text that can come to stand on a page, collected from where it is written.

Templates are asked by Babel; texts of rows are read from the SQL, the rules, the instruments and the
programs that write them. A part that only the night knows is `{}`.
"""

import ast
import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import sqlglot
from babel.messages.extract import extract_from_dir
from ruamel.yaml import YAML
from sqlglot import exp

from flows.sql_header import read_header

ROOT: Final = Path(__file__).parents[2]
PLACE: Final = "{}"
# Alternatives of one sentence; more of them is a sentence that ought to be written otherwise.
MOST_FORMS: Final = 64
LETTERS: Final = re.compile(r"[^\W\d_]{2}")
NAMED_PLACE: Final = re.compile(r"\{[^{}]*\}")
# Words of the program, not of people: names with underscores, paths, formats.
# What of an instrument is printed in words; licences and sources are printed as they are.
LABELS: Final = frozenset(
    {"label", "note", "no_reliable_change", "use", "population", "topic", "basis"}
)
# Texts that the SQL puts together from columns, and words that are codes as well.
JOINED: Final = (
    *("{} or more", "{} or less", "{} exceeded", "{} not reached", "{}: missing", "missing"),
    *("sessions {} to {}", "over {}", "under {}", "check", "checks", "new", "mean", "goal", "task"),
    *("patient", "therapist", "patient and therapist", "female", "male", "other"),
    *("Too few to judge by: under {}", "Were red by session {}", "too few to show (n < {})"),
    # what is done with a column of personal data
    *("stored only as a keyed pseudonym", "not stored"),
    # what is computed a second time
    *("endings", "outcomes", "ruptures", "NHS Talking Therapies rates", "means of units"),
    *("rates of units", "values and intervals", "alliance against the own baseline"),
    *(
        "answers to risk items",
        "courses and sessions of forms",
        "forms expected",
        "reliable change",
    ),
    *("courses begun, ended and open", "what became of alerts"),
    "sessions, ruptures and changes of units",
    *("order of sessions", "other methods of judging change", "scores of forms"),
    *("sessions told from forms", "courses recorded and told from appointments"),
    *("courses of appointments", "what became of each session", "chances of a last session"),
    *("expected course", "colours on the expected course", "incidence of each way of ending"),
)
# Programs whose texts come to stand in tables.
SPEAKING: Final = ("flows/modelling/*.py", "flows/reference_period.py")
WORD: Final = re.compile(r"[a-z]{2,}(-[a-z]+)?")
QUERY: Final = re.compile(r"\bselect\b|^\s*(from|join|filter|where)\b|^, \w+\.|\) where |filter \(")
CODE: Final = re.compile(r"[\w./:%*\\{}\[\]()<>=,$^+-]*")


def texts() -> dict[str, str]:
    """Returns every text with the file it stands in; a text of several files, with the first."""
    found: dict[str, str] = {}
    for place, text in itertools.chain(
        _of_templates(),
        _of_words(),
        _of_sql(),
        _of_headers(),
        _of_rules(),
        _of_instruments(),
        (("joined by the SQL", text) for text in JOINED),
    ):
        text = re.sub(r"(\{\})+", PLACE, text)
        if LETTERS.search(text.replace(PLACE, "")) and text != PLACE:
            found.setdefault(text, place)
    return found


def _of_templates() -> Iterator[tuple[str, str]]:
    folder = ROOT / "reports/templates"
    method = [("**.j2", "jinja2")]
    options = {"**.j2": {"silent": "false", "trimmed": "true"}}
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2)}
    for name, _line, message, _comments, _context in extract_from_dir(
        folder, method, options, keywords
    ):
        for text in (message,) if isinstance(message, str) else message:
            yield f"reports/templates/{name}", text
    for path in sorted(folder.glob("*.j2")):
        for one, many in re.findall(
            r'parts\.counted\([^"]*?"([^"]+)", "([^"]+)"\)', path.read_text(encoding="utf-8")
        ):
            yield f"reports/templates/{path.name}", one
            yield f"reports/templates/{path.name}", many


def _of_words() -> Iterator[tuple[str, str]]:
    """Texts in Python: all of the pages' own, elsewhere those of the places named here."""
    for path in sorted((ROOT / "reports").rglob("*.py")):
        if path.name not in ("language.py", "render.py", "svg.py"):
            yield from _of_python(path)
    for path in sorted(path for name in SPEAKING for path in ROOT.glob(name)):
        for where, text in _of_python(path):
            if " " in text.strip() and not QUERY.search(text):
                yield where, text


def _of_python(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    silent |= {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr | ast.Raise)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else PLACE for part in node.values
            )
        else:
            continue
        if is_prose(text):
            yield str(path.relative_to(ROOT)), text


def is_prose(text: str) -> bool:
    """Says whether a string is for people: several words, or one that begins as a heading does."""
    bare = text.replace(PLACE, "")
    if (
        not LETTERS.search(bare)
        or "datum." in text
        or text.startswith(("#", "http"))
        or re.search(r"\\|<[a-z/]", text)
    ):
        return False
    return not CODE.fullmatch(text) or re.fullmatch(r"[A-Z][a-z]{2,}", text) is not None


def _of_sql() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "sql").rglob("*.sql")):
        tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), dialect="duckdb")
        for node in tree.walk():
            if not isinstance(node, exp.DPipe | exp.Literal) or not _is_said(node):
                continue
            for text in forms(node):
                if is_prose(text) or (path.parent.name == "report" and WORD.fullmatch(text)):
                    yield str(path.relative_to(ROOT)), text


def _is_said(node: exp.Expr) -> bool:
    """Says whether an expression is a whole text that goes into a column, not a code compared."""
    if isinstance(node, exp.Literal) and not node.is_string:
        return False
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.DPipe | exp.Predicate | exp.Where | exp.Join):
            return False
        if isinstance(parent, exp.If | exp.Case) and parent.this is child:
            return False
        child, parent = parent, parent.parent
    return True


def forms(node: exp.Expr) -> list[str]:
    """Returns the texts an expression can make, with `{}` where only the night knows."""
    match node:
        case exp.Literal() if node.is_string:
            return [node.this]
        case exp.DPipe():
            both = itertools.product(forms(node.left), forms(node.right))
            return [a + b for a, b in itertools.islice(both, MOST_FORMS)]
        case exp.Paren() | exp.Cast():
            return forms(node.this)
        case exp.Coalesce():
            return [text for part in [node.this, *node.expressions] for text in forms(part)]
        case exp.Case():
            ends = [branch.args["true"] for branch in node.args["ifs"]]
            ends += [node.args["default"]] if node.args.get("default") else []
            return [text for end in ends for text in forms(end)]
        case exp.Null():
            return []
        case _:
            return [PLACE]


def _of_headers() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "sql").rglob("*.sql")):
        where = str(path.relative_to(ROOT))
        header = read_header(path.read_text(encoding="utf-8"), where)
        if header.is_measure:
            for key in ("label", "numerator", "denominator", "why"):
                yield where, NAMED_PLACE.sub(PLACE, header.words[key])


def _of_rules() -> Iterator[tuple[str, str]]:
    for name in ("rules.toml", "expectations.toml"):
        rules = tomllib.loads((ROOT / "schemas" / name).read_text(encoding="utf-8"))
        for rule in rules.values():
            for key in ("title", "message", "not_applicable", "what_to_do"):
                if key in rule:
                    yield f"schemas/{name}", NAMED_PLACE.sub(PLACE, rule[key])


def _of_instruments() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "schemas/instruments").glob("*.yaml")):
        content = YAML(typ="safe").load(path)
        for text in _strings(content, LABELS):
            yield str(path.relative_to(ROOT)), text


def _strings(content: object, keys: Iterable[str]) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key in keys and isinstance(value, str):
                yield value
            yield from _strings(value, keys)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value, keys)
