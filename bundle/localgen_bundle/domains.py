"""Finds a domain by what a person typed: the name of a bundled one, or a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from localgen_bundle.default import domain_folders
from localgen_retrieval.errors import UsageError

if TYPE_CHECKING:
    from localgen_retrieval.catalog_io import Domain

DEFAULT_DOMAIN = "pnr"


def resolve_domain(name_or_dir: str) -> Domain:
    """Read a bundled domain, or the one in a folder.

    A bundled name wins over a folder of that name in the current directory (write `./name` for the folder).

    Raises:
        UsageError: there is no such domain or folder; the hint has the nearest names.
        CatalogError: the domain's catalog cannot be used.
    """
    # Only a command that reads a domain pays for pydantic.
    from localgen_retrieval.catalog_io import load_domain

    bundled = domain_folders()
    if name_or_dir in bundled:
        return load_domain(bundled[name_or_dir])
    path = Path(name_or_dir).expanduser()
    if name_or_dir and path.exists():
        return load_domain(path)
    raise UsageError(
        f"{name_or_dir or 'an empty name'}: no such domain",
        hint=_hint(name_or_dir, list(bundled)),
        code="domain-unknown",
    )


def _hint(wanted: str, names: list[str]) -> str:
    from difflib import get_close_matches

    seen = f"bundled domains: {', '.join(names)}" if names else "no domain is bundled"
    if os.sep in wanted or not wanted:
        return f"--domain takes a folder with a catalog.json, or a name ({seen})"
    near = get_close_matches(wanted.lower(), names, 3, 0.5)
    return f"did you mean {' or '.join(near)}? ({seen})" if near else f"{seen}; or give a folder with a catalog.json"
