#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kvault-audit-verify with logs that are made here, by another program: what a
# checkpoint signs, and what does not pass for it.
set -u
verify=$(realpath "$(dirname "$0")/../kvault-audit-verify")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit

n=0 bad=0
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' out
		bad=$((bad + 1))
	fi
}

# log SIGNED: three records and a checkpoint of the third. SIGNED is a Python
# expression of store, tenant, seq (8 bytes) and h, the hash: what is hashed and signed.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -outform DER -out key.der
cat >make-log <<'PY'
import base64, hashlib, json, subprocess, sys
store, tenant, seq = bytes(range(16)), bytes(range(16, 32)), (3).to_bytes(8, "big")
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
point = open("key.der", "rb").read()[-64:]
key = {"kty": "EC", "crv": "P-256", "x": b64(point[:32]), "y": b64(point[32:]), "store": store.hex()}
lines, h = [], bytes(32)
def put(record):
    global h
    record = {"seq": len(lines) + 1, "tenant": tenant.hex(), **record}
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    h = hashlib.sha256(b"\0" + h + text.encode()).digest()
    lines.append(json.dumps({**record, "hash": h.hex()}, ensure_ascii=False))
for name in ("One", "Two", "Thr\u00e9e\n"):
    put({"operationName": name})
signed = eval(sys.argv[1])
digest = signed if len(signed) == 32 else hashlib.sha256(signed).digest()
der = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", "key.pem"], input=digest,
                     capture_output=True, check=True).stdout
def number(p):
    return int.from_bytes(der[p + 2:p + 2 + der[p + 1]], "big").to_bytes(32, "big"), p + 2 + der[p + 1]
r, p = number(2)
s, p = number(p)
put({"operationName": "AuditCheckpoint", "signature": b64(r + s), "signedSeq": 3})
head = {"kvaultAuditExport": 1, "tenant": tenant.hex(), "key": key,
        "audit": {"records": len(lines), "head": h.hex()}}
open("log", "w", encoding="utf-8").write("\n".join([json.dumps(head)] + lines) + "\n")
PY

# verdict STATUS TEXT: of the log that was made last.
verdict() {
	"$verify" log >out 2>&1
	[ $? = "$1" ]
	result $? "$2"
}
label='b"kvault/1/audit-head"'
python3 make-log "$label + store + tenant + seq + h"
verdict 0 'a signed log is whole'
grep -q '4 records, 1 signed checkpoint' out
result $? 'its checkpoint is counted'
sed -i '3s/Two/Tow/' log
verdict 1 'a changed record is noticed'
grep -q 'record 2' out
result $? 'and named'
python3 make-log h
verdict 1 'a signature of the bare hash is none'
python3 make-log "$label + bytes(16) + tenant + seq + h"
verdict 1 'a signature of another store is none'
python3 make-log "$label + store + bytes(16) + seq + h"
verdict 1 'a signature of another tenant is none'
python3 make-log "$label + store + tenant + (2).to_bytes(8, 'big') + h"
verdict 1 'a signature of another record is none'
python3 make-log "$label + store + tenant + seq + h"
sed -i '1s/"store": "[0-9a-f]*"/"store": "00"/' log
verdict 1 'a first line that names no store is refused'
sed -i '$d' log
verdict 1 'a record that is cut off at the end is missed'
echo "1..$n"
[ "$bad" = 0 ]
