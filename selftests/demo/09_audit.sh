#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 9: the log of it all.
#
# Two more entries are made first: a refusal (the user nobody has no role) and a
# signature by a systemd unit. Then one byte of one record is changed in the store,
# where root of the host can do that. The chain has to notice and to name the record.
#
# BREAK=9: kvault is built without the comparison of hashes in 'verify'.
# break: NO_HASH_CHECK
. "$(dirname "$0")/lib.sh"
claim 9 "The log says who did what, refusals too. Change one byte of it, and 'verify' names the record."

run 'setpriv --reuid nobody --regid nogroup --clear-groups kvault key sign payroll/signing --in contract --out /dev/null'
check "nobody may not sign" refused 3
cat >/run/systemd/system/payslip.service <<'UNIT'
[Service]
Type=oneshot
WorkingDirectory=/mnt/state/demo
ExecStart=/usr/bin/kvault key sign payroll/signing --in contract --out payslip.sig
UNIT
run 'systemctl daemon-reload && systemctl start payslip.service'
check "a unit signs" test -s payslip.sig

run 'kvault audit show -n 12' 14
kvault audit show --json >audit.json
check "the log has the refusal" grep -q '"Denied"' audit.json
check "with the user who was refused" grep -qE '"uid": ?65534' audit.json
check "the log has the unit" grep -q 'payslip.service' audit.json
check "the executable" grep -q '/usr/bin/kvault' audit.json
check "and the login uid" grep -qE '"loginUid": ?0' audit.json
run 'kvault audit show --denied -n 4'
check "refusals can be asked for" said 'denied'

run 'kvault audit verify'
check "the log verifies" test "$status" = 0
records=$(grep -oE '[0-9]+ records' <<<"$output" | head -n 1)
figure "records of the audit log verified" "${records% records}" 'kvault audit verify'

say "The refusal gets another culprit: one byte of its record is changed in the store, and then changed back. (kvaultd lets nobody else at its store, so it is stopped for that.)"
db=/var/lib/kvault/kvault.db
run 'systemctl stop kvaultd'
seq=$(sqlite3 $db "select max(seq) from audit where json like '%65534%'")
run "sqlite3 $db \"update audit set json = replace(json, '65534', '65533') where seq = $seq; select changes()\""
check "the byte is changed" test "$output" = 1
run 'systemctl start kvaultd; kvault audit verify'
check "it does not verify" test "$status" = 1
check "and the record is named" said "\\b$seq\\b"
run "systemctl stop kvaultd; sqlite3 $db \"update audit set json = replace(json, '65533', '65534') where seq = $seq\"; systemctl start kvaultd"
run 'kvault audit verify'
check "changed back, it verifies" test "$status" = 0
verdict
