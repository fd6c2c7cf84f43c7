"""The count of meetings at the end of the run; works with pytest-xdist too."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

torch.set_warn_always(True)  # a warning that comes once hides the later ones
ORACLES = {
    "measured": "measured by an oracle of the function's own",
    "again": "the same bits in a second call",
    "precision": "as in float64, within the rounding of the type",
    "layout": "the same behind other strides",
    "rows": "the samples in another order",
    "plain": "NumPy's numbers as Python's",
}


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
        spoke = {k.removeprefix("oracle "): v for k, v in total.items() if "oracle" in k}
        terminalreporter.write_line(
            f"zoo: {functions} functions met {pairs} members: {total['verified']} verified, "
            f"{total['refused']} refused in words of ours"
        )
        for name, count in sorted(spoke.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"zoo: {count:6} {ORACLES[name]}")
