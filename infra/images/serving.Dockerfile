# The embedded model server: LiteRT on the CPU, and nothing of the web.
ARG BUILD_IMAGE=hematovision/build
ARG RUNTIME_IMAGE=hematovision/runtime

FROM ${BUILD_IMAGE} AS build
RUN uv sync --locked --only-group embedded
COPY serving /app/serving
RUN rm -r /app/serving/models \
    && python -m compileall -q /app

FROM ${RUNTIME_IMAGE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
USER 10001:10001
EXPOSE 8500
ENTRYPOINT ["python", "-m", "serving.embedded", "--model-base", "/models", "--host", "0.0.0.0"]
