"""Training on from a version: with reviewed labels, or on another lab's slides."""
