"""Training: the loop, its schedule, augmentation on whole batches, and interruption."""
