"""Supervision by supervisord: its configuration, its life, and what we ask of it over its socket."""

import configparser
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import Faults, SupervisorTransport

from infra.language import _
from infra.local.config.environment import LOCALE
from infra.local.config.settings import PREFIX
from infra.local.config.sockets import socket_path
from infra.local.errors import StackError
from infra.local.lifeline import die_with_parent, mark
from infra.local.limits import SUPERVISOR_POLL_S, SUPERVISOR_START_S
from infra.local.programs.program import Group, Program

_OWNERS = f"{PREFIX}DATABASE_OWNER_URL"


@dataclass(frozen=True)
class State:
    """How a program does, in supervisord's words (STOPPED, STARTING, RUNNING, BACKOFF, EXITED, FATAL)."""

    name: str
    group: Group
    state: str
    description: str
    pid: int


class Supervisor:
    """The supervisord of the stack in a folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._socket = socket_path(home, "supervisor.sock")

    def spawn(self, programs: Iterable[Program]) -> "subprocess.Popen[bytes]":
        """Start supervisord, with every program stopped; it ends, and they with it, when this process does.

        Raises:
            StackError: it does not start; its log says why.
        """
        configuration = self._home / "run" / "supervisord.conf"
        with configuration.open("w", encoding="utf-8") as file:
            self._configure(list(programs)).write(file)
        self._socket.unlink(missing_ok=True)
        # Commands that change tables know their owner; no program does.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OWNERS)}
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "supervisor.supervisord",
                "--nodaemon",
                "--silent",
                "-c",
                str(configuration),
            ],
            env={**inherited, **LOCALE, **self._places(), **mark(self._home, "supervisord")},
            cwd=configuration.parent,
            stdin=subprocess.DEVNULL,
            umask=0o077,
            start_new_session=True,  # Ctrl-C is for us to answer
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
        deadline = time.monotonic() + SUPERVISOR_START_S
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise StackError(
                    _("The supervisor does not start: see %(log)s.")
                    % {"log": self._home / "log" / "supervisord.log"}
                )
            time.sleep(SUPERVISOR_POLL_S)
        return process

    def answers(self) -> bool:
        try:
            return bool(self._ask("getState"))
        except OSError:
            return False

    def states(self) -> list[State]:
        """All programs and how they do."""
        return [
            State(info["name"], info["group"], info["statename"], info["description"], info["pid"])
            for info in self._ask("getAllProcessInfo")
        ]

    def start_group(self, group: Group) -> None:
        """Start the programs of a group, without waiting for any.

        Raises:
            StackError: one of them cannot be started at all.
        """
        for started in self._ask("startProcessGroup", group, False):
            if started["status"] not in (Faults.SUCCESS, Faults.ALREADY_STARTED):
                raise StackError(
                    _("%(name)s cannot be started: %(description)s.")
                    % {"name": started["name"], "description": started["description"]}
                )

    def start(self, name: str) -> None:
        """Start a program and wait until it has run for a second.

        Raises:
            StackError: it did not; its log says why.
        """
        try:
            self._ask("startProcess", self._full_name(name), True)
        except Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                log = self._home / "log" / f"{name}.log"
                raise StackError(
                    _("%(name)s does not start: see %(log)s.") % {"name": name, "log": log}
                ) from fault

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end; it stays stopped until it is started."""
        try:
            self._ask("stopProcess", self._full_name(name), True)
        except Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise

    def _ask(self, method: str, *arguments: str | bool) -> Any:
        # A connection each time: one that failed is of no more use. The address given is not used.
        transport: Any = SupervisorTransport(None, None, f"unix://{self._socket}")
        with ServerProxy("http://127.0.0.1", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)

    def _full_name(self, name: str) -> str:
        for state in self.states():
            if state.name == name:
                return f"{state.group}:{name}"
        raise StackError(
            _("There is no program %(name)r. There are: %(names)s.")
            % {"name": name, "names": ", ".join(s.name for s in self.states())}
        )

    def _places(self) -> dict[str, str]:
        """Variables that the configuration takes paths from: in itself, `#`, `;` and `%` mean something.

        Its other paths are relative.
        """
        return {
            "STACK_SOCKET": str(self._socket),
            "STACK_PYTHON": shlex.quote(sys.executable),
        }

    def _configure(self, programs: list[Program]) -> configparser.RawConfigParser:
        parser = configparser.RawConfigParser()
        parser["unix_http_server"] = {"file": "%(ENV_STACK_SOCKET)s", "chmod": "0600"}
        parser["rpcinterface:supervisor"] = {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        }
        parser["supervisord"] = {
            "logfile": "../log/supervisord.log",
            "logfile_maxbytes": "5MB",
            "logfile_backups": "1",
            "pidfile": "supervisord.pid",
        }
        if os.geteuid() == 0:
            parser["supervisord"]["user"] = "root"
        for program in programs:
            parser[f"program:{program.name}"] = {
                # untranslated: supervisord reads it
                "command": f"%(ENV_STACK_PYTHON)s -m infra.local.launch {program.name}",
                "autostart": "false",
                "autorestart": "true",
                "startretries": "5",
                "stopsignal": program.stop_signal,
                "stopwaitsecs": str(program.stop_seconds),
                "killasgroup": "true",
                "redirect_stderr": "true",
                "stdout_logfile": f"../log/{program.name}.log",
                "stdout_logfile_maxbytes": "10MB",
                "stdout_logfile_backups": "3",
            }
        for priority, group in enumerate(get_args(Group)):  # the highest stops first
            members = [program.name for program in programs if program.group == group]
            parser[f"group:{group}"] = {"programs": ",".join(members), "priority": str(priority)}
        return parser
