#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 4: the same keys with the tools that are on the machine already.
#
# keyctl asks the kernel for a key of type 'kvault' by its name; no program of
# kvault's is involved. 'keyctl print' is how one reads a key: it gives the public
# half (DER), and nothing at all of a symmetric key.
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
run "keyctl pkey_sign $signing 0 digest enc=x962 hash=sha256 >keyctl.sig"
check "it signs" test -s keyctl.sig
run "keyctl pkey_verify $signing 0 digest keyctl.sig enc=x962 hash=sha256 && echo verified"
check "it verifies" said '^verified'
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
run "keyctl print $contracts" 3
tr -d ' \n' <<<"${output#:hex:}" | tr a-f A-F | basenc --base16 -d >printed.der
openssl pkey -pubin -inform DER -in printed.der -out printed.pem 2>>"$ram/stderr"
check "print gives the public half" cmp printed.pem contracts.pem
check "and no private half" not openssl pkey -inform DER -in printed.der -noout
run 'keyctl request2 kvault payroll/files "" @s'
files=$output
run "keyctl print $files"
check "a symmetric key has nothing to print" test "$status" != 0
verdict
