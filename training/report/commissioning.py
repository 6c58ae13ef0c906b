"""What commissioning found, as a page for the lab's director and as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.report.render import environment


def write_report(findings: Mapping[str, Any], version: Path, parent: Path) -> Path:
    """Write report.html and findings.json into `parent`/<name>-<version>; the page's path.

    Args:
        findings: what `training.adaptation.commission.commission` returned.
        version: the folder that was written, or would have been.
        parent: folder of reports.
    """
    name = version.parent.name
    folder = parent / f"{name}-{version.name}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "findings.json").write_text(json.dumps(findings, indent=2) + "\n", encoding="utf-8")
    page = environment("commission.html").get_template("commission.html")
    path = folder / "report.html"
    path.write_text(page.render(findings, name=name, version=version.name), encoding="utf-8")
    return path
