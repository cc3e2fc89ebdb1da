"""What is read off a catalog is worked out once, and never taken for another catalog's."""

from __future__ import annotations

from localgen_retrieval.catalog import Catalog, Proc
from localgen_retrieval.once import KEPT, once_per_catalog


def test_a_catalog_is_read_once_and_its_equal_twin_on_its_own() -> None:
    read: list[Catalog] = []

    @once_per_catalog
    def names(catalog: Catalog) -> list[str]:
        read.append(catalog)
        return [p.name for p in catalog.procs]

    one, twin, other = (Catalog(procs=(Proc(name=n),)) for n in ("a", "a", "b"))
    assert [names(c) for c in (one, twin, other, one)] == [["a"], ["a"], ["b"], ["a"]]
    assert [any(c is r for r in read) for c in (one, twin, other)] == [True, True, True]
    assert len(read) == 3


def test_only_the_last_few_catalogs_are_kept() -> None:
    calls = 0

    @once_per_catalog
    def count(catalog: Catalog) -> int:
        nonlocal calls
        calls += 1
        return len(catalog.procs)

    catalogs = [Catalog(name=str(i)) for i in range(KEPT + 1)]
    for c in catalogs:
        count(c)
    count(catalogs[-1])
    assert calls == KEPT + 1
    count(catalogs[0])
    assert calls == KEPT + 2
