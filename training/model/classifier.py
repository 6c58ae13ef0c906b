"""The classifier: slide normalisation and a backbone under a head whose evidence maps are the computation."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from serving.contract import CELL_LABELS
from training.config import Backbone, Normalisation
from training.model.backbones import build_backbone
from training.model.normalise import SlideNormalisation


@keras.saving.register_keras_serializable("hematovision")
class MeanPlusBias(keras.layers.Layer):  # type: ignore[misc] # Keras is not where types are checked
    """Class logits [N,K] from evidence maps [N,h,w,K]: their spatial mean plus one bias per class."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, evidence: Any) -> Any:
        return keras.ops.mean(evidence, axis=(1, 2)) + self.bias


def build_classifier(
    backbone: Backbone, normalisation: Normalisation | None, *, dropout: float
) -> keras.Model:
    """The classifier: view float32 [N,V,V,3] in RGB 0–255 → dict of
    logits [N,K], evidence [N,h,w,K] and embedding [N,D].

    Evidence is a bias-free 1×1 convolution of the features, so it equals the class activation maps of
    Zhou et al., CVPR 2016, for a global-average-pooling head. Dropping whole feature maps before it is the
    same as dropping units of the pooled features.
    """
    extractor = build_backbone(backbone.name, backbone.weights)
    image = keras.Input((None, None, 3), name="image")
    x: Any = image
    if normalisation is not None:
        x = SlideNormalisation(normalisation.density, normalisation.per_channel, name="normalisation")(x)
    features = extractor(x)
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(features)
    kept = keras.layers.SpatialDropout2D(dropout)(features)
    evidence = keras.layers.Conv2D(len(CELL_LABELS), 1, use_bias=False, name="evidence")(kept)
    logits = MeanPlusBias(name="logits")(evidence)
    return keras.Model(
        image, {"logits": logits, "evidence": evidence, "embedding": embedding}, name="hematovision"
    )


def look_both_ways(model: keras.Model, views: tf.Tensor) -> dict[str, tf.Tensor]:
    """Outputs for views float32 [N,V,V,3], each seen upright and turned by 180°, averaged: a smear has no up.

    The evidence of the turned view is turned back, so that its mean plus the bias is still the logits. Slides
    are normalised once, as that measures the same either way up.
    """
    normalise, classify = _parts(model)
    seen = normalise(views)
    outputs = classify(tf.concat([seen, tf.reverse(seen, [1, 2])], axis=0), training=False)
    upright, turned = ({name: tf.split(value, 2)[side] for name, value in outputs.items()} for side in (0, 1))
    turned["evidence"] = tf.reverse(turned["evidence"], [1, 2])
    return {name: (upright[name] + turned[name]) / 2 for name in outputs}


def _parts(model: keras.Model) -> tuple[Callable[[tf.Tensor], tf.Tensor], keras.Model]:
    """The slide normalisation of a classifier, if it has one, and what follows."""
    for layer in model.layers:
        if isinstance(layer, SlideNormalisation):
            return layer, keras.Model(layer.output, model.output)
    return tf.identity, model


def backbone_of(model: keras.Model) -> keras.Model:
    """The backbone inside a classifier."""
    (backbone,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return backbone


def unfreeze(model: keras.Model, share: float, *, batch_norm: bool) -> None:
    """Let the head learn, and the topmost `share` of the backbone's layers; batch norms if `batch_norm`.

    A batch norm that does not learn keeps its statistics too, whatever batches pass through it.
    """
    layers = [layer for layer in backbone_of(model).layers if layer.weights]
    first = round(len(layers) * (1 - share))
    for place, layer in enumerate(layers):
        layer.trainable = place >= first and (
            batch_norm or not isinstance(layer, keras.layers.BatchNormalization)
        )
