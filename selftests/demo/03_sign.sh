#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 3: signatures, which openssl verifies.
#
# The fourth key is made inside an HSM: a SoftHSM2 token that kvault-engine pkcs11
# serves. The token itself says that the key was made in it and cannot be read.
#
# BREAK=3: one byte of the document is changed after signing. The guard of this
# step is arithmetic, there is no switch for it in kvault.
. "$(dirname "$0")/lib.sh"
. "$demo/softhsm.sh"
claim 3 "A document is signed by keys that cannot be read, one of them in an HSM. openssl verifies each signature."

cp /usr/share/common-licenses/GPL-2 contract
softhsm_token
softhsm_serve
run 'kvault vault create treasury --sku premium'
run 'kvault key create treasury/stamp --kty EC-HSM --curve P-256'
check "a key is made in the HSM" test "$status" = 0

run 'kvault key sign payroll/signing   --alg ES256 --in contract --out signing.es256'
run 'kvault key sign payroll/contracts --alg RS256 --in contract --out contracts.rs256'
run 'kvault key sign payroll/contracts --alg PS256 --in contract --out contracts.ps256'
run 'kvault key sign treasury/stamp    --alg ES256 --in contract --out stamp.es256'
check "there are four signatures" test -s signing.es256 -a -s contracts.rs256 -a -s contracts.ps256 -a -s stamp.es256
run 'kvault key public payroll/signing --out signing.pem'
run 'kvault key public payroll/contracts --out contracts.pem'
run 'kvault key public treasury/stamp --out stamp.pem'
[ "$BREAK" != 3 ] || flip contract 100

run 'openssl dgst -sha256 -verify signing.pem -signature signing.es256 contract'
check "ES256 verifies" said '^Verified OK'
run 'openssl dgst -sha256 -verify contracts.pem -signature contracts.rs256 contract'
check "RS256 verifies" said '^Verified OK'
run 'openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify contracts.pem -signature contracts.ps256 contract'
check "PS256 verifies" said '^Verified OK'
run 'openssl dgst -sha256 -verify stamp.pem -signature stamp.es256 contract'
check "ES256 of the HSM verifies" said '^Verified OK'

say "What the token says about its key:"
softhsm_objects
check "the key was made in the token" said 'local'
check "it was never extractable" said 'never extractable'
verdict
