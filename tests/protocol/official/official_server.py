"""Run by test_official.py in the protocol environment: a model server built from the official servicer.

The "model", version 3, gives each image the class of its first value, its mean colour as embedding, a
quarter of its first value as distance, and no evidence. It writes its outputs in both ways that
tensorflow/serving knows: one field entry per value, and as tensor content.
"""

from concurrent import futures

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)


class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def Predict(self, request, context):  # noqa: N802
        if request.model_spec.name != "hematovision":
            context.abort(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {request.model_spec.name}"
            )
        images = tf.make_ndarray(request.inputs["image"])
        assert images.dtype == np.uint8
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.signature_name = request.model_spec.signature_name
        response.model_spec.version.value = 3
        probabilities = np.eye(8, dtype=np.float32)[images[:, 0, 0, 0]]
        written = response.outputs["probabilities"]
        written.dtype = tf.float32.as_datatype_enum
        written.tensor_shape.CopyFrom(tf.TensorShape(probabilities.shape).as_proto())
        written.float_val.extend(probabilities.ravel())
        response.outputs["evidence"].CopyFrom(
            tf.make_tensor_proto(np.zeros((len(images), 7, 7, 8), np.float32))
        )
        response.outputs["embedding"].CopyFrom(
            tf.make_tensor_proto(images.mean(axis=(1, 2), dtype=np.float32))
        )
        response.outputs["distance"].CopyFrom(tf.make_tensor_proto(images[:, 0, 0, 0].astype(np.float32) / 4))
        return response


class Models(model_service_pb2_grpc.ModelServiceServicer):
    def GetModelStatus(self, request, context):  # noqa: N802
        if request.model_spec.name != "hematovision":
            context.abort(grpc.StatusCode.NOT_FOUND, "Could not find any versions of model")
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(version=3, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE)
        return response


def main():
    limit = 64 * 1024 * 1024
    server = grpc.server(futures.ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", limit)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Models(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201
    server.wait_for_termination()


if __name__ == "__main__":
    main()
