"""Pages of the law: what each article became, and every workflow's table with its diagram."""

from bus.reference.markdown import table
from compliance.articles import articles
from compliance.diagram import actors, clocks, diagram
from compliance.workflow import NEW, Workflow
from compliance.workflows import WORKFLOWS

_STATES = {"BUILT": "built", "PARTLY": "built in part", "PLANNED": "planned", "NONE": "nothing for software"}


def articles_page() -> str:
    """Article → behaviour → code → test → state."""
    rows = [
        (
            str(row.article),
            row.zh,
            row.behaviour,
            ", ".join(f"[{path}](../{path})" for path in row.code) or "–",
            ", ".join(f"[{path}](../{path})" for path in row.tests) or "–",
            _STATES[row.state] + (f": {row.reason}" if row.reason else ""),
        )
        for row in articles()
    ]
    intro = (
        "The 62 articles of 惠州市政务信息资源共享管理办法 (second consultation draft of 2016-11-29). "
        "*Assumption* marks what its text does not say."
    )
    return table(
        "The regulation, article by article", intro, ("Art", "关于", "behaviour", "code", "tests", "state"), rows
    )


def workflows_page() -> str:
    """Every workflow: its states, its diagram, and who may do what, when, under which article."""
    lines = [
        "# Workflows\n",
        "A workflow is a table in `compliance/workflows/`; nothing else is possible. ⏱ marks what a clock's end takes by itself.\n",
    ]
    for workflow in sorted(WORKFLOWS.values(), key=lambda table: table.code):
        lines += [f"## {workflow.zh} `{workflow.code}`\n", f"{workflow.en.capitalize()}; Art {workflow.articles}.\n"]
        lines += ["```mermaid", diagram(workflow), "```\n", *_transitions(workflow), ""]
    return "\n".join(lines)


def _transitions(workflow: Workflow) -> list[str]:
    lines = ["| action | from | to | who | form | clocks | Art |", "|---|---|---|---|---|---|---|"]
    for row in workflow.transitions:
        cells = (
            f"`{row.action}` {row.zh}, {row.en}",
            ", ".join(source if source != NEW else "–" for source in row.sources),
            ", ".join(row.targets),
            actors(row),
            ", ".join(row.form.model_fields) if row.form is not None else "–",
            clocks(row) or "–",
            row.article,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines
