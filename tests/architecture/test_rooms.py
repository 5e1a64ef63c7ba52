"""The house rules that a machine can hold: layout, one way, no clock in SQL, no dead rules."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.finding_rules import finding_rules

ROOT = Path(__file__).parents[2]
LAYOUT = {"pyproject.toml", "flows", "schemas", "sql", "reports", "tests"}
USUAL = {
    "README.md", "CONTRIBUTING.md", "GLOSSARY.md", "CHANGELOG.md", "LICENSE", "Makefile",
    "requirements.lock", "prefect.yaml", "docs", ".ci", ".gitignore",
}  # fmt: skip
ROOMS = ("flows", "schemas", "reports")


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        return [
            p.relative_to(ROOT).as_posix() for p in ROOT.iterdir() if not p.name.startswith(".venv")
        ]
    return listed.stdout.splitlines()


def python_files(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def test_the_top_level_is_the_agreed_one() -> None:
    names = {path.split("/")[0] for path in tracked()}
    assert names >= LAYOUT
    assert names <= LAYOUT | USUAL


def test_sql_holds_no_python() -> None:
    assert {p.suffix for p in (ROOT / "sql").rglob("*") if p.is_file()} == {".sql"}


def test_every_path_in_the_documents_exists() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_glossary_says_every_word_once_and_in_order() -> None:
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    words = [word.lower() for word in re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.MULTILINE)]
    assert len(words) > 50
    assert words == sorted(set(words))


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    source = (ROOT / "flows" / "cli.py").read_text(encoding="utf-8")
    commands = re.findall(r"@app\.command\([^)]*\)\s*\ndef (\w+)", source)
    assert commands
    assert [c for c in commands if f"`rapport {c}" not in text] == []


def test_every_exit_code_is_in_the_operations_page() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    source = (ROOT / "flows" / "errors.py").read_text(encoding="utf-8")
    codes = set(re.findall(r"(?:exit_code|[A-Z_]+) = (\d+)", source))
    assert len(codes) >= 10
    assert [
        code for code in codes if not re.search(rf"^\| [\d, ]*\b{code}\b", text, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("word", ["now(", "current_date", "current_timestamp", "random(", "today("])
def test_sql_asks_neither_clock_nor_chance(word: str) -> None:
    asking = [
        p.name
        for p in (ROOT / "sql").rglob("*.sql")
        if word in p.read_text(encoding="utf-8").lower()
    ]
    assert asking == []


def test_only_flows_opens_files_for_writing_or_asks_the_clock() -> None:
    for path in python_files("schemas", "reports"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"write_text", "write_bytes", "now", "today", "utcnow"}, (
                    path
                )


def test_second_computations_import_the_standard_library_and_one_another_only() -> None:
    for path in python_files("flows/second"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                is_own = name.startswith("flows.second")
                assert is_own or name.split(".")[0] in sys.stdlib_module_names, f"{path}: {name}"


def test_only_settings_reads_settings_and_nobody_the_environment() -> None:
    for path in python_files(*ROOMS):
        text = path.read_text(encoding="utf-8")
        if path.name != "settings.py":
            assert "os.environ" not in text and "getenv" not in text, path
        if path.name not in ("settings.py", "nightly.py", "workspace.py"):
            assert ".settings.read_" not in text, path


def test_every_rule_is_used_and_every_used_rule_exists() -> None:
    text = "\n".join(p.read_text(encoding="utf-8") for p in python_files("flows", "schemas"))
    unused = [rule for rule in finding_rules() if f'"{rule}"' not in text]
    assert unused == []


def test_no_rule_has_a_place_for_a_value_of_a_patient() -> None:
    allowed = {
        "expected", "sources", "kind", "offset", "encoding", "searched", "names", "delimiter",
        "nearest", "times", "handling", "lines", "kinds", "rows", "condition", "n", "records",
        "before", "share", "last_seen", "field", "as_of", "earliest", "lowest", "highest",
        "reason", "instrument", "forms", "codes", "counted", "split", "entry", "zone",
    }  # fmt: skip
    places = {
        place for rule in finding_rules().values() for place in re.findall(r"\{(\w+)", rule.message)
    }
    assert places <= allowed


def test_the_locks_name_no_host() -> None:
    for lock in (ROOT / "requirements.lock", ROOT / "tests" / "requirements.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text and "index-url" not in text


def test_running_and_testing_use_the_same_versions() -> None:
    def pins(path: Path) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==\S+", path.read_text(encoding="utf-8"), re.MULTILINE))

    assert pins(ROOT / "requirements.lock") <= pins(ROOT / "tests" / "requirements.lock")


def test_modules_stay_readable() -> None:
    """Longer ones say why in their first lines, or are split."""
    long = {
        path.relative_to(ROOT).as_posix(): n
        for path in python_files(*ROOMS)
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
