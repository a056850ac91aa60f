#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The library of a token was taken over: what it gets at, from inside the real
# engine. It is SoftHSM2 with attempts of its own, token_hostile.c:
#
#   kvault --> kernel --> kvault-engine pkcs11 --> token_hostile.so --> libsofthsm2
#
# vm: --smp 1
# timeout: 400
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

[ -e /usr/lib/softhsm/libsofthsm2.so ] || skip_all "there is no SoftHSM2"
install -m 755 "$(dirname "$0")/token_hostile.so" /usr/local/lib/ || exit

pids_of() {
	systemctl show -p ControlGroup --value "$1" | sed 's|.*|/sys/fs/cgroup&/cgroup.procs|' |
		xargs cat
}

tokens=/var/lib/kvault-test-tokens
export SOFTHSM2_CONF=/etc/kvault/softhsm2.conf
mkdir -p /etc/kvault "$tokens" /run/systemd/system/kvault-engine-pkcs11.service.d
echo "directories.tokendir = $tokens" >$SOFTHSM2_CONF
softhsm2-util --init-token --free --label hostile --so-pin 87654321 --pin 123456 >/dev/null
chown -R kvault-engine-pkcs11: "$tokens"
(umask 077 && echo -n 123456 >/run/hsm-pin)
cat >/etc/kvault/engine-pkcs11.conf <<-CONF
	[token]
	module = /usr/local/lib/token_hostile.so
	token = pkcs11:token=hostile
	pin-credential = pin
CONF
cat >/run/systemd/system/kvault-engine-pkcs11.service.d/test.conf <<-CONF
	[Service]
	Environment=SOFTHSM2_CONF=$SOFTHSM2_CONF
	Environment=KV_HOSTILE_REPORT=$tokens/report
	Environment=KV_HOSTILE_PID=$(systemctl show -p MainPID --value kvault-engine-openssl)
	ReadWritePaths=$tokens
	LoadCredential=pin:/run/hsm-pin
CONF
systemctl daemon-reload
ok "the engine starts" systemctl start kvault-engine-pkcs11
kvault vault create "$vault" --sku premium >/dev/null
ok "a key in the token" kvault key create "$vault/hsm" --kty EC-HSM --curve P-256
echo 'what is signed' >data
ok "it signs, and tries" kvault key sign "$vault/hsm" --alg ES256 --in data --out sig
# Two lines of the thread, one after the other.
ok "all was tried" eventually 20 grep -q '^thread signal' "$tokens/report"

# came TEXT PHASE ATTEMPT REGEX
came() {
	like "$1 ($2)" "$(sed -n "s/^$2 $3 //p" "$tokens/report" | sort -u | tr '\n' ' ')" "^($4) $"
}

for phase in init sign; do
	came "the node of software keys is another user's" $phase node-of-software-keys EACCES
	came "at its own node it gets no software keys" $phase attach-for-software-keys EPERM
	came "nothing is written into the parent" $phase memory-of-the-parent 'ENOENT|EACCES'
	came "nothing is written into the other engine" $phase memory-of-the-other-engine 'ENOENT|EACCES'
	came "the other engine gets no signal" $phase signal-to-the-other-engine EPERM
done
came "nor does the parent" sign signal-to-the-parent EPERM
came "... nor by a file" sign signal-by-a-file EPERM
came "limits of the parent are not its business" sign limit-of-the-parent EPERM
came "abort() works" sign signal-to-itself 'done'
came "a thread that was there before the filter has it" thread prctl EPERM
came "... whole" thread signal-to-the-parent EPERM

# Not even by a process of the same user, which has no filter at all: the program
# cannot be read, so that what starts from it is closed from its first instruction.
for kind in openssl:kvault-engine pkcs11:kvault-engine-pkcs11; do
	user=${kind#*:}
	is "the engine ${kind%:*} runs as $user alone" \
		"$(pids_of "kvault-engine-${kind%:*}" | xargs ps -o user:30= -p | sort -u)" "$user"
	open=$(for pid in $(pids_of "kvault-engine-${kind%:*}"); do
		setpriv --reuid "$user" --regid "$user" --clear-groups cat "/proc/$pid/environ" 2>/dev/null |
			tr '\0' '\n'
	done)
	is "... and opens none of its processes to itself" "$open" ''
	fails "... not by its program either" \
		setpriv --reuid "$user" --regid "$user" --clear-groups head -c 4 /usr/libexec/kvault/kvault-engine
done
ok "software keys go on" kvault key create "$vault/soft" --kty EC
tap_done
