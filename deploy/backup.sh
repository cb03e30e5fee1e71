#!/bin/sh
# Dump the database of DATABASE_URL into a new folder, beside a digest of every table.
#
#     deploy/backup.sh FOLDER
#
# Needs psql and pg_dump of the server's version, and a login that may read everything: the owner's.
# The folder is FOLDER only when it is whole; until then it is FOLDER.unfinished.
set -eu
folder=$1
here=$(dirname "$0")
BACKUP_FOLDER="$folder.unfinished"
export BACKUP_FOLDER
if [ -e "$folder" ]; then
    echo "$folder is there already." >&2
    exit 1
fi
rm -rf -- "$BACKUP_FOLDER"
mkdir -p -- "$BACKUP_FOLDER"

psql --no-psqlrc --quiet --tuples-only --no-align --file="$here/backup.sql" "$DATABASE_URL" >"$BACKUP_FOLDER/digests"
if [ -e "$BACKUP_FOLDER/failed" ]; then
    echo "pg_dump failed." >&2
    exit 1
fi
mv -- "$BACKUP_FOLDER" "$folder"
echo "Dumped $(wc -l <"$folder/digests") tables into $folder."
