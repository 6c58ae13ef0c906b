"""Training, calibration, evaluation and export of the classifier. Only this package imports TensorFlow."""
