# The web, and what runs beside it by hand or once: migrations, `hematovision` commands.
ARG BUILD_IMAGE=hematovision/build
ARG RUNTIME_IMAGE=hematovision/runtime
# The newest PostgreSQL that this product meets: its pg_dump reads every older server, and no newer one.
ARG POSTGRES_IMAGE=postgres:18.4-bookworm

FROM ${POSTGRES_IMAGE} AS postgres
COPY infra/images/collect-postgres /tmp/
RUN /tmp/collect-postgres /tmp/postgres

FROM ${BUILD_IMAGE} AS build
# With LiteRT, because a model version is tried before it is published.
RUN uv sync --locked --no-default-groups --extra serving --extra tracing
COPY infra /app/infra
COPY serving /app/serving
COPY webapp /app/webapp
# Files with their hashes in their names, so that old and new pages find theirs during an upgrade.
RUN /opt/messages/bin/python -m infra.language.compile \
    && python -m compileall -q /app \
    && set -a && . /app/infra/images/placeholder.env \
    && HEMATOVISION_STATIC_ROOT=/app/static python -m webapp collectstatic --no-input --verbosity 0

FROM ${RUNTIME_IMAGE}
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
COPY --from=postgres --chown=0:0 /tmp/postgres /opt/postgres
COPY infra/images/hematovision /usr/local/bin/hematovision
ENV HEMATOVISION_STATIC_ROOT=/app/static \
    PATH=/opt/venv/bin:/opt/postgres/bin:$PATH
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "--config=python:webapp.config.gunicorn", "--bind=0.0.0.0:8000"]
