"""Measure the structure of the code: rings of imports, imports against the layers, the files of a facet field.

    python -m devtools.structure [TREE]

TREE is a checkout of this repository, this one by default. tests/unit/test_structure.py keeps the figures at zero.
"""

import os
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import grimp
import networkx

# Packages outside the product: they may import anything.
AROUND = frozenset({"tests", "benchmarks", "conformance", "scripts", "devtools"})
# A facet field whose name has no other meaning: a file that names it changes with every new field of its kind.
FACET_FIELD = "collection_name"
# The second is where the demo was before: TREE may be an older checkout.
DEMO = ("demo", "designs.demo")


@dataclass(frozen=True)
class Structure:
    """`rings`: groups of files that import each other; `upward`: imports against the order of the packages."""

    rings: list[list[str]]
    upward: list[tuple[str, str]]
    of_demo: list[tuple[str, str]]
    facet_files: dict[str, int]


def packages_of(tree: Path) -> list[str]:
    return sorted(path.parent.name for path in tree.glob("*/__init__.py") if path.parent.name not in AROUND)


def imports_of(packages: list[str]) -> "networkx.DiGraph[str]":
    """Return the imports between modules, including those for type checkers only."""
    graph = grimp.build_graph(*packages, cache_dir=None)
    edges = [(one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one)]
    return networkx.DiGraph([(one, other) for one, other in edges if not other.endswith("__future__")])


def rings_of(imports: "networkx.DiGraph[str]") -> list[list[str]]:
    """Return the groups of two or more modules that all reach each other, the largest first."""
    groups = (sorted(group) for group in networkx.strongly_connected_components(imports))
    return sorted((group for group in groups if len(group) > 1), key=len, reverse=True)


def upward_of(imports: "networkx.DiGraph[str]") -> list[tuple[str, str]]:
    """Return, for two packages that import each other, the imports of the direction with fewer."""
    between: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for one, other in imports.edges:
        between[top(one), top(other)].append((one, other))
    found: list[tuple[str, str]] = []
    for (one, other), edges in between.items():
        back = between.get((other, one), [])
        if one != other and back and (len(edges), one) < (len(back), other):
            found += edges
    return sorted(found)


def top(module: str) -> str:
    return module.partition(".")[0]


def of_demo(imports: "networkx.DiGraph[str]") -> list[tuple[str, str]]:
    """Return the imports of the demo by anything else."""

    def is_demo(module: str) -> bool:
        return any(module == name or module.startswith(f"{name}.") for name in DEMO)

    return sorted((one, other) for one, other in imports.edges if is_demo(other) and not is_demo(one))


def files_naming(tree: Path, field: str, packages: list[str]) -> dict[str, int]:
    """Return the product's files that name a field, with their lines. A command writes its migration."""
    word = re.compile(rf"\b{field}\b")
    found = {}
    for package in packages:
        for path in sorted((tree / package).rglob("*.py")):
            text = path.read_text()
            if "migrations" not in path.parts and word.search(text):
                found[str(path.relative_to(tree))] = text.count("\n")
    return found


def structure_of(tree: Path) -> Structure:
    packages = packages_of(tree)
    imports = imports_of(packages)
    return Structure(
        rings_of(imports), upward_of(imports), of_demo(imports), files_naming(tree, FACET_FIELD, packages)
    )


def main(arguments: list[str]) -> None:
    tree = Path(arguments[0] if arguments else ".").resolve()
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    found = structure_of(tree)
    print(f"files in the largest ring of imports: {len(found.rings[0]) if found.rings else 0}")
    for ring in found.rings:
        print(f"  {', '.join(ring)}")
    print(f"upward imports between top-level packages: {len(found.upward)}")
    print(f"imports of the demo by production: {len(found.of_demo)}")
    for one, other in (*found.upward, *found.of_demo):
        print(f"  {one} -> {other}")
    lines = sum(found.facet_files.values())
    print(f"files that a facet field touches: {len(found.facet_files)} ({lines} lines to read)")
    for name, count in found.facet_files.items():
        print(f"  {name}: {count}")


if __name__ == "__main__":
    main(sys.argv[1:])
