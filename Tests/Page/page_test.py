#!/usr/bin/env python3
"""Tests the web page in Chromium against a real dia-server (make page-test).

    .build/page-venv/bin/python Tests/Page/page_test.py [-k NAME] [-v]

The page is loaded through a proxy under /dia/, which can hold or fail chosen requests. Screenshots are written to
.build/page-screenshots.
"""
import base64
import csv
import json
import pathlib
import struct
import subprocess
import unittest
import urllib.request
import zlib

import axe_core_python
import nginx
from page_case import ROOT, PageTest, dia_testing
from proxy import Proxy
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SCREENSHOTS = ROOT / ".build/page-screenshots"
AXE = (pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
LESION, NORMAL = ROOT / "examples/lesion.png", ROOT / "examples/normal.png"
# A detail that would run a script if it were inserted as markup.
MARKUP = '<img src="x" onerror="document.title = \'owned\'"><b>bold</b>'


def gray16(side, sample):
    """Returns a 16-bit gray PNG; `sample` is a function of x and y."""
    rows = b"".join(b"\0" + struct.pack(f">{side}H", *(sample(x, y) for x in range(side))) for y in range(side))
    chunk = dia_testing.png_chunk(b"IDAT", zlib.compress(rows))
    return dia_testing.png_file(dia_testing.png_header(side, side, 16, 0), chunk)


def problem(status, detail, **headers):
    """Returns an answer of the proxy with problem details."""
    fields = {"Content-Type": "application/problem+json", **headers}
    return status, fields, json.dumps({"status": status, "detail": detail}).encode()


def setUpModule():
    PageTest.open()


def tearDownModule():
    PageTest.close()


class Results(PageTest):
    def test_each_image_has_a_card_with_its_own_result(self):
        other = self.write("other.png", gray16(32, lambda x, y: 1000 * (x + y)))
        self.choose(LESION, other)
        self.give("drop", "dropped.png", NORMAL.read_bytes())
        self.give("paste", "pasted.png", LESION.read_bytes())
        given = {"lesion.png": LESION, "other.png": other, "dropped.png": NORMAL, "pasted.png": LESION}
        for name, path in given.items():
            card, expected = self.card(name), self.direct(path)
            self.finished(card)
            self.assertAlmostEqual(self.answer(card)["normality"], expected["normality"], delta=1e-4)
            words = {"atypical_input": "atypical input"}.get(expected["verdict"], expected["verdict"])
            self.assertEqual(self.text(card, "verdict"), words)
            self.assertIn("Research use only, not for diagnosis.", self.text(card, "caution"))
            gauge = self.part(card, "gauge")
            self.assertEqual(gauge.is_displayed(), expected["verdict"] != "atypical_input")
            if gauge.is_displayed():
                self.assertAlmostEqual(float(gauge.get_attribute("aria-valuenow")), expected["score"], delta=1e-3)
            reasons = (expected["input_check"] or {}).get("reasons", [])
            for reason in [] if expected["verdict"] != "atypical_input" else reasons:
                self.assertIn(reason, self.text(card, "check"))
        self.assertIn("not the probability", self.text(self.card("lesion.png"), "explanation"))

    def test_a_late_answer_is_not_shown_under_a_newer_request(self):
        held = self.proxy.add("/models/phantom/score", is_held=True)
        self.choose(LESION)
        card = self.card("lesion.png")
        self.assertTrue(held.arrived.wait(10))
        self.select(self.part(card, "model"), "breast")
        self.finished(card)
        self.assertEqual(self.answer(card)["model"]["name"], "breast")
        held.release()
        # An answer to a later request shows that the page has had the time to take the late one.
        self.choose(NORMAL)
        self.finished(self.card("normal.png"))
        self.assertEqual(self.answer(card)["model"]["name"], "breast")
        rows = self.browser.find_elements(By.CSS_SELECTOR, "#history-rows tr")
        self.assertEqual(len(rows), 2)

    def test_a_slow_first_image_does_not_take_the_answer_of_a_fast_second(self):
        held = self.proxy.add("/score", is_held=True)
        self.choose(LESION)
        self.assertTrue(held.arrived.wait(10))
        self.choose(NORMAL)
        slow, fast = self.card("lesion.png"), self.card("normal.png")
        self.finished(fast)
        self.assertEqual(self.phase(slow), "running")
        self.assertFalse(self.part(slow, "answer").is_displayed())
        held.release()
        self.finished(slow)
        for card, path in ((slow, LESION), (fast, NORMAL)):
            self.assertAlmostEqual(self.answer(card)["normality"], self.direct(path)["normality"], delta=1e-4)

    def test_the_answer_for_a_removed_image_is_discarded(self):
        held = self.proxy.add("/score", is_held=True)
        self.choose(LESION)
        self.assertTrue(held.arrived.wait(10))
        self.press(self.card("lesion.png"), "remove")
        held.release()
        self.choose(NORMAL)
        self.finished(self.card("normal.png"))
        self.assertEqual(len(self.cards()), 1)
        self.assertEqual(len(self.browser.find_elements(By.CSS_SELECTOR, "#history-rows tr")), 1)

    def test_a_failure_is_shown_as_text_and_can_be_retried(self):
        self.proxy.add("/score", answer=problem(422, MARKUP))
        self.choose(LESION)
        card = self.card("lesion.png")
        self.finished(card, "failed")
        self.assertEqual(self.text(card, "failure-text"), MARKUP)
        self.assertIsNone(self.find("[data-is=failure] img, [data-is=failure] b", card))
        self.press(card, "retry")
        self.finished(card)
        self.assertFalse(self.part(card, "failure").is_displayed())
        self.assertNotEqual(self.browser.title, "owned")

    def test_a_page_of_a_proxy_and_a_cut_connection_are_failures_too(self):
        self.proxy.add("/score", answer=(502, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>"))
        self.choose(LESION)
        card = self.card("lesion.png")
        self.finished(card, "failed")
        self.assertEqual(self.text(card, "failure-text"), "HTTP status 502 Bad Gateway")
        self.proxy.add("/score", answer="close", times=5)
        self.press(card, "retry")
        self.wait(lambda: "cannot be reached" in self.text(card, "failure-text"))
        self.proxy.reset()
        self.press(card, "retry")
        self.finished(card)

    def test_a_slow_request_says_so_and_can_be_retried(self):
        held = self.proxy.add("/score", is_held=True)
        self.choose(LESION)
        card = self.card("lesion.png")
        self.wait(lambda: "No answer yet after" in self.text(card, "waiting-text"))
        self.press(card, "retry")
        self.finished(card)
        held.release()

    def test_a_busy_server_is_asked_again(self):
        self.proxy.add("/score", answer=problem(503, "busy", **{"Retry-After": "1"}))
        self.choose(LESION)
        card = self.card("lesion.png")
        self.finished(card, "busy")
        self.finished(card)

    def test_a_file_that_is_not_a_png_fails_alone(self):
        self.choose(self.write("text.png", b"hello"), LESION)
        self.finished(self.card("text.png"), "failed")
        self.assertTrue(self.text(self.card("text.png"), "failure-text"))
        self.finished(self.card("lesion.png"))

    def test_a_model_without_figures_and_calibration_is_described(self):
        answer = {"models": [{
            "name": "bare", "version": "1", "digest": "sha256:00", "default": True,
            "evaluation": None, "calibration": None,
            "input": {"channels": 1, "width": 8, "height": 8}, "dissolve": {"timesteps": 1000, "default_t": 200},
            "score": {"method": "csi", "views": 1, "bank": 1}, "limits": {"pixels": 1e6, "body_bytes": 1 << 20},
        }]}
        self.proxy.add("/v1/models", answer=(200, {"Content-Type": "application/json"}, json.dumps(answer).encode()))
        score = self.direct(LESION) | dict.fromkeys(("verdict", "score", "p_value", "anomalous", "threshold"))
        self.proxy.add("/score", answer=(200, {"Content-Type": "application/json"}, json.dumps(score).encode()))
        self.browser.get(self.proxy.url)
        self.wait(lambda: "not been evaluated" in self.find("#model-evaluation").text)
        self.assertFalse(self.find("#model-bar").is_displayed())
        self.choose(LESION)
        card = self.card("lesion.png")
        self.finished(card)
        self.assertEqual(self.text(card, "verdict"), "no verdict")
        self.assertFalse(self.part(card, "gauge").is_displayed())
        self.assertIn("the model is not calibrated", self.text(card, "explanation"))

    def test_an_atypical_image_has_reasons_instead_of_a_verdict(self):
        self.choose(self.write("dark.png", gray16(32, lambda x, y: 100 + 3 * x + 2 * y)))
        card = self.card("dark.png")
        self.finished(card)
        check = self.answer(card)["input_check"]
        self.assertTrue(check["reasons"])
        self.assertIn("dark", check["reasons"][0])
        self.assertNotIn("blank", card.text)
        self.assertNotIn("calibrated.", self.text(card, "explanation"))
        self.assertIn("No verdict and no p-value: the image is not like", self.text(card, "explanation"))
        shown = [item.text for item in self.part(card, "check").find_elements(By.TAG_NAME, "li")]
        self.assertEqual(shown, check["reasons"])
        warnings = [item.text for item in self.part(card, "warnings").find_elements(By.TAG_NAME, "li")]
        self.assertEqual(warnings, self.answer(card)["image"]["warnings"])

    def test_a_model_with_too_few_calibration_images_has_a_p_value_but_no_verdict(self):
        score = self.direct(LESION) | dict.fromkeys(("verdict", "score", "anomalous", "threshold", "input_check"))
        self.proxy.add("/score", answer=(200, {"Content-Type": "application/json"}, json.dumps(score).encode()))
        self.choose(LESION)
        card = self.card("lesion.png")
        self.finished(card)
        self.assertIn("too few images for a threshold", self.text(card, "explanation"))
        self.assertIn("p-value", self.text(card, "numbers"))
        self.assertIn("Input check: none", self.text(card, "typical"))


class Views(PageTest):
    def pixels(self, card):
        return self.browser.execute_script(
            "const c = arguments[0]; return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)",
            self.find("canvas", card))

    def ready(self, card):
        self.finished(card)
        self.wait(lambda: self.find(".dissolving", card).is_displayed())

    def slide(self, element, value):
        self.browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", element, value)

    def test_the_slider_shows_dissolved_copies_without_further_requests(self):
        self.choose(LESION)
        card = self.card("lesion.png")
        self.ready(card)
        self.wait(lambda: any("/heatmap" in path for path in self.proxy.paths))
        asked, seen = len(self.proxy.paths), []
        for place in range(int(self.part(card, "slider").get_attribute("max")) + 1):
            self.slide(self.part(card, "slider"), place)
            seen.append(tuple(self.pixels(card)))
        self.assertGreater(len(seen), 8)
        self.assertEqual(len(set(seen)), len(seen))
        self.assertEqual(len(self.proxy.paths), asked)

    def test_the_heat_map_follows_the_slider_and_the_opacity(self):
        self.choose(LESION)
        card = self.card("lesion.png")
        self.ready(card)
        plain = self.pixels(card)
        self.part(card, "heat").click()
        self.wait(lambda: "t = 200:" in self.text(card, "map-state"))
        strong = self.pixels(card)
        self.slide(self.part(card, "opacity"), 0)
        self.assertEqual(self.pixels(card), plain)
        self.assertNotEqual(strong, plain)
        self.slide(self.part(card, "slider"), 2)
        self.wait(lambda: "t = 50:" in self.text(card, "map-state"))
        self.assertTrue(any("t=50&overlay=false" in path for path in self.proxy.paths))

    def test_a_failed_strip_leaves_the_score_and_can_be_retried(self):
        self.proxy.add("/dissolve", answer=problem(500, "out of order"))
        self.choose(LESION)
        card = self.card("lesion.png")
        self.wait(lambda: "out of order" in self.text(card, "picture-failure"))
        self.assertEqual(self.text(card, "verdict"), "anomalous")
        self.press(card, "retry-pictures")
        self.ready(card)

    def test_gray_levels_score_again_with_the_parameters(self):
        path = self.write("deep.png", gray16(32, lambda x, y: 100 + 3 * x + 2 * y))
        self.choose(path)
        card = self.card("deep.png")
        self.ready(card)
        self.find("summary", self.part(card, "levels")).click()
        self.press(card, "range")
        self.wait(lambda: self.part(card, "center").get_attribute("value") == "178")
        self.assertEqual(self.part(card, "width").get_attribute("value"), "156")
        self.part(card, "invert").click()
        self.find("form .primary", card).click()
        query = "?window_center=178&window_width=156&photometric=MONOCHROME1"
        self.wait(lambda: any(path.endswith("score" + query) for path in self.proxy.paths))
        self.ready(card)
        expected = self.direct(path, query=query)
        self.assertAlmostEqual(self.answer(card)["normality"], expected["normality"], delta=1e-4)
        self.assertEqual(self.answer(card)["rendering"], expected["rendering"])
        pixels = self.pixels(card)
        self.assertEqual((pixels[0], pixels[-4]), (255, 0))
        self.part(card, "width").clear()
        self.find("form .primary", card).click()
        self.assertIn("both", self.text(card, "levels-state"))

    def test_the_view_enlarges(self):
        self.choose(LESION)
        card = self.card("lesion.png")
        self.ready(card)
        self.press(card, "zoom-in")
        self.assertEqual(self.text(card, "zoom"), "200%")
        self.find(".viewport", card).send_keys("+")
        self.assertEqual(self.text(card, "zoom"), "400%")
        canvas, viewport = self.find("canvas", card), self.find(".viewport", card)
        self.assertGreater(canvas.size["width"], 3.5 * viewport.size["width"])


class Access(PageTest):
    def test_images_wait_for_the_key_and_then_run(self):
        made = subprocess.run([dia_testing.EXECUTABLE, "hash-key", "page"], capture_output=True, text=True, check=True)
        keys = self.write("keys", made.stdout.encode())
        with dia_testing.Server("--default-model", "phantom", "--api-keys", keys) as guarded:
            self.browser.get(Proxy(guarded.port).url)
            self.wait(lambda: self.find("#key-form").is_displayed())
            self.choose(LESION)
            card = self.card("lesion.png")
            self.assertEqual(self.text(card, "waiting-text"), "Waiting for an API key.")
            self.find("#key").send_keys("wrong" * 5, Keys.ENTER)
            self.wait(lambda: "did not accept" in self.find("#key-reason").text)
            self.find("#key").send_keys(made.stderr.strip(), Keys.ENTER)
            self.finished(card)
            self.assertFalse(self.find("#key-form").is_displayed())
            self.press(card, "curl")
            self.assertNotIn(made.stderr.strip(), self.part(card, "command").get_attribute("value"))
            self.assertIn("$DIA_KEY", self.part(card, "command").get_attribute("value"))

    def test_the_page_works_under_a_path_prefix_and_its_policy(self):
        self.find("#examples").click()
        self.finished(self.card("phantom-lesion.png"))
        self.finished(self.card("phantom-normal.png"))
        self.wait(lambda: sum("/heatmap" in path for path in self.proxy.paths) == 2)
        self.assertEqual([path for path in self.proxy.paths if not path.startswith("/dia/")], [])
        self.assertEqual([entry["message"] for entry in self.browser.get_log("browser")], [])

    @unittest.skipUnless(nginx.EXECUTABLE, "needs nginx")
    def test_the_page_works_behind_nginx(self):
        with nginx.start(self.server.port) as proxy:
            url = proxy.url + nginx.PATH
            # nginx completes the address with the slash that the relative addresses of the page need.
            self.browser.get(url.removesuffix("/"))
            self.assertEqual(self.browser.current_url, url)
            self.wait(lambda: self.find("#model option"))
            self.choose(LESION)
            card = self.card("lesion.png")
            self.finished(card)
            self.assertAlmostEqual(self.answer(card)["normality"], self.direct(LESION)["normality"], delta=1e-4)
            self.wait(lambda: self.find(".dissolving", card).is_displayed())
            self.part(card, "heat").click()
            self.wait(lambda: "t = 200:" in self.text(card, "map-state"))
            self.assertEqual([entry["message"] for entry in self.browser.get_log("browser")], [])
            with urllib.request.urlopen(self.find("footer a").get_attribute("href"), timeout=60) as description:
                self.assertIn(b"openapi: 3", description.read())

    def test_the_list_of_models_can_be_retried(self):
        self.proxy.add("/v1/models", answer=problem(503, MARKUP))
        self.browser.get(self.proxy.url)
        self.wait(lambda: MARKUP in self.find("#trouble-text").text)
        self.choose(LESION)
        self.find("#trouble-retry").click()
        self.finished(self.card("lesion.png"))


class Downloads(PageTest):
    def downloaded(self, button, name):
        self.find(button).click()
        path = pathlib.Path(self.folder.name, name)
        self.wait(path.exists)
        return path.read_text()

    def test_results_are_downloaded_as_csv_and_json(self):
        name = '=1+1, "a".png'
        self.give("drop", name, LESION.read_bytes())
        self.finished(self.card(name))
        rows = list(csv.DictReader(self.downloaded("#download-csv", "dia-results.csv").splitlines()))
        self.assertEqual(rows[0]["path"], "'" + name)
        self.assertEqual((rows[0]["model"], rows[0]["verdict"]), ("phantom", "anomalous"))
        results = json.loads(self.downloaded("#download-json", "dia-results.json"))
        self.assertAlmostEqual(results[0]["result"]["score"], float(rows[0]["score"]))

    def test_the_curl_command_gives_the_same_result(self):
        self.choose(LESION)
        card = self.card("lesion.png")
        self.finished(card)
        self.press(card, "curl")
        self.wait(lambda: self.text(card, "copied"))
        command = self.part(card, "command").get_attribute("value")
        made = subprocess.run(command, shell=True, cwd=LESION.parent, capture_output=True, check=True)
        self.assertAlmostEqual(json.loads(made.stdout)["normality"], self.answer(card)["normality"], delta=1e-4)


class Accessibility(PageTest):
    def focused(self):
        return self.browser.switch_to.active_element

    def type(self, *keys):
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()

    def tab_to(self, condition, limit=80):
        for _ in range(limit):
            self.type(Keys.TAB)
            if condition(self.focused()):
                return self.focused()
        raise AssertionError("not reached with the Tab key")

    def test_everything_can_be_done_with_the_keyboard(self):
        self.tab_to(lambda element: element.get_attribute("id") == "examples")
        self.type(Keys.ENTER)
        card = self.card("phantom-lesion.png")
        self.finished(card)
        self.wait(lambda: self.find(".dissolving", card).is_displayed())
        self.tab_to(lambda element: element.get_attribute("data-is") == "slider")
        self.type(Keys.ARROW_RIGHT)
        self.assertEqual(self.text(card, "step"), "t = 25")
        self.tab_to(lambda element: element.get_attribute("data-is") == "heat")
        self.type(Keys.SPACE)
        self.assertTrue(self.part(card, "opacity").is_displayed())
        self.tab_to(lambda element: element.get_attribute("data-do") == "remove")
        self.type(Keys.ENTER)
        self.assertEqual(len(self.cards()), 1)
        self.assertEqual(self.focused().get_attribute("data-do"), "remove")

    def fill(self):
        """Adds two examples and an atypical image."""
        self.find("#examples").click()
        self.choose(self.write("atypical-16-bit.png", gray16(64, lambda x, y: 600 + 40 * (x * y % 37))))
        for card in [self.card(name) for name in ("phantom-lesion.png", "phantom-normal.png", "atypical-16-bit.png")]:
            self.finished(card)
            self.wait(lambda: self.find(".dissolving", card).is_displayed())

    def audit(self):
        self.browser.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
        answer = self.browser.execute_cdp_cmd("Runtime.evaluate", {
            "expression": "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))",
            "awaitPromise": True, "returnByValue": True})
        found = json.loads(answer["result"]["value"])
        return [(rule["id"], rule["impact"], [node["html"][:200] for node in rule["nodes"]])
                for rule in found if rule["impact"] != "minor"]

    def test_axe_finds_nothing_and_nothing_overflows_in_light_and_dark(self):
        self.fill()
        self.proxy.add("/score", answer=problem(422, "The image has a size of 0 × 0 pixels."))
        self.choose(self.write("broken.png", LESION.read_bytes()))
        self.finished(self.card("broken.png"), "failed")
        self.part(self.card("phantom-lesion.png"), "heat").click()
        for details in self.browser.find_elements(By.TAG_NAME, "summary"):
            if details.is_displayed():
                details.click()
        for scheme in ("light", "dark"):
            for width in (1280, 390):
                with self.subTest(scheme=scheme, width=width):
                    self.scheme(scheme)
                    self.size(width, 1000)
                    self.assertEqual(self.audit(), [])
                    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
                    self.assertLessEqual(self.browser.execute_script(overflow), 0)

    def height_after_layout(self):
        """Waits for two frames, as the layout follows a new size in the first, and returns the height of the page."""
        return self.browser.execute_async_script("""
            const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done(document.body.offsetHeight)));""")

    def shoot(self, name, width):
        self.size(width, 1000)
        self.size(width, self.height_after_layout())
        self.height_after_layout()
        shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        (SCREENSHOTS / name).write_bytes(base64.b64decode(shot))

    def test_screenshots(self):
        """page.png is the picture in the README."""
        self.scheme("light")
        self.find("#examples").click()
        lesion = self.card("phantom-lesion.png")
        for card in (lesion, self.card("phantom-normal.png")):
            self.finished(card)
            self.wait(lambda: self.find(".dissolving", card).is_displayed())
        self.part(lesion, "heat").click()
        self.wait(lambda: "t = 200:" in self.text(lesion, "map-state"))
        self.shoot("page.png", 1280)
        self.find("#clear-history").click()
        for card in self.cards():
            self.press(card, "remove")
        self.fill()
        self.part(self.card("phantom-lesion.png"), "heat").click()
        self.wait(lambda: "t = 200:" in self.text(self.card("phantom-lesion.png"), "map-state"))
        for scheme in ("light", "dark"):
            for width in (1280, 390):
                self.scheme(scheme)
                self.shoot(f"{width}-{scheme}.png", width)


if __name__ == "__main__":
    unittest.main()
