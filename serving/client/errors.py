"""What can go wrong between a caller and the model server, sorted by what the caller should do."""


class ModelError(Exception):
    """No answer from the model: it failed on this request, or one of the kinds below."""


class ModelUnavailable(ModelError):
    """The server is down, starting or full. The same request may succeed later."""


class ModelMissing(ModelUnavailable):
    """The server answers but lacks the model: it is still loading it, or nobody published it there."""


class ModelTimeout(ModelError):
    """No answer within the deadline. A smaller request may succeed."""


class ModelRejected(ModelError):
    """The server will never answer this request: unknown signature, wrong type or shape."""
