#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Life of the module: what pins it, and that it goes and comes again when nothing
# does. The services are stopped for it and started after it.
# vm: --smp 2
# timeout: 400
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

services=(kvaultd kvault-engine-openssl kvault-engine-pkcs11)

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	dmsetup remove --retry "${vault}V" 2>/dev/null
	free_disks
	modprobe kvault
	systemctl restart kvault-root "${services[@]}" 2>/dev/null
	tap_end
}
trap cleanup EXIT

stays() {
	fails "$1" rmmod kvault
	like "... because it is in use" "$output" 'in use'
}

new_vault
kvault key create "$vault/ec" --kty EC >/dev/null
kvault key create "$vault/disk" --for volume >/dev/null
kvault key create "$vault/aes" --kty oct >/dev/null
kvault volume token "$vault/disk" --out token
stays "rmmod is refused while the daemon and the engines run"
ok "a key is in a keyring" keyctl request2 kvault "$vault/ec" "" @s
serial=$output
new_disk disk 8
ok "a volume is open" cryptsetup open --type plain --cipher paes-xts-plain64 --key-size 1024 \
	--key-file token --hash plain "$loop_device" "${vault}V"
ok "the services stop" systemctl stop "${services[@]}" kvault-root
stays "rmmod is refused while a volume is open"
ok "the volume closes" dmsetup remove --retry "${vault}V"
stays "rmmod is refused while a key is in a keyring"
ok "the key is unlinked" keyctl unlink "$serial" @s
exec 5<>/dev/kvault
eventually 5 grep -qx 1 /sys/module/kvault/refcnt
stays "rmmod is refused while a file is open"
exec 5>&-
ok "rmmod succeeds when nothing lives" eventually 10 rmmod kvault
fails "the nodes are gone" test -e /dev/kvault
fails "paes is gone" grep -q paes /proc/crypto
ok "the module loads again" modprobe kvault
ok "the services start" systemctl start kvault-root kvaultd kvault-engine-openssl
ok "and serve" eventually 20 daemon_is_up
echo x >data
ok "the keys are there" kvault key sign "$vault/ec" --in data --out sig
ok "all of them" kvault key encrypt "$vault/aes" --alg A256GCM --in data --out data.kv

# While others look at it: /proc/keys, INFO, request_key(), the netlink family's policy.
look() {
	while [ ! -e stop ]; do
		cat /proc/keys /proc/crypto >/dev/null
		kvault version >/dev/null 2>&1
		keyctl request2 kvault "$vault/none" "" @s >/dev/null 2>&1
		genl ctrl policy name kvault >/dev/null 2>&1
	done
}
systemctl stop "${services[@]}" kvault-root
look &
looker=$!
for i in 1 2 3 4 5; do
	ok "round $i: it goes while others look" eventually 15 rmmod kvault
	modprobe kvault
done
touch stop
wait "$looker"
ok "the services start once more" systemctl start kvault-root kvaultd kvault-engine-openssl
ok "and serve" eventually 20 daemon_is_up
tap_done
