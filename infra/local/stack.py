"""The stack as a whole: start it in the right order, know how it does, stop it and leave nothing behind."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from infra.language import _
from infra.local import ready
from infra.local.config import authority
from infra.local.config.environment import environment, owner
from infra.local.config.ports import check_free
from infra.local.config.secrets import Secrets, write_private
from infra.local.config.settings import Settings
from infra.local.errors import AlreadyRunningError, NotRunningError, StackError
from infra.local.lifeline import die_with_parent, end_leftovers, mark
from infra.local.limits import OTHERS_STOP_S, POLL_S, SERVICE_START_S, STOP_S, WEB_START_S
from infra.local.manage import manage
from infra.local.monitoring import configuration
from infra.local.programs import outside_folder, seaweedfs
from infra.local.programs.catalogue import all_programs
from infra.local.supervisor import State, Supervisor

Report = Callable[[str], None]

_PARTS = ("database", "storage", "broker", "model")  # what the web must call "ok" at /readyz


def _silent(_message: str) -> None:
    pass


class Stack:
    """The stack in one folder, owned by this process from `start` to `stop`.

    If this process dies, however it dies, the stack ends too.
    """

    def __init__(self, settings: Settings, report: Report = _silent) -> None:
        self.settings = settings
        self.supervisor = Supervisor(settings.home)
        self._report = report
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a Django command or a test that works beside the running stack."""
        return environment(self.settings, Secrets.load(self.settings.home))

    @property
    def owner_environment(self) -> dict[str, str]:
        """The same, for a command that makes or changes tables."""
        return {**self.environment, **owner(self.settings, Secrets.load(self.settings.home))}

    def manage(self, *arguments: str) -> str:
        """Run a Django management command beside the running stack, and return what it printed.

        Raises:
            StackError: it failed; the message is the command's own.
        """
        return manage(*arguments, env=self.environment)

    def start(self) -> None:
        """Start everything and return once the web says that it is ready.

        Raises:
            AlreadyRunningError: another process has started it.
            StackError: a port is taken, or a program does not start.
        """
        self.start_services()
        self.start_product()

    def start_product(self) -> None:
        """Start everything else, once the services run.

        Raises:
            StackError: a program does not start.
        """
        try:
            self._set_up()
            self.supervisor.start_group("product")
            self._await_web()
            self.supervisor.start_group("aside")
        except BaseException:
            self.stop()
            raise

    def start_services(self) -> None:
        """Start only the database, the broker, the object store and the model server.

        Raises:
            AlreadyRunningError, StackError: as for `start`.
        """
        home = self.settings.home
        for folder in (home, home / "run", home / "log"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _take_lock(home)
        for left, link in outside_folder.abandoned():
            self._report(
                _("%(left)s was left behind by %(link)s: remove it if nobody needs its data")
                % {"left": left, "link": link}
            )
        try:
            end_leftovers(home)
            check_free(self.settings)
            self.settings.save()
            self.settings.prometheus.write_text(configuration(self.settings))
            secrets = Secrets.load(home)
            write_private(self.settings.metrics_token, secrets.metrics)
            authority.make(self.settings)
            programs = all_programs(self.settings, secrets).values()
            for program in programs:  # each does so again when it starts; here, what is wrong can be said
                program.prepare()
            self._process = self.supervisor.spawn(programs)
            self.supervisor.start_group("services")
            for name, answers in ready.service_checks(self.settings, secrets).items():
                self._await(name, answers)
        except BaseException:
            self.stop()
            raise

    def alive(self) -> bool:
        """Whether the supervisor, and so everything it looks after, still runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop everything: our own programs first, then the services; nothing is left running."""
        if self._lock is None:
            return
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
            with suppress(StackError):
                seaweedfs.remove_sockets(self.settings)
        end_leftovers(self.settings.home)
        (self.settings.home / "run" / "settings.json").unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    def _set_up(self) -> None:
        log = self.settings.home / "log" / "set_up.log"
        with log.open("w") as output:
            done = subprocess.run(
                [sys.executable, "-m", "infra.local.set_up"],
                env={**os.environ, **self.owner_environment, **mark(self.settings.home, "set_up")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        if done.returncode:
            raise StackError(_("Database, object store or models could not be prepared.") + _tail(log))
        self._report(_("database, object store and models are prepared"))

    def _await_web(self) -> None:
        state: Mapping[str, object] | None = None

        def answers() -> bool:
            nonlocal state
            if self._given_up("caddy"):
                raise StackError(
                    _("%(program)s does not start.") % {"program": "caddy"}
                    + _tail(self.settings.home / "log" / "caddy.log")
                )
            state = ready.web_state(self.settings)
            return state is not None and all(state.get(part) == "ok" for part in _PARTS)

        try:
            self._await("web", answers, seconds=WEB_START_S)
        except StackError as error:
            raise StackError(
                _("The web says %(state)s. %(error)s") % {"state": state, "error": error}
                if state
                else str(error)
            ) from None

    def _await(self, name: str, answers: Callable[[], bool], *, seconds: float = SERVICE_START_S) -> None:
        deadline = time.monotonic() + seconds
        while not answers():
            log = self.settings.home / "log" / f"{name}.log"
            if not self.alive():
                raise StackError(
                    _("The supervisor ended while %(name)s was starting: see %(logs)s.")
                    % {"name": name, "logs": log.parent}
                )
            if time.monotonic() > deadline or self._given_up(name):
                raise StackError(_("%(program)s did not become ready.") % {"program": name} + _tail(log))
            time.sleep(POLL_S)
        self._report(_("%(program)s is ready") % {"program": name})

    def _given_up(self, name: str) -> bool:
        return any(state.name == name and state.state == "FATAL" for state in self.supervisor.states())


def states(home: Path) -> list[State]:
    """How each program of the running stack in `home` does.

    Raises:
        NotRunningError: there is none.
    """
    supervisor = Supervisor(home)
    if not supervisor.answers():
        raise NotRunningError(home)
    return supervisor.states()


def stop_running(home: Path) -> None:
    """Stop the stack in `home`, whoever started it, and wait until nothing of it is left.

    Raises:
        NotRunningError: there is none.
        StackError: it does not stop.
    """
    owner = _owner(home)
    if owner is None:
        if not end_leftovers(home):
            raise NotRunningError(home)
        return
    if owner == 0:
        raise StackError(
            _("HematoVision is just being started in %(home)s. Try again in a second.") % {"home": home}
        )
    try:
        os.kill(owner, signal.SIGTERM)
    except PermissionError:
        raise StackError(
            _(
                "HematoVision in %(home)s was started by another account (process %(owner)s): stop it as "
                "that one."
            )
            % {"home": home, "owner": owner}
        ) from None
    deadline = time.monotonic() + OTHERS_STOP_S
    while _owner(home) is not None:
        if time.monotonic() > deadline:
            raise StackError(
                _("Process %(owner)s was asked to stop the stack, and has not after %(seconds)s s.")
                % {"owner": owner, "seconds": STOP_S}
            )
        time.sleep(POLL_S)


def _take_lock(home: Path) -> IO[str]:
    """Own the stack in `home` for as long as the returned file is open."""
    file = (home / "run" / "owner").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = _number(file.read())
        file.close()
        try:
            url = Settings.of_running(home).url
        except NotRunningError:
            raise StackError(
                _("HematoVision is being started in %(home)s by process %(owner)s.")
                % {"home": home, "owner": owner}
            ) from None
        raise AlreadyRunningError(url, owner) from None
    except OSError as error:
        file.close()
        raise StackError(
            _(
                "The file system of %(home)s offers no locks (%(error)s): set HEMATOVISION_HOME to a "
                "folder on a local disk."
            )
            % {"home": home, "error": error.strerror}
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def is_running(home: Path) -> bool:
    """Whether somebody has started the stack in `home`."""
    return _owner(home) is not None


def _owner(home: Path) -> int | None:
    """Process that owns the stack in `home`, if one does."""
    try:
        file = (home / "run" / "owner").open()
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _number(file.read())
    return None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0  # 0: whoever took the lock is about to write its number


def _tail(log: Path, lines: int = 15) -> str:
    try:
        text = log.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return ""
    return "\n".join([" " + _("The end of %(log)s:") % {"log": log}, *text])
