"""From a trained run to a version folder: calibration, distance from the training cells, serving graphs."""
