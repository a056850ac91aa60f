#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 1: a vault with keys, made and imported.
#
# The imported JWK is the example of RFC 7515, A.3, the PEM is openssl's. What came
# in must be what is there: the public halves are compared. And it must be there
# sealed: the store's files are searched for the private halves, by the command
# that step 0 used, which finds them in the files they came from.
#
# BREAK=1: the JWK is also put beside the store, as a store that does not seal would
# have it.
. "$(dirname "$0")/lib.sh"
claim 1 "A vault is made, with keys of all kinds in it; keys made elsewhere move in. On the disk all of them are sealed."

run 'kvault vault create payroll'
check "the vault is made" test "$status" = 0
run 'kvault vault create payroll --retention 7'
check "the same name with other properties is a conflict" refused 3

run 'kvault key create payroll/files --kty oct --size 256'
run 'kvault key create payroll/signing --kty EC --curve P-256'
run 'kvault key create payroll/contracts --kty RSA --size 2048 --timeout 120'
check "an RSA key is made" test "$status" = 0

cat >"$ram/partner.jwk" <<'JWK'
{"kty":"EC","crv":"P-256",
 "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
 "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
 "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}
JWK
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$ram/old.pem"
run "kvault key import payroll/partner --in $ram/partner.jwk"
run "kvault key import payroll/old --in $ram/old.pem"
run 'kvault key public payroll/partner --format jwk'
check "the public half is the JWK's" said 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU'
check "there is no private half in what kvault prints" not said '"d"'
run 'kvault key public payroll/old --format pem'
check "the public half is the PEM's" test "$output" = "$(openssl pkey -in "$ram/old.pem" -pubout)"

head -c 200 "$ram/old.pem" >"$ram/cut.pem"
run "kvault key import payroll/cut --in $ram/cut.pem"
check "half a PEM is refused" refused 2

run 'kvault key list payroll'
check "five keys are listed" test "$(grep -cE 'files|signing|contracts|partner|old' <<<"$output")" = 5
check "and not the one that was refused" not said 'cut'

say "Is the private half of the JWK in the store's files?"
basenc --base64url -d <<<'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI=' |
	memsearch --mask >"$ram/partner.masked"
run "memsearch $ram/partner.masked $ram/partner.jwk"
check "the search finds it in the file that was imported" said '^1 copies'
[ "$BREAK" != 1 ] || cp "$ram/partner.jwk" /var/lib/kvault
run "memsearch $ram/partner.masked /var/lib/kvault"
check "and not in the store" said '^0 copies'
verdict
