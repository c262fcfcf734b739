"""A test case with a browser that shows the page of a real dia-server, and what tests read and do there."""

import base64
import contextlib
import http.client
import json
import pathlib
import sys
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402
from proxy import Proxy  # noqa: E402


def start_browser(folder):
    """Starts Chromium, which downloads into `folder`."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    options.add_experimental_option("prefs", {"download.default_directory": folder})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    browser.set_script_timeout(60)
    return browser


class PageTest(unittest.TestCase):
    """A test with the page freshly loaded, through the proxy."""

    @classmethod
    def open(cls):
        """Starts the server, the proxy and the browser that all tests use."""
        cls.folder = tempfile.TemporaryDirectory()
        cls.server = dia_testing.Server("--default-model", "phantom")
        cls.proxy = Proxy(cls.server.port)
        cls.browser = start_browser(cls.folder.name)

    @classmethod
    def close(cls):
        cls.browser.quit()
        cls.server.stop()
        cls.folder.cleanup()

    def setUp(self):
        self.proxy.reset()
        self.proxy.paths.clear()
        self.size(1280, 1000)
        self.browser.get(self.proxy.url)
        self.browser.get_log("browser")
        self.wait(lambda: self.find("#model option"))

    def tearDown(self):
        self.proxy.reset()

    def wait(self, condition, seconds=30):
        return WebDriverWait(self.browser, seconds, 0.05).until(lambda _: condition())

    def find(self, selector, within=None):
        return next(iter((within or self.browser).find_elements(By.CSS_SELECTOR, selector)), None)

    def cards(self):
        return self.browser.find_elements(By.CSS_SELECTOR, ".card")

    def card(self, name):
        return self.wait(lambda: next((card for card in self.cards() if self.find("h3", card).text == name), None))

    def part(self, card, name):
        return self.find(f"[data-is={name}]", card)

    def text(self, card, name):
        return self.part(card, name).get_attribute("textContent").strip()

    def press(self, card, action):
        buttons = card.find_elements(By.CSS_SELECTOR, f"[data-do={action}]")
        next(button for button in buttons if button.is_displayed()).click()

    def phase(self, card):
        return card.get_attribute("data-phase")

    def finished(self, card, phase="done"):
        self.wait(lambda: self.phase(card) == phase)

    def answer(self, card):
        return json.loads(self.part(card, "raw").find_element(By.TAG_NAME, "pre").get_attribute("textContent"))

    def choose(self, *paths):
        self.find("#file").send_keys("\n".join(str(path) for path in paths))

    def write(self, name, data):
        path = pathlib.Path(self.folder.name, name)
        path.write_bytes(data)
        return path

    def select(self, element, value):
        self.browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
            element, value)

    def give(self, kind, name, data):
        """Drops or pastes a file."""
        self.browser.execute_script("""
            const bytes = Uint8Array.from(atob(arguments[2]), c => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], arguments[1], {type: "image/png"}));
            const event = arguments[0] === "drop" ? new DragEvent("drop", {dataTransfer: transfer, bubbles: true})
              : new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true});
            document.body.dispatchEvent(event);""", kind, name, base64.b64encode(data).decode())

    def size(self, width, height):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def scheme(self, name):
        features = {"prefers-color-scheme": name, "prefers-reduced-motion": "reduce"}
        self.browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": n, "value": v} for n, v in features.items()]})

    def direct(self, path, model="phantom", query=""):
        """Scores a file without the page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        with contextlib.closing(connection):
            headers = {"Content-Type": "image/png"}
            connection.request("POST", f"/v1/models/{model}/score{query}", path.read_bytes(), headers)
            return json.load(connection.getresponse())
