"""The platform, one application and one metric of mlflow-monitor, from its published datasets.

streamlit run examples/streamlit/app.py -- data    (or s3://bucket/prefix; by default MONITOR_STORE, else ./data)
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta, timezone

import altair as alt
import pandas as pd
import streamlit as st

from mlflow_monitor_reader import MissingManifestError, Store

COLORS = {"critical": "#c62828", "warning": "#e09600", "invalid": "#7b1fa2", "healthy": "#2e7d32", "unmonitored": "#757575"}
DOTS = {"critical": ":red[●]", "warning": ":orange[●]", "healthy": ":green[●]"}
WORST_FIRST = ("critical", "invalid", "warning", "no_data", "healthy", "unmonitored")


@st.cache_data(ttl=60, show_spinner="Reading…")
def load(where: str, dataset: str, start: str, application: str | None, columns: tuple[str, ...]) -> tuple[pd.DataFrame, datetime | None, bool]:
    """The rows of a dataset, until when they are complete, and whether all are of one moment."""
    result = Store(where).read(dataset, start=start, application=application, columns=columns)
    return result.to_pandas(), result.watermark, result.consistent


def light_of(row: pd.Series) -> str:
    return f"{DOTS.get(row['light'], ':gray[●]')} {row['light']}: {row['light_reason']}"


def platform(where: str, start: str) -> None:
    columns = ("timestamp", "light", "light_reason", "total_runs", "pass_rate", "coverage")
    hours, watermark, consistent = load(where, "platform_summary", start, None, columns)
    if hours.empty:
        st.info("No run lies in these days.")
        st.stop()
    newest = hours.iloc[-1]
    st.subheader(light_of(newest))
    until = f"{watermark:%Y-%m-%d %H:%M} UTC" if watermark else "the first pipeline run has finished"
    st.caption(f"Complete until {until}." + ("" if consistent else " Some files are newer than others: reload for one moment."))
    runs, passed, coverage = st.columns(3)
    runs.metric("Runs", f"{hours['total_runs'].sum():,}")
    passed.metric("Pass rate of the last hour", percent(newest["pass_rate"]))
    coverage.metric("Coverage of the last hour", percent(newest["coverage"]))


def percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.0f} %"


def application(where: str, start: str) -> tuple[str, list[str]]:
    """The chosen application, and its metrics, the worst one first."""
    columns = ("timestamp", "application", "light", "light_reason", "metrics_summary")
    hours, _, _ = load(where, "application_summary", start, None, columns)
    newest = hours.sort_values("timestamp").groupby("application").tail(1).set_index("application").sort_index()
    names = sorted(newest.index, key=lambda name: (WORST_FIRST.index(newest.loc[name, "light"]), name))
    name = st.sidebar.selectbox("Application", names, format_func=lambda each: f"{each} ({newest.loc[each, 'light']})")
    st.header(name)
    st.write(light_of(newest.loc[name]))
    summary = pd.DataFrame.from_dict(newest.loc[name, "metrics_summary"], orient="index")
    if not summary.empty:
        st.dataframe(summary.drop(columns="display_name").rename_axis("metric"), width="stretch")
    statuses = summary["latest_status"].to_dict() if not summary.empty else {}
    return name, sorted(statuses, key=lambda each: (WORST_FIRST.index(statuses[each]), each))


def metric(where: str, start: str, name: str, names: list[str]) -> None:
    columns = (
        "timestamp", "run_name", "metric_name", "value", "status", "moving_avg", "forecast",
        "critical_threshold", "warning_threshold", "run_summary_metrics", "unit",
    )  # fmt: skip
    rows, _, _ = load(where, "metric_timeseries", start, name, columns)
    chosen = st.sidebar.selectbox("Metric", names or sorted(rows["metric_name"].unique()))
    rows = rows[rows["metric_name"] == chosen].copy()
    if rows.empty:
        st.info("No run lies in these days.")
        return
    # What the other metrics of the run were, for the tooltip of its point.
    rows["details"] = [", ".join(f"{key} {value:.4g}" for key, value in all_of.items() if value is not None) for all_of in rows["run_summary_metrics"]]
    unit = rows["unit"].dropna()
    st.subheader(f"{chosen} ({unit.iloc[-1]})" if len(unit) else chosen)
    ahead, _, _ = load(where, "metric_forecast", start, name, ("date", "timestamp", "metric_name", "forecast", "lower_95", "upper_95"))
    ahead = ahead[ahead["metric_name"] == chosen]
    ahead = ahead[ahead["date"] == ahead["date"].max()]
    st.altair_chart(chart(rows.drop(columns="run_summary_metrics"), ahead), width="stretch")
    st.caption("Points: runs by status. Lines: moving average, limits (dashed), the value expected from earlier runs (dotted). Band: the next values with 95 %.")


def chart(rows: pd.DataFrame, ahead: pd.DataFrame) -> alt.LayerChart:
    time = alt.X("timestamp:T", title=None, scale=alt.Scale(type="utc"))
    base = alt.Chart(rows).encode(time)
    value = alt.Scale(zero=False)
    status = alt.Color("status:N", scale=alt.Scale(domain=list(COLORS), range=list(COLORS.values())), legend=alt.Legend(title=None))
    tooltip = ["timestamp:T", "run_name:N", "value:Q", "status:N", "moving_avg:Q", "forecast:Q", "details:N"]
    layers = [
        base.mark_circle(size=36, opacity=0.7).encode(y=alt.Y("value:Q", scale=value, title=None), color=status, tooltip=tooltip),
        base.mark_line(color="#1565c0").encode(y="moving_avg:Q"),
        base.mark_line(color="#00838f", strokeDash=[1, 3], strokeWidth=1).encode(y="forecast:Q"),
        base.mark_line(color=COLORS["critical"], strokeDash=[6, 4]).encode(y="critical_threshold:Q"),
        base.mark_line(color=COLORS["warning"], strokeDash=[6, 4]).encode(y="warning_threshold:Q"),
    ]
    if not ahead.empty:
        future = alt.Chart(ahead).encode(time)
        layers.insert(0, future.mark_area(color="#00838f", opacity=0.15).encode(y="lower_95:Q", y2="upper_95:Q"))
        layers.append(future.mark_line(color="#00838f").encode(y="forecast:Q"))
    return alt.layer(*layers).properties(height=380).interactive()


def main() -> None:
    st.set_page_config(page_title="mlflow-monitor", layout="wide")
    where = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MONITOR_STORE", "data")
    st.title("ML platform")
    days = st.sidebar.slider("Days", 1, 90, 14)
    start = f"{datetime.now(timezone.utc) - timedelta(days=days):%Y-%m-%d}"
    try:
        platform(where, start)
        metric(where, start, *application(where, start))
    except MissingManifestError as error:
        st.error(str(error))


main()
