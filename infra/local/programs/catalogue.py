"""The table of all programs of the stack."""

from infra.local.config.secrets import Secrets
from infra.local.config.settings import Settings
from infra.local.programs import caddy, postgres, product, seaweedfs, valkey
from infra.local.programs.program import Program


def all_programs(settings: Settings, secrets: Secrets) -> dict[str, Program]:
    """Every program of the stack by name, in the order in which they start."""
    programs = [
        postgres.program(settings, secrets),
        valkey.program(settings, secrets),
        *seaweedfs.programs(settings, secrets),
        product.model_server(settings, secrets),
        *product.programs(settings, secrets),
        caddy.program(settings),
    ]
    return {program.name: program for program in programs}
