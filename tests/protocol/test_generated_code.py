"""The committed protobuf code is what the .proto files say."""

import subprocess
import sys
from pathlib import Path

WIRE = Path(__file__).parents[2] / "serving" / "wire"


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    protos = sorted(str(proto.relative_to(WIRE.parents[1])) for proto in WIRE.glob("*.proto"))
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, *protos]
    subprocess.run(command, cwd=WIRE.parents[1], check=True)

    committed = sorted(WIRE.glob("*_pb2*"))
    assert len(committed) == 2 * len(protos) + 1
    for file in committed:
        assert file.read_text() == (tmp_path / "serving" / "wire" / file.name).read_text(), (
            f"{file.name} is not what its .proto file says; run `make protos`"
        )
