#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The log: everything is in it, with who; nothing can be changed in it unseen.
# vm: --smp 1
# timeout: 400
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"
db=/var/lib/kvault/kvault.db

# The newest record of an operation on a key of ours; jq's condition as second argument.
has() {
	eventually 10 sh -c "kvault audit show --json -n 500 | jq -es '[.. | objects | select(.operationName? == \"$2\" and (.object // \"\" | contains(\"$vault\")) and ($3))] | length > 0'"
	tap_result $? "$1"
}

echo x >data
head -c 32 /dev/urandom >digest
new_vault
kvault key create "$vault/ec" --kty EC >/dev/null
kvault key create "$vault/aes" --kty oct >/dev/null
has "a key that is made is in it" KeyCreate '.resultType == "Success"'
kvault key sign "$vault/ec" --in data --out sig
has "a signature is in it" KeySign '.resultType == "Success" and .count == 1'
has "... with uid and gid" KeySign '.principal.uid == 0 and .principal.gid == 0'
has "... with the executable" KeySign '.principal.exe | endswith("/kvault")'
has "... with its tenant" KeySign '.tenant != null'
has "... with the way it came" KeySign '.face == "ioctl"'
keyctl request2 kvault "$vault/ec" "" @s >/dev/null
keyctl pkey_sign "$(keyctl request2 kvault "$vault/ec" "" @s)" 0 digest enc=raw >/dev/null
has "a signature by keyctl is in it" KeySign '.face == "keyring"'
has "... with keyctl as executable" KeySign '.principal.exe | endswith("/keyctl")'
for _ in 1 2 3; do
	kvault key encrypt "$vault/aes" --alg A256GCM --in data --out data.kv
done
has "symmetric operations are counted under a lease" KeyEncrypt '.count >= 1 and (.lease // "") != ""'
# shellcheck disable=SC2317 # called by another shell
total() {
	kvault audit show --json -n 1000 | jq -s "[.. | objects | select(.operationName? == \"KeyEncrypt\" and .resultType == \"Success\" and (.object // \"\" | contains(\"$vault\"))) | .count] | add"
}
ok "each of them exactly once" eventually 10 sh -c "$(declare -f total); vault='$vault'; [ \"\$(total)\" = 3 ]"

# --- who -----------------------------------------------------------------------------------------
setpriv --reuid 4242 --regid 4243 --clear-groups kvault key sign "$vault/ec" --in data --out - >/dev/null 2>&1
has "a refusal is in it" KeyOpen '.resultType == "Denied" and .principal.uid == 4242'
ok "denials can be asked for" sh -c "kvault audit show --denied --json -n 20 | grep -q 4242"
# A file of the host in the hands of a user namespace: the kernel itself refuses.
cat >foreign.py <<'PY'
import fcntl, struct, sys
try:
    fcntl.ioctl(5, 0xE900, bytearray(struct.pack("<II72x", 80, 0)))
except PermissionError:
    sys.exit(0)
sys.exit(1)
PY
exec 5<>/dev/kvault
# The refusal is in the log of who tried, which goes with his tenant: he looks himself.
cat >foreign.sh <<'SH'
/usr/bin/python3 foreign.py || exit 1
for _ in $(seq 50); do
	kvault audit show --denied --json -n 50 >foreign.log
	jq -es '[.. | objects | select(.resultSignature? == "EACCES" and (.principal.exe // "" | contains("python")))] | length > 0' foreign.log && exit 0
	sleep 0.2
done
exit 2
SH
run unshare -Ur sh foreign.sh
tap_result $((status == 1)) "a file of the host is of no use elsewhere"
tap_result $status "a file from elsewhere leaves a refusal in the log"
unlike "... of the one who tried, not of the host" "$(kvault audit show --denied --json -n 50)" 'python'
exec 5>&-
cat >/run/systemd/system/kv-audit.service <<UNIT
[Service]
Type=oneshot
WorkingDirectory=$PWD
ExecStart=/usr/bin/kvault key sign $vault/ec --in data --out unit.sig
UNIT
systemctl daemon-reload
ok "a unit signs" systemctl start kv-audit.service
has "its unit is in the log" KeySign '.principal.unit == "kv-audit.service"'
echo 4711 >/proc/self/loginuid 2>/dev/null
if [ "$(cat /proc/self/loginuid 2>/dev/null)" = 4711 ]; then
	kvault key sign "$vault/ec" --in data --out sig
	has "the login uid is in the log" KeySign '.principal.loginUid == 4711'
	setpriv --reuid 4242 --regid 4242 --clear-groups kvault key sign "$vault/ec" --in data --out - >/dev/null 2>&1
	has "... also after a change of uid" KeyOpen '.principal.loginUid == 4711 and .principal.uid == 4242'
else
	tap_result 1 "the login uid can be set in this guest"
fi
unshare -Ur kvault vault list >/dev/null
has_foreign=$(unshare -Ur kvault audit show --json -n 100 2>&1)
unlike "a tenant reads nothing of the host's log" "$has_foreign" "$vault"
fails "a user without the right does not read it" setpriv --reuid 4242 --regid 4242 --clear-groups kvault audit show

# --- the chain --------------------------------------------------------------------------------------
ok "the log verifies" kvault audit verify
kvault audit export --out log.json
python3 - <<'PY'
import hashlib, json, sys
h, n = bytes(32), 0
for line in open("log.json", encoding="utf-8"):
    r = json.loads(line)
    if "kvaultAuditExport" in r:
        continue  # the first line says what this is
    want = r.pop("hash")
    text = json.dumps(r, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    h = hashlib.sha256(b"\0" + h + text.encode()).digest()
    n += 1
    if h.hex() != want or r["seq"] != n:
        print(f"# record {r['seq']} does not follow")
        sys.exit(1)
print(f"# {n} records")
PY
tap_result $? "an independent script verifies it as well"

# Changes the stored log and has it verified; what the kernel saw does not go back.
tamper() {
	systemctl stop kvaultd
	sqlite3 "$db" "$1"
	systemctl start kvaultd
	eventually 20 daemon_is_up
}
records() {
	kvault audit show --json -n 500 | jq -s "[.. | objects | select(.operationName? == \"KeySign\" and (.object // \"\" | contains(\"$vault\"))) | .seq] | max"
}
seq=$(records)
ours="tenant = (select tenant from audit where json like '%$vault%' limit 1)"
tamper "create table kept as select * from audit where seq = $seq and $ours;
	update audit set json = replace(json, 'KeySign', 'KeySigm') where seq = $seq and $ours"
exits 1 "a changed byte is noticed" kvault audit verify
like "... and the record is named" "$output" "\\b$seq\\b"
tamper "update audit set json = replace(json, 'KeySigm', 'KeySign') where seq = $seq and $ours"
exits 0 "changed back, it verifies" kvault audit verify
tamper "delete from audit where seq = $seq and $ours"
exits 1 "a record that is gone is noticed" kvault audit verify
like "... and its place is named" "$output" "\\b$seq\\b"
tamper "insert into audit select * from kept; drop table kept"
exits 0 "put back, it verifies" kvault audit verify
swap="update audit set seq = -$seq where seq = $((seq - 1)) and $ours;
	update audit set seq = $((seq - 1)) where seq = $seq and $ours;
	update audit set seq = $seq where seq = -$seq and $ours"
tamper "$swap"
exits 1 "two records in another order are noticed" kvault audit verify
tamper "$swap"
exits 0 "swapped back, it verifies" kvault audit verify

# --- an old copy of the store ------------------------------------------------------------------
systemctl stop kvaultd
sqlite3 "$db" 'pragma wal_checkpoint(truncate)' >/dev/null
cp "$db" old.db
systemctl start kvaultd
eventually 20 daemon_is_up
kvault key update "$vault/aes" --disabled >/dev/null
systemctl stop kvaultd
sqlite3 "$db" 'pragma wal_checkpoint(truncate)' >/dev/null
cp "$db" new.db
install -o kvault -g kvault -m 600 old.db "$db"
fails "an older copy of the store is refused while the kernel remembers" systemctl start kvaultd
systemctl stop kvaultd
rm -f "$db-wal" "$db-shm"
install -o kvault -g kvault -m 600 new.db "$db"
systemctl reset-failed kvaultd
ok "the right one is taken" systemctl start kvaultd
ok "it serves" eventually 20 daemon_is_up
refused "the key is disabled" kvault key encrypt "$vault/aes" --alg A256GCM --in data --out none
ok "at the end the log is whole" kvault audit verify
tap_done
