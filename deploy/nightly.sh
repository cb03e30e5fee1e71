#!/bin/sh
# Load what upstream delivered into the folder, then refresh and check.
#
#     deploy/nightly.sh FOLDER
#
# Files are named by kind: accounts*.csv, applications*.csv, referrals*.csv, activity*.csv; also .gz, .zst
# and .parquet. All files of a kind are loaded together or not at all, and move to FOLDER/loaded/DAY.
# Deliver a file under another name and rename it when it is whole. A load that is refused ends with
# status 1 and leaves the files; metrics are then refreshed from what was loaded before.
set -eu
folder=$1
loaded="$folder/loaded/$(date -u +%F)"
status=0

for kind in accounts applications referrals activity; do
    set --
    for file in "$folder/$kind"*.csv "$folder/$kind"*.csv.gz "$folder/$kind"*.csv.zst "$folder/$kind"*.parquet; do
        if [ -e "$file" ]; then
            set -- "$@" "$file"
        fi
    done
    if [ $# -eq 0 ]; then
        continue
    fi
    if ! python -m data_access load "$kind" "$@"; then
        # What comes after may refer to these rows.
        status=1
        break
    fi
    mkdir -p "$loaded"
    mv -- "$@" "$loaded/"
done

python -m data_access refresh || status=1
python -m data_access doctor || status=1
exit $status
