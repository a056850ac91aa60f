#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A key that is made in a PKCS#11 token and never leaves it:
#
#   kvault --> kernel --> kvault-engine pkcs11 --> libsofthsm2 --> token
#
# vm: --smp 1
# timeout: 400
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

[ -e /usr/lib/softhsm/libsofthsm2.so ] || skip_all "there is no SoftHSM2"
module=/usr/lib/softhsm/libsofthsm2.so

kvault vault create "$vault-early" --sku premium >/dev/null
run kvault key create "$vault-early/ec" --kty EC-HSM --timeout 5
is "a premium vault without a token says 'unavailable'" "$status" 4

# The token belongs to the engine's user; its PIN comes as a credential.
tokens=/var/lib/kvault-test-tokens
export SOFTHSM2_CONF=/etc/kvault/softhsm2.conf
mkdir -p /etc/kvault "$tokens" /run/systemd/system/kvault-engine-pkcs11.service.d
echo "directories.tokendir = $tokens" >$SOFTHSM2_CONF
ok "a token is initialised" softhsm2-util --init-token --free --label hsmtest --so-pin 87654321 --pin 123456
chown -R kvault-engine-pkcs11: "$tokens"
(umask 077 && echo -n 123456 >/run/hsm-pin)
cat >/etc/kvault/engine-pkcs11.conf <<-CONF
	[token]
	module = $module
	token = pkcs11:token=hsmtest
	pin-credential = pin
CONF
cat >/run/systemd/system/kvault-engine-pkcs11.service.d/test.conf <<-CONF
	[Service]
	Environment=SOFTHSM2_CONF=$SOFTHSM2_CONF
	ReadWritePaths=$tokens
	LoadCredential=pin:/run/hsm-pin
CONF
systemctl daemon-reload
ok "the engine starts" systemctl start kvault-engine-pkcs11
ok "a premium vault" kvault vault create "$vault" --sku premium
ok "an EC key is made in the token" kvault key create "$vault/hsm" --kty EC-HSM --curve P-256
[ "$status" = 0 ] || note "$(journalctl -u kvault-engine-pkcs11 --no-pager -n 20)"
is "it says where it is" "$(kvault key show "$vault/hsm" --json | jq -r .key.kty)" EC-HSM
echo 'what is signed' >data
ok "it signs" kvault key sign "$vault/hsm" --alg ES256 --in data --out sig
ok "its public half is given out" kvault key public "$vault/hsm" --out hsm.pem
ok "openssl verifies" openssl dgst -sha256 -verify hsm.pem -signature sig data
exits 0 "kvault verifies" kvault key verify "$vault/hsm" --alg ES256 --in data --sig sig
cp sig bad.sig
printf '\x42' | dd of=bad.sig bs=1 seek=20 conv=notrunc status=none
exits 1 "a changed signature does not verify" kvault key verify "$vault/hsm" --alg ES256 --in data --sig bad.sig
ok "an RSA key is made in the token" kvault key create "$vault/rsa" --kty RSA-HSM --size 2048 --timeout 120
ok "it signs with PSS" kvault key sign "$vault/rsa" --alg PS256 --in data --out rsig
kvault key public "$vault/rsa" --out rsa.pem
ok "openssl verifies" openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 \
	-verify rsa.pem -signature rsig data
ok "keyctl uses it as well" keyctl request2 kvault "$vault/hsm" "" @s
serial=$output
openssl dgst -sha256 -binary data >digest
ok "... to sign" sh -c "keyctl pkey_sign $serial 0 digest enc=raw hash=sha256 >k.sig"

run pkcs11-tool --module $module --token-label hsmtest --login --pin 123456 \
	--list-objects --type privkey
like "the token has the private keys" "$output" 'Private Key Object'
like "... which are sensitive" "$output" 'sensitive'
like "... and never were extractable" "$output" 'never extractable'
unlike "... none is extractable" "$(grep -i access <<<"$output" | sed 's/never extractable//')" 'extractable'

# --- the engine and its token go away and come back -----------------------------------------------
ok "the engine stops" systemctl stop kvault-engine-pkcs11
exits 4 "without it nothing is signed" kvault key sign "$vault/hsm" --alg ES256 --in data --out none --timeout 3
fails "... and nothing is written" test -e none
ok "other keys go on" kvault key create "$vault/soft" --kty EC
ok "it starts" systemctl start kvault-engine-pkcs11
ok "and signs" kvault key sign "$vault/hsm" --alg ES256 --in data --out sig2 --timeout 60
ok "openssl verifies" openssl dgst -sha256 -verify hsm.pem -signature sig2 data
ok "a disabled key" kvault key update "$vault/hsm" --disabled
refused "signs nothing" kvault key sign "$vault/hsm" --alg ES256 --in data --out none
tap_done
