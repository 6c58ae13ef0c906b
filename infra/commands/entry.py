"""Where `hematovision` begins: Ctrl-C ends it in silence while it is being read, as it does later."""

import signal


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from infra.commands.cli import app

    signal.signal(signal.SIGINT, signal.default_int_handler)
    app()
