import numpy as np
import pytest
from export_scripts import EXPORT, load_script


@pytest.fixture(scope="session")
def edit_photo():
    return load_script(EXPORT / "mobile" / "edit_photo.py")


@pytest.fixture(scope="session")
def random_photo():
    """Makes a photo of random pixels."""

    def make(height, width, seed=0):
        return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)

    return make


@pytest.fixture(scope="module")
def chromium():
    return load_script(EXPORT / "web" / "chromium.py")


@pytest.fixture(scope="module")
def address(chromium):
    with chromium.serving() as address:
        yield address


@pytest.fixture(scope="module")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(chromium, playwright):
    with chromium.launched(playwright) as browser:
        yield browser


@pytest.fixture
def page(browser, address):
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page
