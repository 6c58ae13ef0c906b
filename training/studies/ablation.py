"""What each defence against another lab's slides brings: short runs, each with one changed or taken away."""

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from training.adaptation.adapt import reestimate_batch_norm
from training.config import Augmentation, Experiment, Stage
from training.data.images import CellImages, pixels
from training.errors import TrainingError
from training.evaluation.scores import guesses_among
from training.files import write_whole
from training.fingerprint import code_fingerprint
from training.fitting.loop import WEIGHTS_FILE, fit
from training.model.outputs import outputs
from training.studies import stain

log = logging.getLogger(__name__)

ABLATION_FILE = "ablation.json"
LOOKS = ("stain", "colour", "exposure", "shading", "fringe", "blur", "resample", "jpeg", "noise")
EXAMPLES = 64
"""Training pictures whose stain the published normalisations give to all."""


@dataclass(frozen=True)
class Variant:
    """A change of an experiment, and perhaps of its pictures beforehand."""

    change: Callable[[Experiment], Experiment] = lambda experiment: experiment
    restained: str | None = None  # one of stain.METHODS


def _same_looks(strength: Augmentation) -> Augmentation:
    return replace(strength, **dict.fromkeys(LOOKS, 0.0))


def _batch_norm_kept(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    return tuple(replace(stage, batch_norm=False) for stage in stages)


VARIANTS: dict[str, Variant] = {
    "all defences": Variant(),
    "no normalisation": Variant(lambda e: replace(e, normalisation=None)),
    **{
        f"{method} instead of ours": Variant(lambda e: replace(e, normalisation=None), restained=method)
        for method in stain.METHODS
    },
    "one contrast for all channels": Variant(
        lambda e: replace(e, normalisation=e.normalisation and replace(e.normalisation, per_channel=0.0))
    ),
    "no variation of stain and optics": Variant(
        lambda e: replace(e, augmentation=_same_looks(e.augmentation))
    ),
    "neither": Variant(lambda e: replace(e, normalisation=None, augmentation=_same_looks(e.augmentation))),
    "evidence anywhere": Variant(lambda e: replace(e, optimiser=replace(e.optimiser, evidence_outside=0.0))),
    "batch norm as on ImageNet": Variant(lambda e: replace(e, stages=_batch_norm_kept(e.stages))),
}


def short_stages(size: int, epochs: int) -> tuple[Stage, ...]:
    """One epoch of the head alone and `epochs` of everything, on pictures of `size` pixels."""
    return Stage(size=size, epochs=1, batch=32, unfrozen=0.0), Stage(size=size, epochs=epochs, batch=32)


def ablate(
    experiment: Experiment, stages: tuple[Stage, ...], home: CellImages, other: CellImages, runs: Path
) -> Path:
    """Train each of VARIANTS of `experiment` for `stages`, and score it at home and in the other lab.

    Scores are of pictures as large as those of the last stage. Goes on where an interrupted ablation stopped.

    Returns:
        `runs`/ablation.json: for each variant its accuracy on the validation images of `home`; on `other`
        among all classes, among those that it has, and the same with batch-norm statistics of its own
        pictures, without their labels.

    Raises:
        TrainingError: as train; or the file holds an ablation of something else.
    """
    path = runs / ABLATION_FILE
    base = experiment.shortened(stages)
    begun = {
        "experiment": base.as_dict(),
        "fingerprints": {"home": home.fingerprint, "other lab": other.fingerprint},
    }
    rows = _rows_of(path, begun)
    for name, variant in VARIANTS.items():
        if name in {row["variant"] for row in rows}:
            continue
        keras.utils.clear_session()
        rows.append({"variant": name, **_score(name, variant, base, home, other, runs)})
        log.info("%s", rows[-1])
        document = {**begun, "code": code_fingerprint(), "variants": rows}
        write_whole(path, json.dumps(document, indent=2) + "\n")
    return path


def _rows_of(path: Path, begun: dict[str, Any]) -> list[dict[str, Any]]:
    """What an earlier call found."""
    if not path.exists():
        return []
    earlier = json.loads(path.read_text(encoding="utf-8"))
    if any(earlier[key] != value for key, value in begun.items()):
        raise TrainingError(f"{path} is of other settings or images. Move it away, or name other --runs.")
    rows: list[dict[str, Any]] = earlier["variants"]
    return rows


def _score(
    name: str, variant: Variant, base: Experiment, home: CellImages, other: CellImages, runs: Path
) -> dict[str, float]:
    size = base.stages[-1].size
    sizes = {stage.size for stage in base.stages}
    decoded = {each: pixels(home, each, runs / "cache") for each in sizes}
    strange = pixels(other, size, runs / "cache")
    if variant.restained:
        method = stain.METHODS[variant.restained]
        learnt = np.random.default_rng(base.seed).permutation(home.rows("train"))[:EXAMPLES]
        restain = {each: method(pictures[np.sort(learnt)]) for each, pictures in decoded.items()}
        decoded = {each: _restained(pictures, restain[each], name) for each, pictures in decoded.items()}
        strange = _restained(strange, restain[size], name)
    named = replace(variant.change(base), name=f"{base.name}-{name.replace(' ', '-')}")
    model = keras.saving.load_model(fit(named, home, decoded, runs) / WEIGHTS_FILE, compile=False)
    validation, everything = home.rows("val"), np.arange(len(other.labels))
    at_home, _ = outputs(model, decoded[size], validation, name)
    as_learnt, _ = outputs(model, strange, everything, name)
    reestimate_batch_norm(model, strange)
    adapted, _ = outputs(model, strange, everything, name)
    present = np.unique(other.labels)
    return {
        "home": float((at_home.argmax(axis=1) == home.labels[validation]).mean()),
        "other lab": float((as_learnt.argmax(axis=1) == other.labels).mean()),
        "other lab, its classes": float((guesses_among(present, as_learnt) == other.labels).mean()),
        "other lab, its classes, own batch norm": float(
            (guesses_among(present, adapted) == other.labels).mean()
        ),
    }


def _restained(pictures: NDArray[np.uint8], restain: stain.Restain, what: str) -> NDArray[np.uint8]:
    with ThreadPoolExecutor() as pool:
        return np.stack(list(track(pool.map(restain, pictures), what, len(pictures))))
