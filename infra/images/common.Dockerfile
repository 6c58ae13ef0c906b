# What all container images of the product share, in two parts: `build` has the means to install, `runtime` is what ships.
# infra/images/build makes both before the container images that start from them.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_NO_INSTALL_PROJECT=1 \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY infra/images/uv.txt /tmp/uv.txt
RUN python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/uv.txt
ENV PATH=/opt/venv/bin:/opt/uv/bin:$PATH
COPY pyproject.toml uv.lock ./
# What compiles the catalogues of languages, beside what ships.
RUN UV_PROJECT_ENVIRONMENT=/opt/messages uv sync --locked --only-group messages

FROM ${PYTHON_IMAGE} AS runtime
# Everything is owned by root and read by the account of this number: nothing that runs can change what runs.
ENV HOME=/tmp \
    PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
LABEL org.opencontainers.image.title="HematoVision" \
      org.opencontainers.image.description="Blood-cell images in, a suggested differential count out. Not a cleared medical device."
