"""What can go wrong through no fault of the code."""


class TrainingError(Exception):
    """Input or configuration that cannot be used. The message says what is wrong and what to do next."""


class Diverged(TrainingError):
    """The loss of a run is no number any more."""
