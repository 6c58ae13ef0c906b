"""A mail server that takes messages, or rejects them with the code it is told to."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from threading import Thread


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.taken: list[Message] = []
        self.answer = {"RCPT": 250, "DATA": 354}

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Conversation(socketserver.StreamRequestHandler):
    """RFC 5321, as far as one message needs it."""

    server: MailServer

    def handle(self) -> None:
        self._say(220)
        while line := self.rfile.readline():
            verb = line[:4].decode().upper()
            self._say(self.server.answer.get(verb, 250))
            if verb == "DATA" and self.server.answer["DATA"] == 354:
                self.server.taken.append(message_from_bytes(b"".join(self._lines())))
                self._say(250)
            if verb == "QUIT":
                return

    def _lines(self) -> Iterator[bytes]:
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            yield line

    def _say(self, code: int) -> None:
        self.wfile.write(f"{code} said\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
