#!/bin/sh
# Restore a backup into the empty database of DATABASE_URL, and compare every table with the backup's digests.
#
#     deploy/restore.sh FOLDER
#
# FOLDER is one of backup.sh. Needs psql and pg_restore, and the owner's login. Ends with status 1, and names the
# tables, if any differs.
set -eu
folder=$1
here=$(dirname "$0")
found=$(mktemp)
trap 'rm -f -- "$found"' EXIT

tables=$(psql --no-psqlrc --quiet --tuples-only --no-align --command="select count(*) from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('exchange', 'review')" "$DATABASE_URL")
if [ "$tables" != 0 ]; then
    echo "The database of DATABASE_URL is not empty. Create one, and restore into it." >&2
    exit 1
fi
pg_restore --jobs=2 --exit-on-error --dbname="$DATABASE_URL" "$folder/dump"
psql --no-psqlrc --quiet --command=analyze "$DATABASE_URL"
psql --no-psqlrc --quiet --tuples-only --no-align --file="$here/digests.sql" "$DATABASE_URL" >"$found"
if ! diff "$folder/digests" "$found"; then
    echo "These tables differ from the backup (<)." >&2
    exit 1
fi
echo "Restored $(wc -l <"$found") tables; each is equal to the backup's."
