#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two boots of one machine, and what a crash leaves:
#
#   boot 1: keys, a volume, a recovery code -> power cut (sysrq-b)
#   boot 2: all that was acknowledged is there; the log is whole; the volume opens
#
# vm: --state @ --smp 1
# timeout: 400
# shellcheck disable=SC2129 # one line, one command
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"
state=/mnt/state/restart

if [ "${VM_BOOT:-1}" = 1 ]; then
	mkdir -p $state
	cd $state || exit
	echo 'what is signed' >data
	kvault vault create keep >r1 2>&1
	kvault key create keep/aes --kty oct >>r1 2>&1
	kvault key create keep/ec --kty EC >>r1 2>&1
	kvault key create keep/off --kty oct >>r1 2>&1
	kvault key update keep/off --disabled >>r1 2>&1
	kvault key create keep/disk --for volume >>r1 2>&1
	kvault volume token keep/disk --out token >>r1 2>&1
	kvault key encrypt keep/aes --alg A256GCM --in data --out data.kv >>r1 2>&1
	kvault key public keep/ec --out ec.pem >>r1 2>&1
	truncate -s 8M disk.img
	echo -n pass >pass
	modprobe loop
	d=$(losetup -f --show disk.img)
	cryptsetup luksFormat -q --type luks2 --cipher paes-xts-plain64 --key-size 1024 --luks2-metadata-size 16k \
		--luks2-keyslots-size 512k --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --volume-key-file token "$d" pass >>r1 2>&1
	cryptsetup open --key-file pass "$d" keep >>r1 2>&1
	dd if=data of=/dev/mapper/keep bs=512 count=1 conv=sync,fsync oflag=direct status=none >>r1 2>&1
	sync
	# Acknowledged one by one up to the very cut: each name is on the disk first.
	n=0
	while [ $n -lt 20 ]; do
		kvault key create keep/n$n --kty oct >/dev/null 2>>r1 || break
		echo $n >acknowledged
		sync acknowledged
		n=$((n + 1))
	done
	unshare -Ur sh -c 'kvault vault create ghost; kvault key create ghost/key --kty oct' >>r1 2>&1
	vm-reboot --crash
fi

# --- boot 2 ------------------------------------------------------------------------------------
cd $state || exit
note "$(cat r1)"
ok "the daemon is there" eventually 20 daemon_is_up
ok "what was encrypted before opens" kvault key decrypt keep/aes --in data.kv --out data.out
ok "... to the same bytes" cmp data data.out
ok "the EC key signs" kvault key sign keep/ec --alg ES256 --in data --out sig
ok "... and is the same" openssl dgst -sha256 -verify ec.pem -signature sig data
refused "the disabled key is disabled" kvault key encrypt keep/off --alg A256GCM --in data --out no
last=$(cat acknowledged)
like "keys were acknowledged up to the power cut" "$last" '^[0-9]+$'
missing=0
for n in $(seq 0 "$last"); do
	kvault key show "keep/n$n" >/dev/null 2>&1 || missing=$((missing + 1))
done
is "every one of them is there" $missing 0
modprobe loop
ok "the volume opens by the same token" cryptsetup open --key-file pass "$(losetup -f --show disk.img)" keep
is "its first sector is there" "$(head -c 15 /dev/mapper/keep)" "what is signed"
cryptsetup close keep
ok "the log verifies over the crash" kvault audit verify
fails "of ephemeral tenants nothing is on the disk" grep -raq ghost /var/lib/kvault
ok "a new key is made" kvault key create keep/after --kty oct
tap_done
