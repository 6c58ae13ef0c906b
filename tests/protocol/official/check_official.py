"""Run by test_official.py in the protocol environment. Nothing of ours is imported here."""

import os
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2,  # noqa: F401 - brings the services into the descriptor pool
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2,  # noqa: F401
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

TARGET = os.environ["EMBEDDED_SERVER"]
BASE = os.environ["MODEL_BASE"]
OUR_DESCRIPTORS = Path(os.environ["OUR_DESCRIPTORS"])
MODELS_CONFIG = Path(os.environ["MODELS_CONFIG"])
NAME = "hematovision"

WHITE = np.full((1, 224, 224, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def channel():
    limit = 64 * 1024 * 1024
    with grpc.insecure_channel(TARGET, options=[("grpc.max_receive_message_length", limit)]) as channel:
        yield channel


@pytest.fixture
def prediction(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture
def models(channel):
    return model_service_pb2_grpc.ModelServiceStub(channel)


def spec(name=NAME, version=None, **fields):
    made = model_pb2.ModelSpec(name=name, **fields)
    if version is not None:
        made.version.value = version
    return made


def predict(images=WHITE, model_spec=None, output_filter=(), name="image"):
    request = predict_pb2.PredictRequest(model_spec=model_spec or spec(), output_filter=output_filter)
    request.inputs[name].CopyFrom(tf.make_tensor_proto(images))
    return request


def test_predict(prediction):
    images = np.stack([np.zeros((224, 224, 3), np.uint8), WHITE[0]])

    response = prediction.Predict(predict(images))

    outputs = {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}
    assert {name: (array.dtype.name, array.shape) for name, array in outputs.items()} == {
        "probabilities": ("float32", (2, 8)),
        "evidence": ("float32", (2, 7, 7, 8)),
        "embedding": ("float32", (2, 3)),
        "distance": ("float32", (2,)),
    }
    assert outputs["probabilities"].argmax(axis=1).tolist() == [0, 7]
    assert (response.model_spec.name, response.model_spec.version.value) == (NAME, 2)
    assert response.model_spec.signature_name == "serving_default"


def test_predict_with_an_output_filter(prediction):
    response = prediction.Predict(predict(output_filter=["probabilities"]))

    assert list(response.outputs) == ["probabilities"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (predict(model_spec=spec("nobody")), grpc.StatusCode.NOT_FOUND),
        (predict(model_spec=spec(version=9)), grpc.StatusCode.NOT_FOUND),
        (predict(model_spec=spec(version_label="canary")), grpc.StatusCode.INVALID_ARGUMENT),
        (predict(model_spec=spec(signature_name="train")), grpc.StatusCode.FAILED_PRECONDITION),
        (predict(WHITE.astype(np.float32)), grpc.StatusCode.INVALID_ARGUMENT),
        (predict(WHITE.astype(np.int64)), grpc.StatusCode.INVALID_ARGUMENT),
        (predict(np.array([b"\xff\xd8"])), grpc.StatusCode.INVALID_ARGUMENT),
        (predict(WHITE[0]), grpc.StatusCode.INVALID_ARGUMENT),
        (predict(np.repeat(WHITE, 65, axis=0)), grpc.StatusCode.INVALID_ARGUMENT),
        (predict(name="picture"), grpc.StatusCode.INVALID_ARGUMENT),
        (predict(output_filter=["logits"]), grpc.StatusCode.INVALID_ARGUMENT),
        (predict_pb2.PredictRequest(), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_predict_refusals(prediction, request_, code):
    with pytest.raises(grpc.RpcError) as refusal:
        prediction.Predict(request_)
    assert refusal.value.code() == code, refusal.value.details()


def test_get_model_metadata(prediction):
    response = prediction.GetModelMetadata(
        get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec(), metadata_field=["signature_def"])
    )

    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert signature.method_name == tf.saved_model.PREDICT_METHOD_NAME
    image = signature.inputs["image"]
    assert tf.dtypes.as_dtype(image.dtype) == tf.uint8
    assert tf.TensorShape(image.tensor_shape).as_list() == [None, 224, 224, 3]
    assert sorted(signature.outputs) == ["distance", "embedding", "evidence", "probabilities"]
    assert tf.dtypes.as_dtype(signature.outputs["evidence"].dtype) == tf.float32


def test_get_model_status(models):
    request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec())
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE

    newest = models.GetModelStatus(request).model_version_status[-1]
    assert (newest.version, newest.state, newest.status.error_code) == (2, available, 0)

    with pytest.raises(grpc.RpcError) as refusal:
        models.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(model_spec=spec("nobody")))
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND


def test_handle_reload_config_request(models, prediction):
    request = model_management_pb2.ReloadConfigRequest()
    config = request.config.model_config_list.config.add(
        name=NAME, base_path=f"{BASE}/{NAME}", model_platform="tensorflow"
    )
    config.model_version_policy.specific.versions.extend([1, 2])
    config.version_labels["stable"] = 1

    assert models.HandleReloadConfigRequest(request).status.error_code == 0

    assert prediction.Predict(predict()).model_spec.version.value == 2
    old = prediction.Predict(predict(model_spec=spec(version_label="stable")))
    assert old.model_spec.version.value == 1

    config.model_version_policy.specific.versions[:] = [77]
    with pytest.raises(grpc.RpcError):
        models.HandleReloadConfigRequest(request)
    with pytest.raises(grpc.RpcError) as refusal:
        models.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest())
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def our_files():
    return descriptor_pb2.FileDescriptorSet.FromString(OUR_DESCRIPTORS.read_bytes()).file


def proto_of(official):
    """A descriptor of the official package as the message that describes it."""
    kind = {
        "Descriptor": descriptor_pb2.DescriptorProto,
        "EnumDescriptor": descriptor_pb2.EnumDescriptorProto,
        "ServiceDescriptor": descriptor_pb2.ServiceDescriptorProto,
    }[type(official).__name__]
    made = kind()
    official.CopyToProto(made)
    return made


def shape_of_field(field, message):
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
    return field.number, field.type, field.label, field.type_name, oneof


def differences(ours, official, path):
    """Fields, enum values and nested types of ours that the official message has not, or has otherwise."""
    fields = {field.name: shape_of_field(field, official) for field in official.field}
    for field in ours.field:
        if fields.get(field.name) != shape_of_field(field, ours):
            yield f"{path}.{field.name}: {shape_of_field(field, ours)} against {fields.get(field.name)}"
    nested = {message.name: message for message in official.nested_type}
    for message in ours.nested_type:
        yield from differences(message, nested[message.name], f"{path}.{message.name}")
    enums = {enum.name: enum for enum in official.enum_type}
    for enum in ours.enum_type:
        yield from enum_differences(enum, enums[enum.name], f"{path}.{enum.name}")


def enum_differences(ours, official, path):
    values = {value.name: value.number for value in official.value}
    for value in ours.value:
        if values.get(value.name) != value.number:
            yield f"{path}.{value.name} = {value.number} against {values.get(value.name)}"


UNPUBLISHED = {"tensorflow.serving.SSLConfig"}  # a file that the server reads; the package comes without it


def test_our_messages_are_the_official_ones():
    pool = descriptor_pool.Default()
    found, compared = [], 0
    for file in our_files():
        for message in file.message_type:
            name = f"{file.package}.{message.name}"
            if name in UNPUBLISHED:
                continue
            found += differences(message, proto_of(pool.FindMessageTypeByName(name)), name)
            compared += 1
        for enum in file.enum_type:
            name = f"{file.package}.{enum.name}"
            found += enum_differences(enum, proto_of(pool.FindEnumTypeByName(name)), name)
            compared += 1
        for service in file.service:
            name = f"{file.package}.{service.name}"
            official = {method.name: method for method in proto_of(pool.FindServiceByName(name)).method}
            found += [f"{name}.{ours.name}" for ours in service.method if official.get(ours.name) != ours]
            compared += 1
    assert not found
    assert compared > 20


def test_models_config_is_read_by_the_official_message():
    config = text_format.Parse(MODELS_CONFIG.read_text(), model_server_config_pb2.ModelServerConfig())

    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == (NAME, f"/models/{NAME}", "tensorflow")
    assert model.model_version_policy.latest.num_versions == 1
