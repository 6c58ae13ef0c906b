# Making model versions: the one container image with TensorFlow. Not part of the running product.
ARG BUILD_IMAGE=hematovision/build
ARG RUNTIME_IMAGE=hematovision/runtime

FROM ${BUILD_IMAGE} AS build
RUN uv sync --locked --no-default-groups --extra training
COPY serving /app/serving
COPY training /app/training
RUN python -m compileall -q /app

FROM ${RUNTIME_IMAGE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "training"]
