#!/usr/bin/env bash
# Runs once, when the data directory is new: a role and a database for each service, closed to the others.
set -euo pipefail

make_database() {
    local name="rapport_$1" password="$2"
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set "name=$name" --set "password=$password" \
        --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0 ENCODING 'UTF8';
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

make_database customer "${RAPPORT_CUSTOMER_PASSWORD:?}"
make_database interaction "${RAPPORT_INTERACTION_PASSWORD:?}"
make_database ticket "${RAPPORT_TICKET_PASSWORD:?}"
make_database scoring "${RAPPORT_SCORING_PASSWORD:?}"
make_database gateway "${RAPPORT_GATEWAY_PASSWORD:?}"
