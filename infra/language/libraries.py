"""What typer says itself, to be extracted: typer asks the catalogue for it that `infra.language` names."""

from serving.contract.sentence import N_

TYPER = (
    N_("Arguments"),
    N_("Options"),
    N_("Commands"),
    N_("Error"),
    N_("Aborted."),
    N_("required"),
    N_("[required]"),
    N_("[default: {}]"),
    N_("[env var: {}]"),
    N_("Missing command."),
    N_("No such command {name!r}."),
    N_("Try [blue]'{command_path} {help_option}'[/] for help."),
)
