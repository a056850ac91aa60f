#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys of the vault with stock keyctl, which knows nothing of kvault:
#
#   keyctl request2 --> kernel --> kvaultd        one upcall
#   keyctl pkey_*   --> kernel --> kvault-engine
#
# and what a user namespace that has the same keyrings gets: nothing.
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

new_vault
ok "an EC key is made" kvault key create "$vault/ec" --kty EC
ok "an RSA key is made" kvault key create "$vault/rsa" --kty RSA
ok "an AES key is made" kvault key create "$vault/aes" --kty oct
echo 'what is signed' >data
openssl dgst -sha256 -binary data >digest

ok "request2 finds the EC key" keyctl request2 kvault "$vault/ec" "" @s
ec=$output
ok "request2 finds the RSA key" keyctl request2 kvault "$vault/rsa" "" @s
rsa=$output
ok "request2 finds the AES key" keyctl request2 kvault "$vault/aes" "" @s
aes=$output
fails "what does not exist is not found" keyctl request2 kvault "$vault/none" "" @s
like "... and says so" "$output" 'Required key not available'
fails "without a callout nobody is asked" keyctl request kvault "$vault/other" @s
fails "a name that is none is refused" keyctl request2 kvault "no/such/path/here" "" @s
like "... as an invalid argument" "$output" 'Invalid argument'
fails "nobody adds such a key by hand" keyctl add kvault "$vault/mine" "payload" @s

ok "describe names it" keyctl rdescribe "$ec"
like "... and only its possessor has rights" "$output" '^kvault;[0-9]+;[-0-9]+;3f?[0-9a-f]{0,6}000000;|^kvault;[0-9]+;[-0-9]+;[0-9a-f]{2}000000;'
ok "print gives the public half" keyctl print "$ec"
like "... which is a JWK" "$output" '"x"'
unlike "... without the private one" "$output" '"d"'
is "... the one that the vault gives" "$(grep -o '"x": *"[^"]*"' <<<"$output" | tr -d ' ')" \
	"$(kvault key public "$vault/ec" --format jwk | grep -o '"x": *"[^"]*"' | tr -d ' ')"
keyctl print "$aes" >printed 2>&1
unlike "of a symmetric key print gives no key" "$(cat printed)" '"k"|^:hex:'

run keyctl pkey_query "$rsa" 0 enc=pkcs1 hash=sha256
like "pkey_query tells the size of an RSA key" "$output" 'key_size=2048'
ok "pkey_sign signs with RSA" sh -c "keyctl pkey_sign $rsa 0 digest enc=pkcs1 hash=sha256 >rsa.sig"
kvault key public "$vault/rsa" --out rsa.pem
ok "openssl verifies it" openssl dgst -sha256 -verify rsa.pem -signature rsa.sig data
ok "pkey_verify, too" keyctl pkey_verify "$rsa" 0 digest rsa.sig enc=pkcs1 hash=sha256
printf '\0' | dd of=rsa.sig bs=1 seek=9 conv=notrunc status=none
printf '\1' | dd of=rsa.sig bs=1 seek=10 conv=notrunc status=none
fails "and not a changed one" keyctl pkey_verify "$rsa" 0 digest rsa.sig enc=pkcs1 hash=sha256
like "... which is rejected" "$output" 'rejected'
echo 'the safe is behind the painting' >secret
openssl pkeyutl -encrypt -pubin -inkey rsa.pem -in secret -out secret.rsa
ok "pkey_decrypt decrypts what openssl encrypted" \
	sh -c "keyctl pkey_decrypt $rsa 0 secret.rsa enc=pkcs1 >secret.out"
ok "... to the same bytes" cmp secret secret.out

ok "pkey_sign signs with EC" sh -c "keyctl pkey_sign $ec 0 digest enc=raw hash=sha256 >ec.sig"
ok "kvault verifies it" kvault key verify "$vault/ec" --in data --sig ec.sig --format raw
fails "a digest of another length is refused" keyctl pkey_sign "$ec" 0 data enc=raw hash=sha256
fails "an encoding that the key has not is refused" keyctl pkey_sign "$ec" 0 digest enc=pkcs1
fails "an option that does not exist is refused" keyctl pkey_sign "$ec" 0 digest enc=raw x=y
fails "a symmetric key signs nothing here" keyctl pkey_sign "$aes" 0 digest enc=raw

# --- a user namespace with the same session keyring ------------------------------------------
keyctl setperm "$ec" 0x3f3f3f3f >/dev/null 2>&1
like "the host sees its keys in /proc/keys" "$(cat /proc/keys)" "$vault"
run unshare -Ur cat /proc/keys
unlike "a user namespace sees nothing of them" "$output" "$vault"
fails "it cannot print them" unshare -Ur keyctl print "$ec"
fails "it cannot search for them" unshare -Ur keyctl search @s kvault "$vault/ec"
fails "it cannot request them" unshare -Ur keyctl request2 kvault "$vault/ec" "" @s
fails "it cannot sign with them" unshare -Ur keyctl pkey_sign "$ec" 0 digest enc=raw
fails "it cannot query them" unshare -Ur keyctl pkey_query "$ec" 0 enc=raw
# Its last request left a refusal in the place of the key: whoever shares a keyring can
# do that, which is said and not defended. The host asks again.
ok "the host finds its key again" eventually 5 keyctl request2 kvault "$vault/ec" "" @s
ec=$(keyctl request2 kvault "$vault/ec" "" @s)
ok "all of which works on the host" sh -c "keyctl pkey_sign $ec 0 digest enc=raw >ec2.sig"

# --- the end of a key -------------------------------------------------------------------------
ok "the vault's key is disabled" kvault key update "$vault/ec" --disabled
fails "it signs no more" sh -c "keyctl pkey_sign $ec 0 digest enc=raw >ec3.sig"
like "... because it is revoked" "$output" 'revoked'
ok "and enabled again" kvault key update "$vault/ec" --enabled
ok "it goes on" sh -c "keyctl pkey_sign $ec 0 digest enc=raw >ec4.sig"
ok "keyctl revokes it" keyctl revoke "$ec"
fails "revoked is revoked" sh -c "keyctl pkey_sign $ec 0 digest enc=raw >ec5.sig"
ok "unlink takes another away" keyctl unlink "$rsa" @s
tap_done
