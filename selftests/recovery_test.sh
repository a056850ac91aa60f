#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The store on another machine, by the recovery code alone:
#
#   guest A (machine id a): keys, recovery code --> state disk, without its secret
#   guest B (machine id b): kvault-root recover <code --> the same keys
#
# vm: host
# timeout: 600
. "$(dirname "$0")/lib.sh"

state=$(mktemp "${TMPDIR:-/tmp}/kv-recovery.XXXXXX")
share=$(mktemp -d "${TMPDIR:-/tmp}/kv-recovery.XXXXXX")
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	rm -rf "$state" "$share"
	tap_end
}
trap cleanup EXIT
: >"$state"

cat >"$share/first" <<'GUEST'
cd /mnt/state || exit 1
echo 'what is signed' >data
kvault status
set -e
kvault vault create keep
kvault key create keep/ec --kty EC
kvault key create keep/aes --kty oct
kvault key public keep/ec --out ec.pem
kvault key encrypt keep/aes --alg A256GCM --in data --out data.kv
# The machine's own secret does not come along: only the code will do.
kvault root recovery create --yes >/run/recovery
grep -oE '([0-9A-HJKMNP-TV-Z]{4}-){13}[0-9A-HJKMNP-TV-Z]{4}' /run/recovery | head -n 1 >/mnt/state/code
test -s /mnt/state/code
kvault root slot list
systemctl stop kvaultd kvault-root
rm -f /mnt/state/systemd/credential.secret
sync
echo FIRST-DONE
GUEST
cat >"$share/second" <<'GUEST'
cd /mnt/state || exit 1
echo "=== without the code"
timeout 15 kvault key show keep/ec; echo "show: $?"
journalctl -b --no-pager -o cat -u kvault-root-explain
kvault status
echo "=== a wrong code"
sed 's/^./0/; s/^0000/1111/' code | tr 'Z' 'Y' | sed 's/.$/0/' >wrong
/usr/libexec/kvault/kvault-root recover <wrong; echo "wrong: $?"
head -c 30 code | /usr/libexec/kvault/kvault-root recover; echo "short: $?"
echo "=== the code"
/usr/libexec/kvault/kvault-root recover <code; echo "recover: $?"
systemctl reset-failed 'kvault*'
systemctl restart kvault-root
systemctl restart kvaultd
for _ in $(seq 100); do kvault status >/dev/null 2>&1 && break; sleep 0.1; done
kvault status
kvault key sign keep/ec --in data --out sig && openssl dgst -sha256 -verify ec.pem -signature sig data
kvault key decrypt keep/aes --in data.kv --out data.out && cmp data data.out && echo "decrypted: equal"
kvault root slot list
kvault audit verify; echo "audit: $?"
GUEST

# shellcheck disable=SC2086 # VM_RUN is a command with its options
boot() {
	output=$($VM_RUN --state "$state" --machine-id "$1" --file "$share/$2" -- "bash /mnt/in/$2" 2>&1 </dev/null)
	status=$?
	note "$output"
}

boot 11111111111111111111111111111111 first
like "a store is made, and a recovery code for it" "$output" 'FIRST-DONE'
boot 22222222222222222222222222222222 second
like "another machine does not open it" "$output" 'show: [1-9]'
like "the journal says what opens it" "$output" "cannot be decrypted on this machine.*kvault-root recover"
like "kvault status does, too" "$output" 'another machine, ./usr/libexec/kvault/kvault-root recover'
like "a wrong code does not, either" "$output" 'wrong: [1-9]'
like "nor a part of it" "$output" 'short: [1-9]'
like "the code opens it" "$output" 'recover: 0'
like "the EC key signs as before" "$output" 'Verified OK'
like "the AES key decrypts as before" "$output" 'decrypted: equal'
like "the log is whole" "$output" 'audit: 0'
tap_done
