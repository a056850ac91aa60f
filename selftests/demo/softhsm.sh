# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# An HSM for steps 3 and 8: a SoftHSM2 token on the demo's disk, that belongs to the
# user of the engine and is configured as any HSM would be.
tokens=/mnt/state/softhsm
export SOFTHSM2_CONF=/etc/kvault/softhsm2.conf

# The configuration is not on a disk in this guest: after a restart it is made anew.
softhsm_configure() {
	mkdir -p /etc/kvault /run/systemd/system/kvault-engine-pkcs11.service.d "$tokens"
	echo "directories.tokendir = $tokens" >$SOFTHSM2_CONF
	cat >/etc/kvault/engine-pkcs11.conf <<-CONF
	[token]
	module = /usr/lib/softhsm/libsofthsm2.so
	token = pkcs11:token=demo
	pin-credential = pin
	CONF
	cat >/run/systemd/system/kvault-engine-pkcs11.service.d/demo.conf <<-UNIT
	[Service]
	Environment=SOFTHSM2_CONF=$SOFTHSM2_CONF
	ReadWritePaths=$tokens
	LoadCredential=pin:$tokens.pin
	UNIT
}

softhsm_token() {
	softhsm_configure
	(umask 077 && echo -n 271828 >"$tokens.pin")
	run 'softhsm2-util --init-token --free --label demo --pin 271828 --so-pin 314159'
	chown -R kvault-engine-pkcs11: "$tokens"
}

softhsm_serve() {
	softhsm_configure
	run 'systemctl daemon-reload; systemctl start kvault-engine-pkcs11'
}

softhsm_objects() {
	run 'pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label demo --login --pin 271828 --list-objects --type privkey'
}
