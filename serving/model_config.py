"""What tensorflow/serving reads as ``--model_config_file``."""

from collections.abc import Iterable
from typing import Final

CONFIG: Final = "models.config"


def model_config(names: Iterable[str], mount: str) -> str:
    """The newest version of each model in the folder that the server sees at `mount`."""
    entries = "".join(
        f"""\
  config {{
    name: "{name}"
    base_path: "{mount}/{name}"
    model_platform: "tensorflow"
    model_version_policy {{ latest {{ num_versions: 1 }} }}
  }}
"""
        for name in names
    )
    return f"# Written by `hematovision model`.\nmodel_config_list {{\n{entries}}}\n"
