"""Labelled pictures: read, told apart, split, decoded once, and which part of each the network sees."""
