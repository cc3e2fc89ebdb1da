"""The wheel holds our four packages and the bundle's data, runs from anywhere, and never asks for torch."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from localgen import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"localgen", "localgen_retrieval", "localgen_grammars", "localgen_bundle"}
TRAINING_ONLY = {"torch", "transformers", "sentence-transformers", "peft", "trl", "datasets", "accelerate", "gguf"}


def build(source: Path, folder: Path) -> Path:
    """Build the wheel of a project with the hatchling that is installed."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of localgen."""
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel installed (not editable, without what it depends on) into a folder."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True)
    return folder


def names(wheel: Path) -> list[str]:
    """The files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_top_level_names_are_our_packages(wheel: Path) -> None:
    assert {n.split("/")[0] for n in names(wheel)} == PACKAGES | {f"localgen-{__version__}.dist-info"}


def test_all_of_the_bundle_is_inside(wheel: Path) -> None:
    data = ROOT / "bundle" / "default"
    there = {f"localgen_bundle/default/{p.relative_to(data).as_posix()}" for p in data.rglob("*") if p.is_file()}
    inside = {n for n in names(wheel) if n.startswith("localgen_bundle/default/")}
    assert inside == there and "localgen_bundle/default/encoder.gguf" in inside


def test_all_of_the_code_is_inside(wheel: Path) -> None:
    inside = set(names(wheel))
    for package, folder in (
        ("localgen", ROOT),
        ("localgen_retrieval", ROOT / "retrieval"),
        ("localgen_grammars", ROOT / "grammars"),
        ("localgen_bundle", ROOT / "bundle"),
    ):
        files = [p for p in (folder / package).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert files and {p.relative_to(folder).as_posix() for p in files} <= inside


def test_it_runs_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    code = (
        "import localgen, localgen_bundle.default as d; from localgen_bundle.domains import resolve_domain;"
        "print(localgen.__file__, d.encoder_path(), resolve_domain('pnr').folder, sep='\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=True
    )
    assert all(Path(line).is_relative_to(installed) for line in done.stdout.splitlines())
    verify = [sys.executable, "-m", "localgen_bundle.manifest", "verify"]
    done = subprocess.run(verify, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0 and str(installed) in done.stdout, done.stderr


def test_the_commands_are_installed(installed: Path) -> None:
    assert {p.name for p in (installed / "bin").iterdir()} >= {"generate", "validate", "localgen"}


def test_nothing_in_the_dependencies_of_the_base_trains() -> None:
    seen: set[str] = set()
    todo = ["localgen"]
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            declared = requires(name) or []
        except PackageNotFoundError:
            continue
        for requirement in map(Requirement, declared):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                todo.append(requirement.name)
    assert {"llama-cpp-python", "faiss-cpu", "pydantic-core"} <= seen
    assert not seen & TRAINING_ONLY


def test_the_training_distribution_is_one_package_with_its_data(tmp_path: Path) -> None:
    inside = names(build(ROOT / "training", tmp_path))
    assert {n.split("/")[0] for n in inside if ".dist-info/" not in n} == {"localgen_training"}
    folder = ROOT / "training"
    data = [p for kind in ("*.yaml", "*.tcl") for p in (folder / "localgen_training").rglob(kind)]
    assert data and {p.relative_to(folder).as_posix() for p in data} <= set(inside)


def test_the_constraints_fit_the_declared_ranges() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    for project in (ROOT / "pyproject.toml", ROOT / "training" / "pyproject.toml"):
        table = tomllib.loads(project.read_text("utf-8"))["project"]
        optional = [r for extra in table.get("optional-dependencies", {}).values() for r in extra]
        for requirement in map(Requirement, [*table["dependencies"], *optional]):
            if requirement.name == "localgen" or (requirement.marker and not requirement.marker.evaluate()):
                continue
            assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement
