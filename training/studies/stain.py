"""Published normalisations of stain, to compare with `normalise.py`: they give pictures the look of examples.

They work on whole pictures before a network sees them: uint8 [S,S,3] in RGB; examples are uint8 [N,S,S,3].
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.evaluation.measures import Floats

Picture = NDArray[np.uint8]
Restain = Callable[[Picture], Picture]

WHITE = 90  # percentile of a channel that is taken for the light without a smear
SEEN = 0.15  # optical density below which a pixel holds no stain
REACH = 99  # percentile of a stain's amounts that is made alike
EXTREME = 1  # percentile of angles at which Macenko finds a stain
SPARSITY = 0.1  # what Vahadane's amounts cost
STEPS = 60  # of his factorisation
FEWEST = 50  # pixels with stain in which stains can be found
SAMPLE = 1000  # pixels of a picture, or of all examples times ten, from which stains are found

# Light to cones, and logarithms of cones to lαβ (Reinhard et al. 2001, after Ruderman et al. 1998).
_RGB_TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
_LOG_LMS_TO_LAB = np.diag(1 / np.sqrt([3.0, 6.0, 2.0])) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
# Haematoxylin and eosin in optical density of R, G and B (Ruifrok & Johnston 2001): where a search begins.
_HAEMATOXYLIN_EOSIN = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]])


def reinhard(examples: NDArray[np.uint8]) -> Restain:
    """Mean and spread of each channel of lαβ (Reinhard et al., IEEE Comput Graph Appl 2001)."""
    wanted = _to_lab(examples.reshape(-1, 3))
    mean, spread = wanted.mean(axis=0), wanted.std(axis=0)

    def restain(picture: Picture) -> Picture:
        lab = _to_lab(picture.reshape(-1, 3))
        lab = (lab - lab.mean(axis=0)) / (lab.std(axis=0) + 1e-6) * spread + mean
        light = 10 ** (lab @ np.linalg.inv(_LOG_LMS_TO_LAB).T) @ np.linalg.inv(_RGB_TO_LMS).T
        return _as_picture(256 * light - 1, picture)

    return restain


def macenko(examples: NDArray[np.uint8]) -> Restain:
    """Stains at the extreme angles of the plane that densities lie in (Macenko et al., ISBI 2009)."""
    return _restained(_stains_at_extremes, examples)


def vahadane(examples: NDArray[np.uint8]) -> Restain:
    """Stains that explain densities with few of them in each pixel (Vahadane et al., IEEE TMI 2016).

    His sparse non-negative factorisation, by the multiplicative steps of Hoyer (2002).
    """
    return _restained(_stains_by_factors, examples)


METHODS: dict[str, Callable[[NDArray[np.uint8]], Restain]] = {
    "Reinhard": reinhard,
    "Macenko": macenko,
    "Vahadane": vahadane,
}


def _to_lab(pixels: NDArray[np.uint8]) -> Floats:
    cones = (pixels.astype(np.float64) + 1) / 256 @ _RGB_TO_LMS.T
    lab: Floats = np.log10(cones) @ _LOG_LMS_TO_LAB.T
    return lab


def _restained(stains_of: Callable[[Floats], Floats], examples: NDArray[np.uint8]) -> Restain:
    """Both papers' way of giving the pixels of a picture the stains, and the amounts of them, of others."""
    densities = np.concatenate([_densities(one) for one in examples])
    stained = densities[(densities > SEEN).any(axis=1)]
    wanted = stains_of(_sampled(stained, 10 * SAMPLE))
    reach = np.percentile(_amounts(densities, wanted), REACH, axis=0)

    def restain(picture: Picture) -> Picture:
        densities = _densities(picture)
        stained = densities[(densities > SEEN).any(axis=1)]
        if len(stained) < FEWEST:
            return _as_picture(256 * 10**-densities - 1, picture)
        amounts = _amounts(densities, stains_of(_sampled(stained, SAMPLE)))
        amounts *= reach / np.maximum(np.percentile(amounts, REACH, axis=0), 1e-3)
        return _as_picture(256 * 10 ** -(amounts @ wanted) - 1, picture)

    return restain


def _densities(picture: Picture) -> Floats:
    """Optical densities of the pixels, [S²,3], against the picture's own white."""
    light = picture.reshape(-1, 3).astype(np.float64) + 1
    white = np.percentile(light, WHITE, axis=0)
    densities: Floats = np.maximum(np.log10(white / light), 0)
    return densities


def _sampled(densities: Floats, count: int) -> Floats:
    return densities[:: max(1, len(densities) // count)]


def _amounts(densities: Floats, stains: Floats) -> Floats:
    """Of each stain in each pixel: [P,3], [2,3] → [P,2]."""
    amounts: Floats = np.maximum(densities @ np.linalg.pinv(stains), 0)
    return amounts


def _stains_at_extremes(densities: Floats) -> Floats:
    _, axes = np.linalg.eigh(np.cov(densities.T))
    plane = axes[:, 1:] * np.sign(axes[:, 1:].sum(axis=0))  # towards more density
    along = densities @ plane
    angles = np.arctan2(along[:, 0], along[:, 1])
    stains = [
        plane @ (np.sin(angle), np.cos(angle)) for angle in np.percentile(angles, (EXTREME, 100 - EXTREME))
    ]
    return _ordered(np.array(stains))


def _stains_by_factors(densities: Floats) -> Floats:
    stains = _HAEMATOXYLIN_EOSIN / np.linalg.norm(_HAEMATOXYLIN_EOSIN, axis=1, keepdims=True)
    amounts = _amounts(densities, stains) + 1e-3
    for _ in range(STEPS):
        amounts *= (densities @ stains.T) / (amounts @ (stains @ stains.T) + SPARSITY)
        stains = stains * (amounts.T @ densities) / ((amounts.T @ amounts) @ stains + 1e-9)
        length = np.linalg.norm(stains, axis=1) + 1e-9
        stains, amounts = stains / length[:, None], amounts * length
    return _ordered(stains)


def _ordered(stains: Floats) -> Floats:
    """The one that takes more red, as haematoxylin and azure do, first."""
    return stains[np.argsort(-stains[:, 0] / np.linalg.norm(stains, axis=1))]


def _as_picture(pixels: Floats, like: Picture) -> Picture:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8).reshape(like.shape)
