"""``python -m serving.ssl_config``: the file with which tensorflow/serving speaks TLS.

Its option is ``--ssl_config_file``. The file holds certificate and key themselves, not their paths, so it is
written for its owner alone; write it again, and restart the server, when they are renewed.
"""

import argparse
import os
import sys
from pathlib import Path

from google.protobuf import text_format

from serving.embedded.credentials import ServerTls
from serving.wire.serving_pb2 import SSLConfig


def ssl_config(tls: ServerTls) -> str:
    """The text of the file. Raises OSError for files that cannot be read or do not fit together."""
    key, certificate, client_ca = tls.read()
    config = SSLConfig(
        server_key=key.decode(),
        server_cert=certificate.decode(),
        custom_ca=(client_ca or b"").decode(),
        client_verify=client_ca is not None,
    )
    return text_format.MessageToString(config)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m serving.ssl_config", description=__doc__)
    parser.add_argument("--certificate", type=Path, required=True, help="PEM, with its chain")
    parser.add_argument("--key", type=Path, required=True, help="PEM")
    parser.add_argument("--client-ca", type=Path, help="PEM; clients must show a certificate signed by it")
    parser.add_argument("file", type=Path, help="where to write it")
    options = parser.parse_args()
    try:
        text = ssl_config(ServerTls(options.certificate, options.key, options.client_ca))
    except OSError as error:
        print(f"serving.ssl_config: {error}", file=sys.stderr)  # noqa: T201
        return 1
    with open(os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
