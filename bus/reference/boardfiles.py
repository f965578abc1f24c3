"""The boards as files below `deploy/`: Grafana's dashboards, and Prometheus' console templates where there is no Grafana.

`python -m bus.reference.boardfiles deploy` writes them; `make docs` does, and a test holds them up to date.
"""

import html
import json
import sys
from pathlib import Path
from typing import Any

from bus.reference.boards import BOARDS, Board, Panel

DATASOURCE = "exchange-bus"
_COLUMNS = 24
_WIDE, _NARROW = 12, 8
_HIGH, _LOW = 8, 6
# Prometheus' own functions; Grafana does the same by the unit's name.
_HUMAN = {"s": "humanizeDuration", "percentunit": "humanizePercentage"}


def files() -> dict[str, str]:
    """Every file of the boards, by its path below `deploy/`."""
    found = {"prometheus/consoles/index.html": _index()}
    for board in BOARDS:
        dashboard = json.dumps(grafana(board), ensure_ascii=False, indent=1, sort_keys=True)
        found[f"grafana/dashboards/{board.name}.json"] = dashboard + "\n"
        found[f"prometheus/consoles/{board.name}.html"] = console(board)
    return found


def write(folder: Path) -> None:
    """Write them below a folder."""
    for name, text in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


# -- Grafana -------------------------------------------------------------------------------------------------------


def grafana(board: Board) -> dict[str, Any]:
    """A board as Grafana's provisioning reads it."""
    panels: list[dict[str, Any]] = []
    x = y = 0
    high = 0
    for number, panel in enumerate(board.panels, 1):
        wide, tall = (_WIDE, _HIGH) if panel.shape == "curve" else (_NARROW, _LOW)
        if x + wide > _COLUMNS:
            x, y, high = 0, y + high, 0
        panels.append(_grafana_panel(panel, number, {"x": x, "y": y, "w": wide, "h": tall}))
        x, high = x + wide, max(high, tall)
    return {
        "uid": f"exchange-bus-{board.name}",
        "title": f"{board.zh} · {board.en}",
        "tags": ["exchange-bus"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "15s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "panels": panels,
    }


def _grafana_panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    legend = " ".join(f"{{{{{label}}}}}" for label in panel.legend)
    number_shape = panel.shape == "number"
    source = {"type": "prometheus", "uid": DATASOURCE}
    target = {
        "refId": "A",
        "datasource": source,
        "expr": panel.query,
        "legendFormat": legend or panel.en,
        "instant": number_shape,
        "range": not number_shape,
    }
    # A figure is the last value; without this Grafana would average.
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name"} if number_shape else {}
    return {
        "id": number,
        "type": "stat" if number_shape else "timeseries",
        "title": f"{panel.zh} · {panel.en}",
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": options,
        "targets": [target],
    }


# -- Prometheus ----------------------------------------------------------------------------------------------------

_PAGE = """<!DOCTYPE html>
<html lang="zh">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="15">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 1rem; color: #222; }}
nav a {{ margin-right: 1rem; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: 1rem; }}
section {{ border: 1px solid #ccc; padding: 0.5rem 1rem; }}
h1 {{ font-size: 1.3rem; }}
h2 {{ font-size: 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: 0.1rem 0.5rem; border-top: 1px solid #eee; overflow-wrap: anywhere; }}
td.value, th.value {{ text-align: right; white-space: nowrap; }}
.firing {{ border-color: #b00; }}
</style>
</head>
<body>
<h1>{title}</h1>
<nav>{links}</nav>
<main>
{sections}
</main>
</body>
</html>
"""
_ALARMS = """<section class="firing">
<h2>正在告警 · Alarms firing</h2>
<table>
<tr><th>告警 · alarm</th><th>责任 · owner</th><th>对象 · about</th><th class="value">自 · since</th></tr>
{{ range query "sort(ALERTS_FOR_STATE and ignoring (alertstate) ALERTS{alertstate='firing'})" -}}
<tr><td>{{ .Labels.alertname }}</td><td>{{ .Labels.owner }}</td>\
<td>{{ .Labels.worker }} {{ .Labels.agency }} {{ .Labels.resource }} {{ .Labels.code }} {{ .Labels.holder }} \
{{ .Labels.article }} {{ .Labels.instance }}</td><td class="value">{{ .Value | humanizeTimestamp }}</td></tr>
{{ else -}}
<tr><td colspan="4">没有 · none</td></tr>
{{ end -}}
</table>
</section>"""


def console(board: Board) -> str:
    """A board as a console template: the figures now, each with a link to its curve."""
    sections = [_ALARMS, *(_section(panel) for panel in board.panels)]
    return _page(f"{board.zh} · {board.en}", sections)


def _index() -> str:
    return _page("政务信息资源共享总线 · Exchange bus", [_ALARMS])


def _page(title: str, sections: list[str]) -> str:
    links = "".join(
        f'<a href="{board.name}.html">{html.escape(board.zh.partition("：")[0])} · {html.escape(board.name)}</a>'
        for board in BOARDS
    )
    links += '<a href="/alerts">告警 · alerts</a>'
    return _PAGE.format(title=html.escape(title), links=links, sections="\n".join(sections))


def _section(panel: Panel) -> str:
    # A raw string of Go's templates: it has no escapes, and PromQL needs no backtick.
    query = f"`{panel.query}`"
    cells = "".join(f"<td>{{{{ .Labels.{label} }}}}</td>" for label in panel.legend)
    heads = "".join(f"<th>{label}</th>" for label in panel.legend)
    value = f"{{{{ .Value | {_HUMAN.get(panel.unit, 'humanize')} }}}}"
    columns = len(panel.legend) + 1
    return f"""<section>
<h2><a href="{{{{ graphLink {query} }}}}">{html.escape(panel.zh)} · {html.escape(panel.en)}</a></h2>
<table>
<tr>{heads}<th class="value">现在 · now</th></tr>
{{{{ range query {query} -}}}}
<tr>{cells}<td class="value">{value}</td></tr>
{{{{ else -}}}}
<tr><td colspan="{columns}">没有数据 · no data</td></tr>
{{{{ end -}}}}
</table>
</section>"""


if __name__ == "__main__":
    write(Path(sys.argv[1]))
