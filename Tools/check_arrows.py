#!/usr/bin/env python3
"""Compares the arrows between modules in docs/architecture.md and README.md with the dependencies in Package.swift.

docs/architecture.md must draw all of them, README.md may draw some of them. Exits with 1 and names the differences if they
disagree. Run by `make lint`. Standard library only.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Targets below Tests and Benchmarks have no arrows in the drawing.
OTHERS = {"TestSupport", "FuzzTargets", "dia-bench", "dia-fuzz"}


def manifest():
    """The arrows of Package.swift between targets of Sources."""
    text = (ROOT / "Package.swift").read_text()
    targets = {}
    for match in re.finditer(r"\.(?:target|executableTarget|systemLibrary)\(", text):
        # Up to the parenthesis that closes the target.
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        body = text[match.end():end]
        name = re.search(r'name: "([^"]+)"', body).group(1)
        listed = re.search(r"dependencies: \[(.*?)\]", body, re.S)
        names = re.findall(r'"([^"]+)"', listed.group(1)) if listed else []
        if name not in OTHERS and "path:" not in body.split("dependencies")[0]:
            targets[name] = names
    return {(source, target) for source, names in targets.items() for target in names if target in targets}


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
    built, drawn, simplified = manifest(), drawing("docs/architecture.md"), drawing("README.md")
    for source, target in sorted(built - drawn):
        print(f"Package.swift has {source} -> {target}, docs/architecture.md does not draw it")
    for source, target in sorted(drawn - built):
        print(f"docs/architecture.md draws {source} -> {target}, Package.swift does not have it")
    for source, target in sorted(simplified - built):
        print(f"README.md draws {source} -> {target}, Package.swift does not have it")
    sys.exit(0 if built == drawn and simplified <= built else 1)


if __name__ == "__main__":
    main()
