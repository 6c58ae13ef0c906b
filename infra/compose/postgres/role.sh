#!/bin/sh
# Run once by the image, on an empty volume: the product's role, which is no superuser, and its database.
set -eu
psql --set=ON_ERROR_STOP=1 --username=postgres --set=password="$(cat /run/secrets/HEMATOVISION_PASSWORD)" <<'SQL'
CREATE ROLE hematovision LOGIN PASSWORD :'password';
CREATE DATABASE hematovision OWNER hematovision;
SQL
