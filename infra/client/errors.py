"""What can go wrong with a server, in sentences a person can act on."""


class ClientError(Exception):
    """The server cannot be reached or does not do what was asked; the message says why."""


class SignInError(ClientError):
    """The token or the password is not accepted."""


class CodeNeededError(SignInError):
    """The password is right; the account asks for the code of a second factor as well."""
