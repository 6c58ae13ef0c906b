"""Trials of the method: baselines, ablation, folds, search, drawn commissionings, forms to ship in."""
