"""Opens the example on a store (MONITOR_STORE) and goes through its choices, without a browser."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parent / "app.py")
SECONDS = 120


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(sys, "argv", [APP, os.environ["MONITOR_STORE"]])
    return AppTest.from_file(APP, default_timeout=SECONDS).run()


def charts(app: AppTest) -> int:
    return len(app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart"))


def test_shows_the_platform_an_application_and_a_metric(app: AppTest) -> None:
    assert not app.exception
    assert app.title[0].value == "ML platform"
    assert app.subheader[0].value.split(": ")[0].split(" ")[1] in ("critical", "warning", "healthy", "unmonitored")
    assert "Complete until" in app.caption[0].value
    application, metric = app.sidebar.selectbox
    # The worst application comes first.
    assert application.options[0].endswith(" (critical)")
    assert app.header[0].value == application.value
    assert charts(app) == 1
    assert metric.options


def test_another_application_and_metric_can_be_chosen(app: AppTest) -> None:
    application, _ = app.sidebar.selectbox
    last = application.options[-1].split(" (")[0]
    app = application.set_value(last).run()
    assert app.header[0].value == last
    metric = app.sidebar.selectbox[1]
    app = metric.set_value(metric.options[-1]).run()
    assert app.subheader[-1].value.startswith(metric.options[-1])
    assert not app.exception
    assert charts(app) == 1


def test_says_what_is_wrong_with_an_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", [APP, str(tmp_path)])
    app = AppTest.from_file(APP, default_timeout=SECONDS).run()
    assert "has no _latest.json: check the address" in app.error[0].value
    assert not app.exception
