"""What the tests of the App share; where one fails, a look at the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from small_benchmark import benchmark, cache, dataset, predicted, results

if TYPE_CHECKING:
    import fiftyone as fo
    from playwright.sync_api import Browser, Page

__all__ = ["benchmark", "cache", "dataset", "predicted", "results"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a picture of the page and its text with the report of a failure."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if page is not None and report.when == "call" and report.failed:
        import browser

        picture = browser.keep_picture(page, f"failed-{item.name}")
        text = f"{picture}\n{page.inner_text('body')}"
        report.sections.append(("what the page showed", text))
    return report


@pytest.fixture(scope="session")
def window() -> Iterator[Browser]:
    """The browser of the run."""
    import browser

    with browser.window() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(
    demo: fo.Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Of the module's dataset in the App, which all its tests share."""
    import browser

    with browser.served(demo, tmp_path_factory.mktemp("elsewhere")) as address:
        yield address


@pytest.fixture
def page(
    window: Browser, address: str, demo: fo.Dataset, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A new page, in the layout that the module names."""
    import browser

    with browser.new_page(window, address) as page:
        browser.start_again(page, demo, getattr(request.module, "LAYOUT", None))
        yield page
