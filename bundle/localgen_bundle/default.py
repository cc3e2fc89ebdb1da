"""Where the default bundle's files are, in an installed wheel as in a checkout."""

from __future__ import annotations

from pathlib import Path

from localgen_retrieval.errors import ModelError

MODEL = "model.gguf"
ENCODER = "encoder.gguf"
READER, READER_HEADS = "reader.gguf", "reader.heads.npz"
DOMAINS = "domains"


def default_folder() -> Path:
    """The folder of the default bundle.

    In a wheel it lies inside this package; in a checkout (and so in an editable install) beside it.

    Raises:
        ModelError: it is in neither place.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "default", package.parent / "default"):
        if (folder / DOMAINS).is_dir():
            return folder
    raise ModelError(f"{package}: the default bundle is missing", hint="install localgen again", code="bundle-missing")


def model_path() -> Path:
    """The decoder's GGUF file; ModelError if it is missing."""
    return _file(MODEL, "--model FILE takes any other GGUF model")


def encoder_path() -> Path:
    """The sentence encoder's GGUF file; ModelError if it is missing."""
    return _file(ENCODER, "install localgen again")


def reader_paths() -> tuple[Path, Path]:
    """The reader's GGUF file and its heads; ModelError if one is missing."""
    return _file(READER, "install localgen again"), _file(READER_HEADS, "install localgen again")


def domain_folders() -> dict[str, Path]:
    """The bundled domains' folders by name, sorted."""
    folders = sorted(p for p in (default_folder() / DOMAINS).iterdir() if p.is_dir())
    return {p.name: p for p in folders if any((p / f"catalog.{kind}").is_file() for kind in ("json", "yaml", "yml"))}


def _file(name: str, hint: str) -> Path:
    path = default_folder() / name
    if not path.is_file():
        raise ModelError(f"{path}: missing from the default bundle", hint=hint, code="bundle-missing")
    return path
