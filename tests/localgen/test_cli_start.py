"""Starting costs nothing: `--help` answers at once, and says what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli import environment, run

from localgen import __version__
from localgen.commands.generate import parser
from localgen.options import Options
from localgen_bundle.domains import DEFAULT_DOMAIN
from localgen_retrieval.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numpy", "pydantic", "lark", "faiss", "llama_cpp", "llguidance", "yaml", "filelock", "importlib.metadata")


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, localgen.commands.generate as g\ntry: g.main(['--help'])\nexcept SystemExit: pass\n"
    code += f"sys.exit(','.join(m for m in {HEAVY!r} if m in sys.modules) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("option", "default"),
    [
        ("--k", Options.k),
        ("--temperature", Options.temperature),
        ("--max_tokens", Options.max_tokens),
        ("--seed", Options.seed),
        ("--domain", DEFAULT_DOMAIN),
    ],
)
def test_help_names_the_real_defaults(option: str, default: object) -> None:
    action = next(a for a in parser()._actions if option in a.option_strings)
    assert f"(default: {default})" in str(action.help)


def test_version() -> None:
    for verb in ("generate", "--version"):
        ran = run(verb, *(["--version"] if verb == "generate" else []))
        assert ran.code == 0 and __version__ in ran.out


def test_localgen_lists_its_commands() -> None:
    ran = run("--help")
    assert ran.code == 0 and "generate" in ran.out and "validate" in ran.out


def test_every_option_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    options = {o for a in parser()._actions for o in a.option_strings if o.startswith("--") and o != "--help"}
    missing = [o for o in sorted(options) if f"`{o}" not in text]
    assert not missing


@pytest.mark.parametrize("document", ["README.md", "docs/cli.md"])
def test_every_exit_status_is_documented(document: str) -> None:
    rows = re.findall(r"^\| (\d+) \|", (ROOT / document).read_text("utf-8"), re.MULTILINE)
    assert {int(r) for r in rows} >= {int(c) for c in ExitCode}
