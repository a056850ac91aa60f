#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One user with many namespaces, each a tenant that signs, and so has an engine's
# worker of its own: the host still gets one.
#
# vm: --smp 1
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"
limit=8 guests=8

kvault vault create "$vault" >/dev/null
kvault key create "$vault/ec" --kty EC >/dev/null
mkdir -p /run/systemd/system/kvault-engine-openssl.service.d
cat >/run/systemd/system/kvault-engine-openssl.service.d/limit.conf <<-CONF
	[Service]
	ExecStart=
	ExecStart=/usr/libexec/kvault/kvault-engine openssl --max-workers $limit
CONF
systemctl daemon-reload
ok "an engine with $limit workers at most" systemctl restart kvault-engine-openssl

mkdir -m 755 /run/guests
cat >/run/guests/sign.sh <<-'GUEST'
	kvault vault create v >/dev/null
	kvault key create v/k --kty EC --timeout 60 >/dev/null
	while :; do
		kvault key sign v/k --alg ES256 --in /etc/hostname --out /dev/null --timeout 30 && echo >>/run/guests/$1
		sleep 1
	done
GUEST
pids=()
for i in $(seq "$guests"); do
	install -o 65534 /dev/null /run/guests/"$i"
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur \
		bash /run/guests/sign.sh "$i" >/dev/null 2>&1 </dev/null &
	pids+=($!)
done
# shellcheck disable=SC2317 # called by eventually
all_signed() {
	local i
	for i in $(seq "$guests"); do
		[ -s /run/guests/"$i" ] || return 1
	done
}
ok "each of $guests namespaces has signed" eventually 120 all_signed
echo data >data
ok "the host signs, whoever else does" kvault key sign "$vault/ec" --alg ES256 --in data --out sig --timeout 20
ok "and so once more" kvault key sign "$vault/ec" --alg ES256 --in data --out sig --timeout 20
note "$(systemctl show -p StatusText --value kvault-engine-openssl)"
kill "${pids[@]}"
wait 2>/dev/null
rm -rf /run/systemd/system/kvault-engine-openssl.service.d /run/guests
systemctl daemon-reload
ok "the engine as it was" systemctl restart kvault-engine-openssl
tap_done
