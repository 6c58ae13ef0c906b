#!/bin/sh
# The database and its two roles, neither a superuser: the owner of the tables, for migrations and restores, and the
# product's own. Run by the image on an empty volume, and by hand after an upgrade; safe to repeat.
set -eu
PGPASSWORD="${PGPASSWORD:-$(cat /run/secrets/POSTGRES_PASSWORD)}"
export PGPASSWORD
psql --set=ON_ERROR_STOP=1 --quiet --username=postgres --dbname=postgres \
  --set=owner="$(cat /run/secrets/HEMATOVISION_PASSWORD)" \
  --set=app="$(cat /run/secrets/HEMATOVISION_APP_PASSWORD)" <<'SQL'
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['hematovision', 'hematovision_app']) name
  WHERE to_regrole(name) IS NULL \gexec
ALTER ROLE hematovision LOGIN PASSWORD :'owner';
ALTER ROLE hematovision_app LOGIN PASSWORD :'app';
GRANT hematovision_app TO hematovision;
SELECT 'CREATE DATABASE hematovision OWNER hematovision'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'hematovision') \gexec
SQL
