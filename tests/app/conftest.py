"""What the tests of the App share; where one fails, a look at the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_benchmark import benchmark, cache, dataset, predicted, results

__all__ = ["benchmark", "cache", "dataset", "predicted", "results"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a picture of the page and its text with the report of a failure."""
    report = yield
    _, page = getattr(item, "funcargs", {}).get("app") or (None, None)
    if page is not None and report.when == "call" and report.failed:
        import browser

        picture = browser.keep_picture(page, f"failed-{item.name}")
        text = f"{picture}\n{page.inner_text('body')}"
        report.sections.append(("what the page showed", text))
    return report
