"""The floors of docs/architecture.md, read out of the imports; a new rule is a row here."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("config", "crm_integrations", "memorialization", "dynamic_data", "zendesk_client", "demo")
TEMPLATE_FOLDERS = ("templates", "crm_integrations", "memorialization", "dynamic_data", "demo")
APPS = ("crm_integrations", "memorialization", "dynamic_data")
PURE_MODULES = {"rules", "targeting", "source_fields", "retry_policy", "contents", "plan"}
PURE_FOLDERS = {"events", "rendering", "record_display"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
VENDOR = re.compile("zendesk", re.IGNORECASE)
PROVIDERS = "crm_integrations/providers/"
MODULE_LINES, FUNCTION_LINES, TEMPLATE_LINES = 300, 40, 80


@dataclass(frozen=True)
class Floor:
    """What the modules under `folder` never import; `but_for` names a folder inside that may."""

    folder: str
    never: tuple[str, ...]
    but_for: str = "/"


FLOORS = (
    Floor("memorialization", ("config", "dynamic_data", "zendesk_client", "demo")),
    Floor("dynamic_data", ("config", "memorialization", "zendesk_client", "demo")),
    Floor("crm_integrations", ("config", "memorialization", "dynamic_data", "demo")),
    Floor("crm_integrations", ("zendesk_client",), but_for="crm_integrations/providers/zendesk"),
    Floor("zendesk_client", ("django", "celery", "redis", *(part for part in PARTS if part != "zendesk_client"))),
    Floor("demo", tuple(part for part in PARTS if part != "demo")),
    Floor("config", ("demo",)),
)
CLIENT_MAY_IMPORT = {"requests", "requests_oauthlib", "oauthlib", "urllib3", "zendesk_client"}
NOT_PURE = ("django.db", "requests", "zendesk_client", "celery", "redis", "urllib.request", "http.client", "socket")


def modules_under(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def templates() -> list[Path]:
    return sorted(path for folder in TEMPLATE_FOLDERS for path in (ROOT / folder).rglob("*.html"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports_of(path: Path) -> Iterator[str]:
    """Every module a file imports, also inside functions; `from a import b` counts as a.b."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_within(module: str, names: tuple[str, ...] | set[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: f"{floor.folder} not {' '.join(floor.never)}")
def test_imports_run_downwards_only(floor):
    climbing = [
        f"{name_of(path)} imports {module}"
        for path in modules_under(floor.folder)
        if not name_of(path).startswith(floor.but_for)
        for module in imports_of(path)
        if is_within(module, floor.never)
    ]
    assert climbing == []


def test_nobody_imports_config_but_config_and_the_way_in():
    """Django's own way in is manage.py; the apps read `django.conf.settings`."""
    offenders = [
        f"{name_of(path)} imports {module}"
        for part in PARTS
        if part != "config"
        for path in modules_under(part)
        for module in imports_of(path)
        if is_within(module, ("config",))
    ]
    assert offenders == []


def test_the_client_lives_on_the_standard_library_and_requests_alone():
    import sys

    foreign = [
        f"{name_of(path)} imports {module}"
        for path in modules_under("zendesk_client")
        for module in imports_of(path)
        if module.partition(".")[0] not in CLIENT_MAY_IMPORT | sys.stdlib_module_names
    ]
    assert foreign == []


def test_the_core_and_its_templates_name_no_vendor():
    """A second CRM is a folder and a settings line, as long as nothing else knows the first by name."""
    sources = [path for app in APPS for path in modules_under(app)] + templates()
    naming = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in sources
        if not name_of(path).startswith((PROVIDERS, "demo/")) and "zendesk" not in path.relative_to(ROOT).parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if VENDOR.search(line)
    ]
    assert naming == []


def test_pure_modules_know_no_database_and_no_network():
    in_folders = [path for app in APPS for path in modules_under(app) if path.parent.name in PURE_FOLDERS]
    pure = [path for app in APPS for path in modules_under(app) if path.stem in PURE_MODULES] + in_folders
    impure = [
        f"{name_of(path)} imports {module}"
        for path in pure
        for module in imports_of(path)
        if is_within(module, NOT_PURE) or ".models" in f".{module}"
    ]
    assert pure != [] and impure == []


def test_no_module_has_a_name_that_says_nothing():
    vague = [name_of(path) for part in (*PARTS, "tests") for path in modules_under(part) if path.stem in VAGUE_NAMES]
    assert vague == []


def test_every_module_says_what_it_is_for():
    silent = [
        name_of(path)
        for part in PARTS
        for path in modules_under(part)
        if (text := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_no_module_and_no_function_is_too_long():
    too_long = []
    for path in (path for part in PARTS for path in modules_under(part)):
        text = path.read_text(encoding="utf-8")
        if (length := len(text.splitlines())) > MODULE_LINES:
            too_long.append(f"{name_of(path)}: {length} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (length := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:
                too_long.append(f"{name_of(path)}: {node.name} has {length} lines")
    assert too_long == []


INLINE = {
    "a script in the page": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=[\"']application/json)", re.IGNORECASE),
    "a style sheet in the page": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an htmx script attribute": re.compile(r"<[^>]*\shx-on", re.IGNORECASE),
    "a javascript address": re.compile(r"[\"']\s*javascript:", re.IGNORECASE),
}


@pytest.mark.parametrize("fault", INLINE)
def test_templates_hold_nothing_that_the_content_security_policy_refuses(fault):
    found = [name_of(path) for path in templates() if INLINE[fault].search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_templates_are_short():
    too_long = [
        f"{name_of(path)}: {length} lines"
        for path in templates()
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > TEMPLATE_LINES
    ]
    assert too_long == []
