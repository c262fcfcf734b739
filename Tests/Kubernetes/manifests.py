"""The manifests in deploy/kubernetes, as kustomize builds them, and their validation against the schemas of Kubernetes."""

import os
import pathlib
import shutil
import subprocess
import sys

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy/kubernetes"
BUILD = ROOT / ".build/kubernetes/overlays"
KUBECTL = pathlib.Path(sys.executable).with_name("kubectl")
# From the oldest release that has all fields of the base.
VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]


def parsed(text):
    """Returns the objects of a YAML file, without empty documents."""
    return [document for document in yaml.safe_load_all(text) if document]


def built(folder):
    """Returns the objects that kustomize builds from a folder."""
    result = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        raise SystemExit(f"kubectl kustomize {folder}: {result.stderr}")
    return parsed(result.stdout)


def with_component(name):
    """Returns the objects of the base with a component."""
    overlay = BUILD / name
    shutil.rmtree(overlay, ignore_errors=True)
    overlay.mkdir(parents=True)
    paths = {"resources": FOLDER / "base", "components": FOLDER / "components" / name}
    (overlay / "kustomization.yaml").write_text(
        yaml.safe_dump({key: [os.path.relpath(path, overlay)] for key, path in paths.items()})
    )
    return built(overlay)


def every():
    """Returns the objects of every way to build the manifests, by a name for messages."""
    found = {"base": built(FOLDER / "base"), "example": built(FOLDER / "example")}
    found |= {path.name: with_component(path.name) for path in sorted((FOLDER / "components").iterdir())}
    return found | {"load-models.yaml": parsed((FOLDER / "load-models.yaml").read_text())}


def schema_failures(objects):
    """Returns what the strict schemas of Kubernetes reject, such as a field that does not exist."""
    failures = []
    for version in VERSIONS:
        for document in objects:
            where = f"{document.get('kind')} {document.get('metadata', {}).get('name')}, Kubernetes {version}"
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                failures.append(f"{where}: {'.'.join(map(str, error.path))}: {error.message[:200]}")
            except kubernetes_validate.SchemaNotFoundError:
                failures.append(f"{where}: there is no {document.get('apiVersion')}")
    return failures


def of_kind(objects, kind):
    """Returns the only object of a kind."""
    found = [document for document in objects if document["kind"] == kind]
    if len(found) != 1:
        raise SystemExit(f"{len(found)} objects of the kind {kind}, expected 1")
    return found[0]


def pod(objects):
    """Returns the specification of the pods of the Deployment."""
    return of_kind(objects, "Deployment")["spec"]["template"]["spec"]


def container(objects):
    """Returns the container of the server."""
    return next(each for each in pod(objects)["containers"] if each["name"] == "dia-server")


def options(objects):
    """Returns the options of the server by name."""
    return dict(argument.removeprefix("--").split("=", 1) for argument in container(objects)["args"])
