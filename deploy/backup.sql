-- The inside of backup.sh: dump and digests read the same snapshot, so people may go on working.
\set ON_ERROR_STOP on
-- This session waits in its transaction for as long as the dump takes.
set idle_in_transaction_session_timeout = 0;
begin isolation level repeatable read read only;
select pg_export_snapshot() as snapshot \gset
\setenv BACKUP_SNAPSHOT :snapshot
\! pg_dump --format=directory --jobs=2 --no-unlogged-table-data --snapshot="$BACKUP_SNAPSHOT" --file="$BACKUP_FOLDER/dump" "$DATABASE_URL" || touch "$BACKUP_FOLDER/failed"
\ir digests.sql
commit;
