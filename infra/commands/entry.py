"""Where `hematovision` begins: Ctrl-C ends it in silence while it is being read, as it does later."""

import atexit
import gc
import signal


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    import infra.language  # noqa: F401 - before typer, which asks for its own words as it is read
    from infra.commands.cli import app

    atexit.register(gc.freeze)  # else what was loaded is looked through for garbage once more at the end
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app()
