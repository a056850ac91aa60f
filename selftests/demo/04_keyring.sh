#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 4: the same keys with the tools that are on the machine already.
#
# keyctl asks the kernel for a key of type 'kvault' by its name; no program of
# kvault's is involved. 'keyctl print' is how one reads a key: it gives the public
# half (a JWK), and of a symmetric key only what it is called and may be used for.
#
# BREAK=4: the key is one of the type 'user', which the kernel has always had.
. "$(dirname "$0")/lib.sh"
claim 4 "keyctl, which knows nothing of kvault, signs, verifies and decrypts with these keys. It cannot print them."

run 'keyctl request2 kvault payroll/signing "" @s'
signing=$output
check "the kernel finds the key" said '^[0-9]+$'
run "keyctl pkey_query $signing 0"
check "it can sign" said 'sign *= *y|can.*sign|\bs\b'
openssl dgst -sha256 -binary contract >digest

# raw_to_der: a P-256 signature as RFC 7518 has it, to one as X9.62 has it.
raw_to_der() {
	local hex
	hex=$(basenc --base16 -w0)
	printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${hex::64}" "${hex:64}" |
		openssl asn1parse -genconf /dev/stdin -noout -out /dev/stdout
}

run "keyctl pkey_sign $signing 0 digest enc=raw hash=sha256 >keyctl.raw"
check "it signs" test "$(stat -c %s keyctl.raw)" = 64
run "keyctl pkey_verify $signing 0 digest keyctl.raw enc=raw hash=sha256 && echo verified"
check "it verifies" said '^verified'
say "This is r and s, one after the other. openssl wants them as DER:"
raw_to_der <keyctl.raw >keyctl.sig
run 'openssl dgst -sha256 -verify signing.pem -signature keyctl.sig contract'
check "openssl verifies it too" said '^Verified OK'

run 'keyctl request2 kvault payroll/contracts "" @s'
contracts=$output
echo 'the safe is behind the painting' >note
run 'openssl pkeyutl -encrypt -pubin -inkey contracts.pem -in note -out note.rsa'
run "keyctl pkey_decrypt $contracts 0 note.rsa enc=pkcs1"
check "it decrypts what openssl encrypted" test "$output" = "$(cat note)"

say "And can one read them?"
if [ "$BREAK" = 4 ]; then
	run "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER | keyctl padd user mine @s"
	contracts=$output
fi
run "keyctl print $contracts"
modulus=$(openssl rsa -pubin -in contracts.pem -noout -modulus | sed 's/Modulus=//' |
	basenc --base16 -d | basenc --base64url -w0 | tr -d =)
check "print gives the public half" said "\"n\": *\"$modulus\""
check "and no private half" not said '"(d|p|q|dp|dq|qi|k)"|^:hex:'
run 'keyctl request2 kvault payroll/files "" @s'
run "keyctl print $output"
check "of a symmetric key it gives the name, and no key" not said '"k"|^:hex:'
check "(but the name it gives)" said 'payroll.*files'
verdict
