# Everything around the queues: workers, the outbox relay, beat, Flower. The command says which.
ARG BUILD_IMAGE=hematovision/build
ARG RUNTIME_IMAGE=hematovision/runtime

FROM ${BUILD_IMAGE} AS build
RUN uv sync --locked --no-default-groups --extra tracing
COPY serving /app/serving
COPY webapp /app/webapp
COPY workers /app/workers
COPY infra/__init__.py /app/infra/
COPY infra/language /app/infra/language
RUN /opt/messages/bin/python -m infra.language.compile \
    && rm -r /app/infra /app/serving/models \
    && python -m compileall -q /app

FROM ${RUNTIME_IMAGE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
USER 10001:10001
CMD ["celery", "-A", "workers", "worker", "-Q", "interactive,bulk,maintenance,events,jobs", "-E"]
