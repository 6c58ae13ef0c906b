"""The embedded server's answers and refusals, over the wire."""

from collections.abc import Iterator
from typing import Any, cast

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray

from serving.channel import open_channel
from serving.contract import MAX_BATCH
from serving.tensors import to_array
from serving.wire import framework_pb2, serving_pb2, serving_pb2_grpc
from tests.support.embedded import RunningServer
from tests.support.tensors import to_proto
from tests.support.tiny_model import CORNER_COLOURS

pytestmark = pytest.mark.enable_socket
Floats = NDArray[np.float32]

BLACK = np.zeros((1, 224, 224, 3), np.uint8)


@pytest.fixture(scope="module")
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with open_channel(server.target) as channel:
        yield channel


@pytest.fixture(scope="module")
def prediction(channel: grpc.Channel) -> Any:
    return serving_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def model_service(channel: grpc.Channel) -> Any:
    return serving_pb2_grpc.ModelServiceStub(channel)


def spec(name: str = "hematovision", **fields: Any) -> serving_pb2.ModelSpec:
    version = fields.pop("version", None)
    made = serving_pb2.ModelSpec(name=name, **fields)
    if version is not None:
        made.version.value = version
    return made


def predict_request(
    images: Any = BLACK,
    *,
    of: serving_pb2.ModelSpec | None = None,
    outputs: tuple[str, ...] = (),
    **inputs: Any,
) -> serving_pb2.PredictRequest:
    tensors = inputs or {"image": images}
    protos = {
        name: tensor if isinstance(tensor, framework_pb2.TensorProto) else to_proto(tensor)
        for name, tensor in tensors.items()
    }
    return serving_pb2.PredictRequest(model_spec=of or spec(), inputs=protos, output_filter=outputs)


def test_predict_gives_every_output_for_every_image_in_order(prediction: Any) -> None:
    images = np.stack([np.full((224, 224, 3), colour, np.uint8) for colour in CORNER_COLOURS])

    response = prediction.Predict(predict_request(images))

    outputs = {name: cast(Floats, to_array(tensor)) for name, tensor in response.outputs.items()}
    assert {name: array.shape for name, array in outputs.items()} == {
        "probabilities": (8, 8),
        "evidence": (8, 7, 7, 8),
        "embedding": (8, 3),
        "distance": (8,),
    }
    assert outputs["probabilities"].argmax(axis=1).tolist() == list(range(len(CORNER_COLOURS)))
    np.testing.assert_allclose(outputs["embedding"], np.array(CORNER_COLOURS) / 255, atol=1e-6)
    np.testing.assert_allclose(outputs["distance"], 0, atol=1e-5)
    assert response.model_spec.name == "hematovision"
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "serving_default"


def test_an_answer_does_not_depend_on_the_other_images_of_the_batch(prediction: Any) -> None:
    images = np.random.default_rng(7).integers(0, 256, (MAX_BATCH, 224, 224, 3), dtype=np.uint8)

    together = prediction.Predict(predict_request(images)).outputs["probabilities"]
    alone = [
        prediction.Predict(predict_request(images[n : n + 1])).outputs["probabilities"] for n in (0, 9, 63)
    ]

    np.testing.assert_array_equal(
        to_array(together)[[0, 9, 63]], np.concatenate([to_array(tensor) for tensor in alone])
    )


def test_the_output_filter_chooses_outputs(prediction: Any) -> None:
    response = prediction.Predict(predict_request(outputs=("embedding",)))

    assert list(response.outputs) == ["embedding"]


def test_a_tensor_written_value_by_value_is_understood(prediction: Any) -> None:
    white = to_proto(BLACK)
    white.ClearField("tensor_content")
    white.int_val.append(255)

    response = prediction.Predict(predict_request(white))

    assert to_array(response.outputs["probabilities"]).argmax() == 7


HUGE = framework_pb2.TensorProto(
    dtype=framework_pb2.DT_UINT8,
    tensor_shape=framework_pb2.TensorShapeProto(
        dim=[framework_pb2.TensorShapeProto.Dim(size=size) for size in (10**12, 224, 224, 3)]
    ),
)
SHORT = to_proto(BLACK)
SHORT.tensor_content = SHORT.tensor_content[:-1]
UNKNOWN_RANK = framework_pb2.TensorProto(
    dtype=framework_pb2.DT_UINT8, tensor_shape=framework_pb2.TensorShapeProto(unknown_rank=True)
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (predict_request(of=spec("nobody")), grpc.StatusCode.NOT_FOUND, "Latest(nobody)"),
        (predict_request(of=spec(version=99)), grpc.StatusCode.NOT_FOUND, "Specific(hematovision, 99)"),
        (predict_request(of=spec(version_label="stable")), INVALID, "stable"),
        (predict_request(of=spec(signature_name="train")), grpc.StatusCode.FAILED_PRECONDITION, "train"),
        (predict_request(of=spec("")), INVALID, "no name"),
        (serving_pb2.PredictRequest(inputs={"image": to_proto(BLACK)}), INVALID, "Missing ModelSpec"),
        (predict_request(BLACK.astype(np.float32)), INVALID, "DT_FLOAT"),
        (predict_request(BLACK[0]), INVALID, "[224, 224, 3]"),
        (predict_request(BLACK[:, :100]), INVALID, "[1, 100, 224, 3]"),
        (predict_request(BLACK[:0]), INVALID, "0 images"),
        (predict_request(np.zeros((MAX_BATCH + 1, 224, 224, 3), np.uint8)), INVALID, "65 images"),
        (predict_request(HUGE), INVALID, "images"),
        (predict_request(SHORT), INVALID, "bytes"),
        (predict_request(UNKNOWN_RANK), INVALID, "shape"),
        (predict_request(picture=BLACK), INVALID, "picture"),
        (predict_request(image=BLACK, mask=BLACK), INVALID, "mask"),
        (serving_pb2.PredictRequest(model_spec=spec()), INVALID, "image"),
        (predict_request(outputs=("logits",)), INVALID, "logits"),
        (predict_request(outputs=("evidence", "evidence")), INVALID, "duplicate"),
    ],
)
def test_predict_rejects(
    prediction: Any, request_: serving_pb2.PredictRequest, code: grpc.StatusCode, says: str
) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        prediction.Predict(request_)

    details = refusal.value.details() or ""
    assert (refusal.value.code(), says in details) == (code, True), details


def test_metadata_describes_the_signature(prediction: Any) -> None:
    response = prediction.GetModelMetadata(
        serving_pb2.GetModelMetadataRequest(model_spec=spec(), metadata_field=["signature_def"])
    )

    signatures = serving_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert signature.inputs["image"].dtype == framework_pb2.DT_UINT8
    assert [dim.size for dim in signature.inputs["image"].tensor_shape.dim] == [-1, 224, 224, 3]
    assert {
        name: [dim.size for dim in info.tensor_shape.dim] for name, info in signature.outputs.items()
    } == {
        "probabilities": [-1, 8],
        "evidence": [-1, 7, 7, 8],
        "embedding": [-1, 3],
        "distance": [-1],
    }
    assert response.model_spec.version.value == 1


@pytest.mark.parametrize(
    ("fields", "of", "code"),
    [
        ([], spec(), INVALID),
        (["graph"], spec(), INVALID),
        (["signature_def"], spec("x"), grpc.StatusCode.NOT_FOUND),
    ],
)
def test_metadata_rejects(
    prediction: Any, fields: list[str], of: serving_pb2.ModelSpec, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        prediction.GetModelMetadata(serving_pb2.GetModelMetadataRequest(model_spec=of, metadata_field=fields))

    assert refusal.value.code() == code


def test_status_of_an_available_version(model_service: Any) -> None:
    (status,) = model_service.GetModelStatus(
        serving_pb2.GetModelStatusRequest(model_spec=spec())
    ).model_version_status

    assert (status.version, status.state) == (1, serving_pb2.ModelVersionStatus.AVAILABLE)
    assert status.status.error_code == 0


@pytest.mark.parametrize(
    ("of", "code"),
    [
        (spec("nobody"), grpc.StatusCode.NOT_FOUND),
        (spec(version=2), grpc.StatusCode.NOT_FOUND),
        (None, INVALID),
    ],
)
def test_status_rejects(model_service: Any, of: serving_pb2.ModelSpec | None, code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        model_service.GetModelStatus(serving_pb2.GetModelStatusRequest(model_spec=of))

    assert refusal.value.code() == code


def test_health_is_serving(channel: grpc.Channel) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_what_is_left_out_of_the_protocol_is_unimplemented(channel: grpc.Channel) -> None:
    classify: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
        "/tensorflow.serving.PredictionService/Classify"
    )

    with pytest.raises(grpc.RpcError) as refusal:
        classify(b"")

    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
