#!/usr/bin/env python3
"""Tests deploy/kubernetes without a cluster. Exits with 1 if a check fails.

Builds every overlay with kubectl, validates it against the strict schemas of several releases of Kubernetes, checks that
the manifests agree with each other, and starts dia-server with their options, as root with the user, the read-only root
and the missing capabilities of the pod. Prometheus evaluates the rules of the autoscaler's metrics. Then each of a list of
mistakes is made in the manifests, and must be found.
"""

import copy
import pathlib
import sys
import tempfile

import manifests
import monitoring
import pod
import rules


def mistakes():
    """Returns functions that spoil a copy of the objects, by what they do."""
    container, kind = manifests.container, manifests.of_kind
    pods = manifests.pod

    def argument(old, new):
        def change(objects):
            found = container(objects)["args"]
            found[found.index(old)] = new
        return change

    return {
        "a misspelled field": lambda o: container(o).update(readynessProbe=container(o).pop("livenessProbe")) or
        container(o).update(livenessProbe=container(o)["readinessProbe"]),
        "a misspelled field in the autoscaler": lambda o: kind(o, "HorizontalPodAutoscaler")["spec"].update(minReplica=2),
        "a number as text": lambda o: pods(o).update(terminationGracePeriodSeconds="75"),
        "an unknown API version": lambda o: kind(o, "HorizontalPodAutoscaler").update(apiVersion="autoscaling/v3"),
        "a Service that selects nothing": lambda o: kind(o, "Service")["spec"].update(selector={"app": "dia"}),
        "a port that does not exist": lambda o: container(o)["livenessProbe"]["httpGet"].update(port="https"),
        "a volume that does not exist": lambda o: container(o)["volumeMounts"][0].update(name="model"),
        "a short grace period": lambda o: pods(o).update(terminationGracePeriodSeconds=60),
        "a short drain": argument("--drain-seconds=60", "--drain-seconds=30"),
        "a short drain delay": argument("--drain-delay-seconds=10", "--drain-delay-seconds=3"),
        "service links": lambda o: pods(o).pop("enableServiceLinks"),
        "a token": lambda o: pods(o).pop("automountServiceAccountToken"),
        "a root file system that can be written": lambda o: container(o)["securityContext"].pop("readOnlyRootFilesystem"),
        "connections of the server": lambda o: kind(o, "NetworkPolicy")["spec"].update(egress=[{}]),
        "more threads than processors": argument("--threads=2", "--threads=4"),
        "a small memory limit": lambda o: container(o)["resources"].update(
            requests={"cpu": "2", "memory": "768Mi"}, limits={"memory": "768Mi"}),
        "a metric that nothing makes": lambda o: kind(o, "HorizontalPodAutoscaler")["spec"]["metrics"][0]["pods"]["metric"]
        .update(name="dia_queue_second"),
    }


def mistake_failures(objects, ready, folder, server):
    """Returns the mistakes that no check finds."""
    found = []
    for name, spoil in mistakes().items():
        spoiled = copy.deepcopy(objects)
        spoil(spoiled)
        if failures := rules.failures(spoiled, ready):
            print(f"found {name}: {failures[0]}")
        else:
            found.append(f"no check finds {name}")
    spoiled = copy.deepcopy(objects)
    manifests.container(spoiled)["args"].append("--drain-second=60")
    if failures := pod.check_options(spoiled, folder):
        print(f"found a misspelled option: {failures[0].splitlines()[0]}")
    else:
        found.append("no check finds a misspelled option")
    manifests.container(spoiled)["livenessProbe"]["httpGet"]["path"] = "/healthz"
    if failures := [text for text in server.failures(spoiled) if "/healthz" in text]:
        print(f"found a misspelled path: {failures[0]}")
    else:
        found.append("no check finds a misspelled path")
    return found


def report(failures):
    """Prints the failures and exits."""
    for text in failures:
        print(f"FAILED: {text}")
    print(f"{len(failures)} failures; Kubernetes {', '.join(manifests.VERSIONS)}")
    sys.exit(1 if failures else 0)


def main():
    every = manifests.every()
    # The other checks presume what the schemas guarantee.
    invalid = [f"{title}: {text}" for title, objects in every.items() for text in manifests.schema_failures(objects)]
    if invalid:
        report(invalid)
    base = every["base"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        failures = monitoring.job_failures(folder)
        with pod.Server(base, folder) as server:
            print("the server runs as in the pod" if server.is_confined else "not root: the server runs without confinement")
            ready = server.ready_bytes()
            print(f"resident memory when ready: {ready / 1e6:.0f} MB")
            failures += server.failures(base)
            failures += monitoring.rule_failures(server)
            for title, objects in every.items():
                if any(each["kind"] == "Deployment" for each in objects):
                    found = rules.failures(objects, ready) + pod.check_options(objects, folder)
                    failures += [f"{title}: {text}" for text in found]
                print(f"{title}: {len(objects)} objects checked")
            failures += mistake_failures(base, ready, folder, server)
        if server.process.returncode != 0:
            failures.append(f"the exit status after SIGTERM is {server.process.returncode}")
    report(failures)


if __name__ == "__main__":
    main()
