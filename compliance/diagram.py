"""A workflow's table as a diagram (Mermaid) and as rows for people, so that documents cannot drift from it."""

from compliance.workflow import NEW, Transition, Workflow


def diagram(workflow: Workflow) -> str:
    """The states and transitions as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {code}: {zh} {code}" for code, (zh, _) in workflow.states.items()]
    for transition in workflow.transitions:
        label = transition.action + (" ⏱" if transition.expiry_of else "")
        for source in transition.sources:
            lines += [
                f"    {source if source != NEW else '[*]'} --> {target}: {label}" for target in transition.targets
            ]
    lines += [f"    {code} --> [*]" for code in workflow.states if code in workflow.ends]
    return "\n".join(lines)


def actors(transition: Transition) -> str:
    """Who may take a transition, in Chinese and English."""
    return "; ".join(f"{by.zh} {by.en}" for by in transition.by)


def clocks(transition: Transition) -> str:
    """Which clocks a transition starts, stops or is taken by."""
    words = [f"starts {start.clock} ({start.owes.value.lower()})" for start in transition.starts]
    words += [f"stops {clock}" for clock in transition.stops]
    if transition.expiry_of is not None:
        words.append(f"taken by itself when {transition.expiry_of} is over")
    return "; ".join(words)
