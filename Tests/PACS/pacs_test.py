#!/usr/bin/env python3
"""Tests dia orthanc with Orthanc, storescu, dciodvfy, pydicom and highdicom. Needs root, for a network namespace.

    Tests/PACS/setup.sh
    .build/pacs-venv/bin/python Tests/PACS/pacs_test.py [--instances 500] [--kills 20] [--only NAME]

Orthanc binds all addresses, so everything runs in a network namespace and a process namespace of its own: nothing can be
reached from outside, and nothing is left when the test ends.
"""

import argparse
import copy
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings

import numpy as np
import pydicom
from pydicom.uid import UID

from stack import (BIN, DICOM_PORT, MODEL, REST_PORT, ROOT, Orthanc, Server, Sidecar, TLSProxy, known_scores, wait_until)

FIXTURES = ROOT / "Tests/DICOMTests/Files"
ALL = [{"model": "gray-pad"}]
TOLERANCE = 1e-4
RAW_FILE = 300 << 20


def identified(source, number, folder, **attributes):
    """Writes a copy of a DICOM file with UIDs of its own, and returns its path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = copy.deepcopy(source) if isinstance(source, pydicom.Dataset) else pydicom.dcmread(source, force=True)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = UID(f"2.25.{10**12 + number}")
        data.StudyInstanceUID, data.SeriesInstanceUID = f"2.25.{2 * 10**12 + number}", f"2.25.{3 * 10**12 + number}"
        for name, value in attributes.items():
            setattr(data, name, value)
        path = folder / f"{number:06}.dcm"
        data.save_as(path)
    return path


def renamed(source, number, folder):
    """The same for a defective file, whose UID is replaced by another of the same length."""
    path = folder / f"{number:06}.dcm"
    path.write_bytes(source.read_bytes().replace(b"2.25.17\0", b"2.25.%03d" % (number + 100)))
    return path


def radiograph(seed):
    """A made-up image, a different one for each seed."""
    made = pydicom.dcmread(FIXTURES / "gray-8.dcm")
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    generator = np.random.default_rng(seed)
    rows, columns = made.Rows, made.Columns
    y, x = np.mgrid[0:rows, 0:columns]
    wave = np.sin(x / generator.uniform(2, 9) + generator.uniform(0, 6)) + np.cos(y / generator.uniform(2, 9))
    pixels = 127 + 60 * wave + generator.normal(0, generator.uniform(0, 20), wave.shape)
    made.PixelData = np.clip(pixels, 0, 255).astype(np.uint8).tobytes()
    return made


def same(mark, known):
    return mark and known and abs(mark["normality"] - known["normality"]) <= TOLERANCE * max(1, abs(known["normality"]))


def store(paths, *options):
    """Sends files with storescu (uncompressed) or dcmsend (any transfer syntax)."""
    explicit, others = [], []
    for path in paths:
        syntax = pydicom.dcmread(path, stop_before_pixels=True, force=True).file_meta.TransferSyntaxUID
        (explicit if syntax == "1.2.840.10008.1.2.1" else others).append(str(path))
    if explicit:
        subprocess.run(["storescu", *options, "-aet", "MODALITY", "127.0.0.1", str(DICOM_PORT), *explicit], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if others:
        subprocess.run(["dcmsend", "--decompress-never", "-aet", "MODALITY", "127.0.0.1", str(DICOM_PORT), *others],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Stack:
    """Orthanc, dia-server and the sidecar in a folder of their own."""

    def __init__(self, rules=ALL, options=(), state=None, address=f"http://127.0.0.1:{REST_PORT}", **orthanc):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pacs-", dir=ROOT / ".build"))
        self.orthanc = Orthanc(self.folder, **orthanc)
        self.server = Server(self.folder)
        self.sidecar = Sidecar(self.folder, rules, state, options, orthanc=address)
        self.files = self.folder / "files"
        self.files.mkdir()

    def __enter__(self):
        for each in (self.orthanc, self.server, self.sidecar):
            each.start()
        return self

    def __exit__(self, kind, *_):
        for each in (self.sidecar, self.server, self.orthanc):
            each.kill()
        if kind:
            for each in (self.sidecar, self.server, self.orthanc):
                print(f"--- the end of {each.log}\n" + each.text()[-3000:])
        else:
            shutil.rmtree(self.folder)

    def instance(self, path):
        """The id in Orthanc of a file."""
        uid = pydicom.dcmread(path, stop_before_pixels=True, force=True).SOPInstanceUID
        found = json.loads(self.orthanc.request("POST", "/tools/lookup", str(uid).encode())[1])
        return next((each["ID"] for each in found if each["Type"] == "Instance"), None)

    def settle(self, seconds=120):
        """Waits until the position is that of the last change."""
        def is_settled():
            # The results are changes too, so the position must be the last one twice.
            last = self.orthanc.get("/changes?last")["Last"]
            return self.sidecar.position() >= last
        wait_until(is_settled, seconds, "everything is worked off")


def test_kinds(_):
    """Files of every kind are scored as by dia score; defective ones do not hold up the others."""
    with Stack(options=("--attempts", "2")) as stack:
        good, bad = [], []
        for number, source in enumerate(sorted(FIXTURES.glob("*.dcm"))):
            if "TransferSyntaxUID" not in pydicom.dcmread(source, force=True).file_meta:
                continue  # cannot be sent
            if source.name.startswith("bad-"):
                bad.append(renamed(source, number, stack.files))
            else:
                good.append(identified(source, number, stack.files))
        known = known_scores(good)
        for path in bad:
            stack.orthanc.request("POST", "/instances", path.read_bytes())
        # DCMTK's tools convert big-endian files, and swap the bytes of 32-bit pixels as if they were of 16 bits.
        deep = [path for path in good if pydicom.dcmread(path, force=True).get("BitsAllocated") == 32]
        store([path for path in good if path not in deep])
        for path in deep:
            stack.orthanc.add(path.read_bytes())
        stack.settle()
        wrong = [path for path in good if not same(stack.orthanc.mark(stack.instance(path)), known[str(path)])]
        names = sorted(source.name for source in FIXTURES.glob("*.dcm"))
        expected = [path for path in good if known[str(path)]]
        assert len(expected) > 40, len(expected)
        assert not [path for path in wrong if known[str(path)]], [names[int(path.stem)] for path in wrong]
        letters = stack.sidecar.dead_letters()
        assert letters, "the defective files are dead letters"
        log = stack.sidecar.text()
        for secret in ("SECRET", "19010203", "2.25.", "bersicht"):
            assert secret not in log and secret not in str(letters), f"'{secret}' is in the log"
        # An attachment has the complete result, with how the image was rendered.
        complete = stack.orthanc.attachment(stack.instance(expected[0]))
        assert complete["result"]["model"]["name"] == "gray-pad" and "provenance" in complete["result"], complete
        assert "method" in complete["rendering"] and "not for diagnosis" in complete["notice"], complete
        # Trying a dead letter again ends in a dead letter.
        first = sorted(letters)[0]
        subprocess.run([BIN / "dia", "orthanc", "dead-letters", "--state", stack.sidecar.state, "--requeue", first],
                       check=True)
        assert first not in stack.sidecar.dead_letters()
        wait_until(lambda: first in stack.sidecar.dead_letters(), 60, "a dead letter is tried again")
        status, text = stack.sidecar.status("/metrics")
        written = int(text.split('dia_orthanc_instances_total{outcome="written"} ')[1].split()[0])
        # Some defects do not concern the first frame.
        assert status == 200 and len(expected) <= written < len(expected) + len(bad), written
        assert stack.sidecar.status("/readyz")[0] == 200
        assert stack.sidecar.stop() == 0, "SIGTERM ends the sidecar in good order"
        return f"{len(expected)} files scored, {len(letters)} dead letters"


def test_outputs(_):
    """The structured report and the Secondary Capture are valid, in the same study, and always the same."""
    import highdicom
    with Stack(rules=[{"model": "gray-pad", "outputs": ["sr", "sc"]}]) as stack:
        sources = ["dx-monochrome1", "ct-signed", "frames", "us-rgb", "gray-8"]
        paths = [identified(FIXTURES / f"{name}.dcm", 100 + place, stack.files) for place, name in enumerate(sources)
                 if (FIXTURES / f"{name}.dcm").exists()]
        known = known_scores(paths)
        store(paths)
        stack.settle()
        files = {}
        for path in paths:
            instance = stack.instance(path)
            source = pydicom.dcmread(path)
            mark = stack.orthanc.mark(instance)
            assert same(mark, known[str(path)]) and mark["outputs"] == ["sr", "sc"], mark
            study = stack.orthanc.get(f"/instances/{instance}/study")["ID"]
            instances = [each["ID"] for each in stack.orthanc.get(f"/studies/{study}/instances")]
            assert len(instances) == 3, instances
            for each in instances:
                if each != instance:
                    files[each] = check_object(stack, each, source, known[str(path)], highdicom)
                    assert stack.orthanc.mark(each) is None, "results are not scored"
        # Without the marks, everything is written again: the same objects with the same bytes.
        stack.sidecar.stop()
        for path in paths:
            stack.orthanc.request("DELETE", f"/instances/{stack.instance(path)}/metadata/4101")
        shutil.rmtree(stack.sidecar.state)
        stack.sidecar.start()
        for path in paths:
            wait_until(lambda: stack.orthanc.mark(stack.instance(path)), 60, "results are written again")
        stack.settle()
        assert len(stack.orthanc.get("/instances")) == 3 * len(paths)
        for each, data in files.items():
            assert stack.orthanc.file(each) == data, "an object has changed"
        study = stack.orthanc.get(f"/instances/{stack.instance(paths[0])}/study")["ID"]
        text = subprocess.run([BIN / "dia", "orthanc", "check-rules", stack.sidecar.rules, "--study", study], check=True,
                              capture_output=True, text=True).stdout
        assert "scored by gray-pad" in text and "a result of this program" in text and "structured report" in text, text
        return f"{len(files)} objects valid"


def check_object(stack, instance, source, known, highdicom):
    """Checks one object with dciodvfy, pydicom and highdicom; returns its bytes."""
    data = stack.orthanc.file(instance)
    path = stack.folder / "object.dcm"
    path.write_bytes(data)
    report = subprocess.run(["dciodvfy", path], capture_output=True, text=True)
    errors = [line for line in (report.stdout + report.stderr).splitlines() if line.startswith("Error")]
    # Errors of the patient and the study are those of the image, which has made-up identifiers.
    assert not errors, errors
    made = pydicom.dcmread(path)
    for name in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "SpecificCharacterSet"):
        assert made.get(name) == source.get(name), name
    assert made.SOPInstanceUID.startswith("2.25.") and made.SOPInstanceUID.is_valid
    assert "not for diagnosis" in made.SeriesDescription
    if made.Modality == "SR":
        report = highdicom.sr.srread(path)
        groups = report.content.get_image_measurement_groups()
        assert len(groups) == 1, groups
        numbers = {each.name.meaning: float(each.value) for each in groups[0].get_measurements()}
        assert abs(numbers["Normality"] - known["normality"]) <= TOLERANCE * max(1, abs(known["normality"])), numbers
        if known.get("p_value") is not None:
            assert abs(numbers["Conformal p-value"] - known["p_value"]) <= TOLERANCE, numbers
        evidence = made.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
        assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    else:
        pixels = made.pixel_array
        assert pixels.ndim == 3 and pixels.shape[2] == 3 and pixels[-20:].max() == 255, pixels.shape
        assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    return data


def test_kills(arguments):
    """Kills of all processes while instances arrive: each has exactly one result, the right one."""
    rules = [{"model": "gray-pad", "outputs": ["sr"] if arguments.with_reports else []}]
    with Stack(rules=rules, options=("--attempts", "50")) as stack:
        paths = [identified(radiograph(seed), 1000 + seed, stack.files) for seed in range(arguments.instances)]
        known = known_scores(paths)
        assert len({round(each["normality"], 6) for each in known.values()}) > 0.9 * len(paths), "distinct scores"
        finished = threading.Event()
        generator = random.Random(1)
        counts = {}

        def kill_in_turn():
            for number in range(arguments.kills):
                # Over the time in which the instances arrive.
                if finished.wait(generator.uniform(0.2, 1.2)):
                    pass
                each = (stack.sidecar, stack.orthanc, stack.server)[number % 3]
                each.kill()
                finished.wait(generator.uniform(0, 0.3))
                each.start()
                counts[each.name] = counts.get(each.name, 0) + 1

        killer = threading.Thread(target=kill_in_turn)
        killer.start()
        pause = 0.7 * arguments.kills / max(1, len(paths))
        for path in paths:
            while True:
                # A modality sends again until the archive has the image.
                try:
                    stack.orthanc.add(path.read_bytes())
                    break
                except (OSError, AssertionError, ValueError, __import__("http").client.HTTPException):
                    time.sleep(0.1)
            time.sleep(pause)
        killer.join()
        finished.set()
        stack.settle(300)
        instances = stack.orthanc.get("/instances")
        expected = len(paths) * (2 if arguments.with_reports else 1)
        assert len(instances) == expected, (len(instances), expected)
        wrong = [path.name for path in paths if not same(stack.orthanc.mark(stack.instance(path)), known[str(path)])]
        assert not wrong, f"{len(wrong)} of {len(paths)}: {wrong[:5]}"
        for path in paths:
            complete = stack.orthanc.attachment(stack.instance(path))["result"]
            assert same(complete, known[str(path)]), path
        assert not stack.sidecar.dead_letters()
        return f"{len(paths)} instances, {sum(counts.values())} kills {counts}, each has its own result"


def test_replaced(_):
    """An image that is replaced has the result of the new one; deleted ones leave nothing."""
    with Stack(rules=[{"model": "gray-pad", "outputs": ["sr"]}], CheckRevisions=True) as stack:
        first = identified(radiograph(1), 1, stack.files)
        old = known_scores([first])[str(first)]
        instance = stack.orthanc.add(first.read_bytes())
        wait_until(lambda: same(stack.orthanc.mark(instance), old), 60, "the first result")
        # Replaced again and again while it is scored: the last one counts.
        for seed in range(2, 30):
            path = identified(radiograph(seed), 1, stack.files)
            assert stack.orthanc.add(path.read_bytes()) == instance
            time.sleep(0.03)
        known = known_scores([path])[str(path)]
        assert abs(known["normality"] - old["normality"]) > 1e-3
        wait_until(lambda: same(stack.orthanc.mark(instance), known), 60, "the result of the replaced image")
        stack.settle()
        assert same(stack.orthanc.mark(instance), known)
        assert len(stack.orthanc.get("/instances")) == 2, "reports of earlier images are removed"
        # Deleted while they are scored.
        deleted = []
        for seed in range(100, 140):
            instance = stack.orthanc.add(identified(radiograph(seed), seed, stack.files).read_bytes())
            time.sleep(0.01 * (seed % 8))
            status, body = stack.orthanc.request("DELETE", f"/instances/{instance}")
            assert status == 200, (status, body)
            deleted.append(instance)
        stack.settle()
        # The report of an image that was deleted after its result was complete is not the sidecar's to remove.
        complete = [each for each in deleted if f"info scored instance={each}" in stack.sidecar.text()]
        assert len(complete) < 30, "most are deleted before"
        left = stack.orthanc.get("/instances")
        kinds = [stack.orthanc.request("GET", f"/instances/{each}/metadata/SopClassUid")[1] for each in left]
        assert len(left) == 2 + len(complete) and not stack.sidecar.dead_letters(), (kinds, complete, stack.sidecar.dead_letters())
        return f"29 versions of an image, 40 deleted images, {len(complete)} of them after they were scored"


def test_disk_full(_):
    """With a full disk results are still written, and the position is stored when there is room again."""
    state = pathlib.Path(tempfile.mkdtemp(prefix="pacs-state-", dir=ROOT / ".build"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", state], check=True)
    try:
        with Stack(state=state / "dia") as stack:
            wait_until(lambda: stack.sidecar.status("/readyz")[0] == 200, 60, "ready")
            try:
                with open(state / "filler", "wb") as filler:
                    while True:
                        filler.write(b"x" * 512)
                        filler.flush()
            except OSError:
                pass
            paths = [identified(radiograph(seed), seed, stack.files) for seed in range(5)]
            known = known_scores(paths)
            for path in paths:
                stack.orthanc.add(path.read_bytes())
            for path in paths:
                wait_until(lambda: same(stack.orthanc.mark(stack.instance(path)), known[str(path)]), 60, "results")
            wait_until(lambda: stack.sidecar.status("/readyz")[0] == 503, 30, "not ready with a full disk")
            assert stack.sidecar.is_running
            (state / "filler").unlink()
            wait_until(lambda: stack.sidecar.status("/readyz")[0] == 200, 30, "ready with room")
            stack.settle()
            return "5 results with a full disk"
    finally:
        subprocess.run(["umount", "-l", state], check=True)
        state.rmdir()


def test_tls(_):
    """Orthanc with users and TLS; a wrong password or authority is a message, not a result."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pacs-tls-", dir=ROOT / ".build"))
    try:
        certificate = folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out",
                        certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        proxy = TLSProxy(8443, certificate, folder / "key.pem")
        (folder / "user").write_text("dia:secret-password\n")
        (folder / "wrong").write_text("dia:wrong-password\n")
        options = ("--orthanc-ca", certificate, "--orthanc-user-file", folder / "user")
        with Stack(options=options, address="https://localhost:8443", user=("dia", "secret-password")) as stack:
            path = identified(radiograph(1), 1, stack.files)
            instance = stack.orthanc.add(path.read_bytes())
            wait_until(lambda: same(stack.orthanc.mark(instance), known_scores([path])[str(path)]), 60, "the result")
            second = subprocess.run(stack.sidecar.command, capture_output=True, text=True, timeout=30)
            assert second.returncode != 0 and "another dia orthanc" in second.stderr, second.stderr
            stack.sidecar.stop()
            for wrong, text in ((("--orthanc-ca", certificate, "--orthanc-user-file", folder / "wrong"), "password"),
                                (("--orthanc-user-file", folder / "user"), "TLS")):
                other = Sidecar(stack.folder, ALL, options=wrong, name=f"wrong-{text}",
                                orthanc="https://localhost:8443")
                other.start()
                wait_until(lambda: text in other.text(), 30, f"a message about {text}")
                assert other.status("/readyz")[0] == 503
                assert other.stop() == 0
            for each in stack.folder.glob("*.log"):
                assert "secret-password" not in each.read_text(errors="replace"), each
            proxy.close()
            return "basic authentication and TLS"
    finally:
        shutil.rmtree(folder)


def test_large(_):
    """A file of 300 MB and one with 50 frames."""
    with Stack(rules=[{"when": {"modality": "CT"}, "skip": True}, {"model": "gray-pad", "frame": 1}],
               options=("--timeout", "300")) as stack:
        many = pydicom.dcmread(FIXTURES / "gray-8.dcm")
        frame = many.PixelData[:many.Rows * many.Columns]
        many.NumberOfFrames, many.PixelData = 50, frame * 50 + b"\0" * (len(frame) * 50 % 2)
        paths = [identified(many, 1, stack.files)]
        large = pydicom.dcmread(FIXTURES / "gray-8.dcm")
        large.NumberOfFrames, large.Rows, large.Columns = 75, 2048, 2048
        large.PixelData = (np.arange(2048 * 2048, dtype=np.uint32) % 251).astype(np.uint8).tobytes() * 75
        assert len(large.PixelData) >= RAW_FILE
        paths.append(identified(large, 2, stack.files))
        skipped = identified(radiograph(3), 3, stack.files, Modality="CT")
        known = known_scores(paths)
        for path in [skipped, *paths]:
            stack.orthanc.add(path.read_bytes())
        for path in paths:
            instance = stack.instance(path)
            first = known[str(path)] or wait_until(lambda: stack.orthanc.mark(instance), 120, "a result")
            wait_until(lambda: same(stack.orthanc.mark(instance), first), 120, "the result of a large file")
        stack.settle()
        assert stack.orthanc.mark(stack.instance(skipped)) is None
        return "50 frames, 300 MB"


def test_catch_up(_):
    """A store whose changes were cleared is worked off by its list, without a result written twice."""
    with Stack(options=("--catch-up", "instances")) as stack:
        stack.sidecar.kill()
        shutil.rmtree(stack.sidecar.state, ignore_errors=True)
        paths = [identified(radiograph(seed), seed, stack.files) for seed in range(60)]
        known = known_scores(paths)
        for path in paths[:50]:
            stack.orthanc.add(path.read_bytes())
        stack.orthanc.request("DELETE", "/changes")
        stack.sidecar.start()
        for path in paths[50:]:
            stack.orthanc.add(path.read_bytes())
        for path in paths:
            wait_until(lambda: same(stack.orthanc.mark(stack.instance(path)), known[str(path)]), 60, "the result")
        stack.settle()
        return "50 listed, 10 new"


def test_stow(_):
    """The objects are also sent to another archive by STOW-RS."""
    plugin = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
    with Stack(rules=[{"model": "gray-pad", "outputs": ["sr", "sc"]}],
               options=("--stow", "http://127.0.0.1:8043/dicom-web")) as stack:
        archive = Orthanc(stack.folder, name="archive", rest=8043, dicom=4243, Plugins=[plugin])
        try:
            archive.start()
            path = identified(FIXTURES / "dx-monochrome1.dcm", 1, stack.files)
            store([path])
            wait_until(lambda: stack.orthanc.mark(stack.instance(path)), 90, "the result")
            received = archive.get("/instances")
            assert len(received) == 2 and set(received) < set(stack.orthanc.get("/instances")), received
            return "2 objects"
        finally:
            archive.kill()


TESTS = [test_kinds, test_outputs, test_replaced, test_disk_full, test_tls, test_catch_up, test_stow, test_large, test_kills]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--with-reports", action="store_true", help="with structured reports in the test of kills")
    parser.add_argument("--only", help="the tests with this in their names")
    arguments = parser.parse_args()
    if "PACS_INSIDE" not in os.environ:
        os.environ["PACS_INSIDE"] = "1"
        inside = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable]
        os.execvp(inside[0], inside + sys.argv)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    failed = False
    for test in TESTS:
        if arguments.only and arguments.only not in test.__name__:
            continue
        began = time.monotonic()
        try:
            text = test(arguments)
            print(f"{test.__name__[5:]}: {text} ({time.monotonic() - began:.0f} s)", flush=True)
        except (AssertionError, subprocess.SubprocessError, OSError) as error:
            failed = True
            print(f"{test.__name__[5:]}: FAILED: {error} ({time.monotonic() - began:.0f} s)", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
