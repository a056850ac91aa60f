#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Deletion by the command line: what is shown and asked, what a deleted key and its
# name still do, what a purge leaves on the disk, and what time alone purges, over a
# restart.
# timeout: 300
# vm: --state @ --smp 1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

echo 'some text' >data
new_vault
for name in k other users; do
	kvault key create "$vault/$name" --for encrypt >/dev/null
done
kvault key create "$vault/sign" --for sign >/dev/null
kvault key encrypt "$vault/k" --in data --out data.kv

# --- the brakes
exits 2 "without a terminal it asks for --yes" kvault key delete "$vault/k"
like "... and says so" "$output" 'give --yes'
ok "nothing was done" kvault key show "$vault/k"
exits 2 "one version cannot be deleted" kvault key delete "$vault/k/0123456789abcdef0123456789abcdef" --yes
ok "--dry-run says what it would ask for" kvault key delete "$vault/k" --dry-run
is "... and that is all" "$output" "DELETE /vaults/$vault/keys/k"
kvault key encrypt "$vault/users" --in data --out x.kv
typed=$(script -qec "kvault key delete $vault/users" /dev/null <<<n)
like "who uses it is shown before" "$typed" "in use by uid 0, .*/kvault"
like "... and it asks" "$typed" '\[y/N\]'
ok "no is no" kvault key show "$vault/users"
script -qec "kvault key delete $vault/users" /dev/null <<<y >/dev/null
refused "yes is yes" kvault key show "$vault/users"
script -qec "kvault key purge $vault/users" /dev/null <<<other >/dev/null
ok "another name is no" kvault key recover "$vault/users"
kvault key delete "$vault/users" --yes >/dev/null
script -qec "kvault key purge $vault/users" /dev/null <<<users >/dev/null
refused "its name is yes" kvault key recover "$vault/users"

# --- deleted
ok "delete" kvault key delete "$vault/k" --yes
refused "a deleted key decrypts nothing" kvault key decrypt "$vault/k" --in data.kv --out no
refused "... is not shown" kvault key show "$vault/k"
unlike "... is not listed" "$(kvault key list "$vault" --quiet)" '/k$'
like "... but with what is deleted" "$(kvault key deleted "$vault" --quiet)" '/k$'
refused "its name is taken" kvault key create "$vault/k" --kty oct
like "... which is said" "$output" 'ObjectIsDeletedButRecoverable'
ok "recover" kvault key recover "$vault/k"
ok "... and it decrypts" kvault key decrypt "$vault/k" --in data.kv --out data.out
ok "... to the same bytes" cmp data data.out
refused "what is not deleted cannot be recovered" kvault key recover "$vault/k"
refused "... nor purged" kvault key purge "$vault/k" --yes
ok "operations have their names in the log" sh -c "kvault audit show --json -n 300 | jq -es \
	'[.. | .operationName? // empty] | (index(\"KeyDelete\") and index(\"KeyRecover\") and index(\"KeyPurge\") and index(\"KeyListDeleted\"))'"

# --- a protected vault
ok "a vault with purge protection" kvault vault create "$vault-p" --retention 7 --purge-protection
kvault key create "$vault-p/k" --kty oct >/dev/null
kvault key create "$vault/long" --kty oct >/dev/null
kvault key delete "$vault-p/k" --yes >/dev/null
kvault key delete "$vault/long" --yes >/dev/null
refused "purges nothing" kvault key purge "$vault-p/k" --yes
like "... and says why" "$output" 'ForbiddenByPolicy'

# --- nothing of it on the disk: the blob's id is in its header, 24 bytes behind its magic
kvault key create "$vault/gone" --kty oct >/dev/null
blob() {
	python3 - "$1" <<-'EOF'
	import sqlite3, sys
	db = sqlite3.connect("file:/var/lib/kvault/kvault.db?mode=ro", uri=True)
	row = db.execute("SELECT blob FROM versions v JOIN objects o ON o.tenant = v.tenant AND o.id = v.object WHERE o.name = ?", (sys.argv[1],)).fetchone()
	open("blob", "wb").write(row[0][24:])
	EOF
}
# on_disk: exit 0 when a file of the store has the bytes of ./blob
# shellcheck disable=SC2317
on_disk() {
	python3 -c '
import glob, sys
blob = open("blob", "rb").read()
sys.exit(0 if any(blob in open(f, "rb").read() for f in glob.glob("/var/lib/kvault/kvault.db*")) else 1)'
}
systemctl stop kvaultd && blob gone && systemctl start kvaultd
eventually 20 daemon_is_up
ok "the blob of a key is in the store" on_disk
kvault key delete "$vault/gone" --yes >/dev/null
ok "... while it is deleted, too" on_disk
ok "purge" kvault key purge "$vault/gone" --yes
fails "... and no file of the store has it" on_disk

# --- time passes while the daemon is away: what is in the store is eight days older
systemctl stop kvaultd
python3 -c '
import sqlite3
db = sqlite3.connect("/var/lib/kvault/kvault.db")
db.execute("UPDATE objects SET deleted = deleted - 8 * 86400, purge = purge - 8 * 86400 WHERE deleted > 0")
db.execute("UPDATE versions SET created = created - 8 * 86400")
db.commit()'
systemctl start kvaultd
eventually 20 daemon_is_up
# shellcheck disable=SC2317
none_is_deleted() {
	[ -z "$(kvault key deleted "$vault-p" --quiet)" ]
}
ok "what was deleted 8 days ago is purged by itself" eventually 30 none_is_deleted
like "... with its record" "$(kvault audit show --json -n 50 | jq -r '.. | select(.face? == "timer") | .operationName')" KeyPurge
like "what was deleted in a vault of 90 days is there still" "$(kvault key deleted "$vault" --quiet)" '/long$'

# --- unused
ok "a key that was used is not unused" kvault key encrypt "$vault/k" --in data --out x.kv
unlike "... for an hour" "$(kvault key list "$vault" --unused-for 1h --quiet)" '/k$'
like "one that was not, is" "$(kvault key list "$vault" --unused-for 1h --quiet)" '/sign$'
ok "users shows its last use" kvault key users "$vault/k"
like "... by version" "$output" 'last used'
tap_done
