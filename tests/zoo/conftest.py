"""The count of meetings at the end of the run; works with pytest-xdist too."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    total: Counter[str] = Counter()
    functions = 0
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "call":
                continue
            counts = dict(report.user_properties)
            functions += "verified" in counts
            total.update({k: v for k, v in counts.items() if isinstance(v, int)})
    if functions:
        pairs = total["verified"] + total["refused"]
        terminalreporter.write_line(
            f"zoo: {functions} functions met {pairs} members: {total['verified']} verified "
            f"({total['measured']} of them measured), {total['refused']} refused in words of ours"
        )
