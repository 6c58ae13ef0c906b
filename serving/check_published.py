"""``python -m serving.check_published --model-base FOLDER --publisher FILE``: is all there published?

The step before the start of tensorflow/serving, which loads whatever it finds: every version must have been
signed by the publisher and be unchanged since, and ``models.config`` lead to those versions and nowhere else.
Exits with 0 if so, else with 1 and the reason. The embedded server looks itself, at all that it loads.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from serving.contract import ModelFolderError
from serving.manifest import Verifier, check
from serving.model_config import CONFIG, model_config


def check_all(base: Path, publisher: Verifier, mount: str) -> int:
    """Check every version under `base`, which tensorflow/serving sees at `mount`; how many there are.

    Raises ModelFolderError when one is not as it was published, or ``models.config`` is not ours.
    """
    names, count = [], 0
    for model in sorted(_folders(base)):
        versions = [folder for folder in _folders(model) if folder.name.isdecimal()]
        for folder in versions:
            check(folder, publisher.files(folder, model.name, int(folder.name)))
        count += len(versions)
        if versions:
            names.append(model.name)
    if (base / CONFIG).read_text(encoding="utf-8") != model_config(names, mount):
        raise ModelFolderError(f"{base / CONFIG} does not lead to {', '.join(names) or 'nothing'} alone")
    return count


def _folders(path: Path) -> Iterator[Path]:
    return (child for child in path.iterdir() if child.is_dir() and not child.name.startswith("."))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m serving.check_published", description=__doc__)
    parser.add_argument("--model-base", type=Path, required=True, help="a folder of NAME/VERSION folders")
    parser.add_argument("--publisher", type=Path, required=True, help="file with the publisher's public key")
    parser.add_argument("--mount", default="/models", help="where the server sees it (default: %(default)s)")
    options = parser.parse_args()
    try:
        count = check_all(options.model_base, Verifier.load(options.publisher), options.mount)
    except (ModelFolderError, OSError, ValueError) as error:
        print(f"serving.check_published: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{count} versions are as they were published.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
