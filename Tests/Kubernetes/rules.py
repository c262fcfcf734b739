"""What must agree between the manifests, beyond the schemas: each check takes the objects and returns failures."""

import re

import yaml

import manifests

SUFFIXES = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def size(text):
    """Returns a quantity of memory in bytes."""
    number, suffix = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", text).groups()
    return int(number) * SUFFIXES[suffix]


def references(objects):
    """Selectors, names of ports and volumes, and the target of the autoscaler exist."""
    deployment, failures = manifests.of_kind(objects, "Deployment"), []
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    pod, container = manifests.pod(objects), manifests.container(objects)
    selectors = {
        "Deployment": deployment["spec"]["selector"]["matchLabels"],
        "Service": manifests.of_kind(objects, "Service")["spec"]["selector"],
        "PodDisruptionBudget": manifests.of_kind(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": manifests.of_kind(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    }
    selectors |= {
        each["topologyKey"]: each["labelSelector"]["matchLabels"] for each in pod["topologySpreadConstraints"]
    }
    for name, selector in selectors.items():
        if not selector or not selector.items() <= labels.items():
            failures.append(f"{name} selects {selector}, and the pods have the labels {labels}")
    target = manifests.of_kind(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    if (target["kind"], target["name"]) != ("Deployment", deployment["metadata"]["name"]):
        failures.append(f"the autoscaler scales {target}")
    if pod["serviceAccountName"] != manifests.of_kind(objects, "ServiceAccount")["metadata"]["name"]:
        failures.append("the service account of the pods does not exist")
    ports = {port["name"] for port in container["ports"]}
    used = {each["targetPort"] for each in manifests.of_kind(objects, "Service")["spec"]["ports"]}
    for rule in manifests.of_kind(objects, "NetworkPolicy")["spec"]["ingress"]:
        used |= {each["port"] for each in rule["ports"]}
    used |= {container[probe]["httpGet"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    if used != ports:
        failures.append(f"the ports {used} are used, and the container has {ports}")
    mounts = {mount["name"] for each in pod["containers"] + pod.get("initContainers", []) for mount in each["volumeMounts"]}
    if mounts != {volume["name"] for volume in pod["volumes"]}:
        failures.append(f"the volumes {mounts} are mounted, and the pod has {pod['volumes']}")
    if any(len(volume) != 2 for volume in pod["volumes"]):
        failures.append(f"a volume has more than one source: {pod['volumes']}")
    return failures


def stopping(objects):
    """The times of stopping fit together."""
    options, pod, failures = manifests.options(objects), manifests.pod(objects), []
    delay, drain = int(options["drain-delay-seconds"]), int(options["drain-seconds"])
    if pod["terminationGracePeriodSeconds"] < delay + drain + 5:
        failures.append("terminationGracePeriodSeconds is not 5 s longer than the drain")
    if drain < int(options["timeout-seconds"]):
        failures.append("--drain-seconds is shorter than --timeout-seconds")
    probe = manifests.container(objects)["readinessProbe"]
    if (probe["failureThreshold"] * (probe["periodSeconds"] + probe["timeoutSeconds"])) > delay:
        failures.append("--drain-delay-seconds ends before the readiness probe has failed")
    return failures


def hardening(objects):
    """The pods run without any privilege, and are told neither tokens nor services."""
    pod, failures = manifests.pod(objects), []
    expected = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if not expected.items() <= pod["securityContext"].items() or not pod["securityContext"]["runAsUser"]:
        failures.append(f"the security context of the pods is {pod['securityContext']}")
    for each in pod["containers"] + pod.get("initContainers", []):
        expected = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "privileged": False,
                    "readOnlyRootFilesystem": True}
        if each["securityContext"] != expected:
            failures.append(f"the security context of {each['name']} is {each['securityContext']}")
        if "memory" not in each["resources"]["limits"]:
            failures.append(f"{each['name']} has no memory limit")
    account = manifests.of_kind(objects, "ServiceAccount")
    if pod.get("automountServiceAccountToken") is not False or account.get("automountServiceAccountToken") is not False:
        failures.append("the pods get a token")
    if pod.get("enableServiceLinks") is not False:
        failures.append("services set variables of the environment, such as DIA_PORT")
    policy = manifests.of_kind(objects, "NetworkPolicy")["spec"]
    if set(policy["policyTypes"]) != {"Ingress", "Egress"} or policy["egress"]:
        failures.append("the network policy allows connections of the server")
    return failures


def resources(objects):
    """The requests and limits are those of the options."""
    container, options, failures = manifests.container(objects), manifests.options(objects), []
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    if requests["memory"] != limits["memory"]:
        failures.append("the server uses its memory limit, and requests another amount")
    if requests["cpu"] != options["threads"]:
        failures.append(f"--threads={options['threads']} and a request of {requests['cpu']} processors")
    return failures


def memory(objects, ready):
    """The memory limit is that of the formula in docs/operations.md, for `ready` bytes after the start."""
    options = manifests.options(objects)
    needed = ready + int(options["max-held-bytes"]) + (128 << 10) * int(options["max-connections"]) + 64_000_000
    limit = size(manifests.container(objects)["resources"]["limits"]["memory"])
    return [f"the memory limit is {limit}, and the server needs {needed}"] if limit < needed else []


def scaling(objects):
    """The autoscaler uses metrics that the rules of prometheus-adapter make."""
    text = (manifests.FOLDER / "monitoring/prometheus-adapter.yaml").read_text()
    made = {rule["name"]["as"] for rule in yaml.safe_load(text)["rules"]}
    autoscaler = manifests.of_kind(objects, "HorizontalPodAutoscaler")["spec"]
    used = {metric["pods"]["metric"]["name"] for metric in autoscaler["metrics"]}
    return [] if used == made else [f"the autoscaler uses the metrics {used}, and the adapter makes {made}"]


def failures(objects, ready):
    """Returns the failures of the schemas or, for objects that the schemas allow, of all checks."""
    if found := manifests.schema_failures(objects):
        return found
    for check in (references, stopping, hardening, resources, scaling):
        found += check(objects)
    return found + memory(objects, ready)
