"""A rejected request, with the gRPC code and sentence that tensorflow/serving would give."""

import grpc


class RequestError(Exception):
    """The request cannot be answered."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> RequestError:
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message)
