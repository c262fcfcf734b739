#!/usr/bin/env python3
"""Compares the arrows between modules in docs/architecture.md and README.md with the dependencies in Package.swift.

docs/architecture.md must draw all of them, README.md may draw some of them. Also checks that each target lists the modules
that it imports: without that, an incremental build may leave a target compiled for an old layout of a type. Exits with 1
and names the differences if they disagree. Run by `make lint`. Standard library only.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Targets below Tests and Benchmarks have no arrows in the drawing.
OTHERS = {"TestSupport", "FuzzTargets", "dia-bench", "dia-fuzz"}


def targets():
    """The targets of Package.swift: kind, folder and listed names by name."""
    text = (ROOT / "Package.swift").read_text()
    found = {}
    for match in re.finditer(r"\.(target|executableTarget|systemLibrary|testTarget)\(", text):
        # Up to the parenthesis that closes the target.
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        body = text[match.end():end]
        name = re.search(r'name: "([^"]+)"', body).group(1)
        listed = re.search(r"dependencies: \[(.*?)\]", body, re.S)
        path = re.search(r'\bpath: "([^"]+)"', body)
        sources = re.search(r'sources: \["([^"]+)"\]', body)
        folder = path.group(1) if path else f"{'Tests' if match.group(1) == 'testTarget' else 'Sources'}/{name}"
        folder += f"/{sources.group(1)}" if sources else ""
        found[name] = (match.group(1), folder, re.findall(r'"([^"]+)"', listed.group(1)) if listed else [])
    return found


def manifest(found):
    """The arrows of Package.swift between targets of Sources."""
    drawn = {name for name, (kind, folder, _) in found.items() if kind != "testTarget" and name not in OTHERS}
    return {(source, target) for source in drawn for target in found[source][2] if target in drawn}


def unlisted(found):
    """The imports of modules of this package that the importing target does not list."""
    modules = {name.replace("-", "_"): name for name in found}
    for name, (_, folder, listed) in sorted(found.items()):
        for file in sorted((ROOT / folder).rglob("*.swift")):
            for module in re.findall(r"^(?:\w+ )?import (\w+)$", file.read_text(), re.M):
                if module in modules and modules[module] not in listed + [name]:
                    yield name, modules[module], file.relative_to(ROOT)


def drawing(file):
    """The arrows of the first Mermaid drawing in a file."""
    text = (ROOT / file).read_text()
    graph = re.search(r"```mermaid\n(.*?)```", text, re.S).group(1)
    arrows = set()
    for line in graph.splitlines():
        match = re.match(r"\s*([\w-]+(?: & [\w-]+)*) --> ([\w-]+(?: & [\w-]+)*)\s*$", line)
        if match:
            arrows |= {(s, t) for s in match.group(1).split(" & ") for t in match.group(2).split(" & ")}
    return arrows


def main():
    found = targets()
    built, drawn, simplified = manifest(found), drawing("docs/architecture.md"), drawing("README.md")
    missing = list(unlisted(found))
    for name, module, file in missing:
        print(f"{file} imports {module}, which Package.swift does not list for {name}")
    for source, target in sorted(built - drawn):
        print(f"Package.swift has {source} -> {target}, docs/architecture.md does not draw it")
    for source, target in sorted(drawn - built):
        print(f"docs/architecture.md draws {source} -> {target}, Package.swift does not have it")
    for source, target in sorted(simplified - built):
        print(f"README.md draws {source} -> {target}, Package.swift does not have it")
    sys.exit(0 if built == drawn and simplified <= built and not missing else 1)


if __name__ == "__main__":
    main()
