"""What a version is worth on labelled pictures: scores, intervals, evidence, comparison."""
