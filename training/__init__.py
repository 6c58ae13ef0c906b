"""Training, calibration, evaluation and export of the cell classifier. The only package that imports TensorFlow."""
