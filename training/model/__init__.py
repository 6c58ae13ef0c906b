"""The classifier: backbones and their published weights, normalisation of slides, a head with evidence."""
