"""The data of a named training: examples from a domain's scripts, catalog and grammars, and from virtual catalogs."""
