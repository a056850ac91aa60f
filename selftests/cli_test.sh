#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The command line's contract (cli.md): exit statuses, --json, one line per error,
# nothing secret on any output, and what bad input gets.
# timeout: 600
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

echo 'some text to be signed' >data
head -c 300000 /dev/urandom >big

# --- vaults and keys ----------------------------------------------------------------------------
new_vault
ok "to make it again is no change" kvault vault create "$vault"
exits 3 "with other properties it is a conflict" kvault vault create "$vault" --sku premium
ok "it is listed" kvault vault list
like "... by name" "$output" "$vault"
ok "--json gives JSON" sh -c "kvault vault show '$vault' --json | jq -e '.name == \"$vault\"'"
ok "--field gives one value, raw" kvault vault show "$vault" --field properties.sku
is "... and nothing else" "$output" standard
ok "--quiet says nothing" kvault vault create "$vault" --quiet
is "... at all" "$output" ''
ok "an AES key" kvault key create "$vault/aes" --kty oct --size 256 --tag purpose=test
ok "an EC key" kvault key create "$vault/ec" --kty EC --curve P-256
ok "an RSA key" kvault key create "$vault/rsa" --kty RSA --size 2048
for purpose in sign encrypt wrap mac volume; do
	ok "--for $purpose sets what is sensible" kvault key create "$vault/for-$purpose" --for "$purpose"
done
ok "the long address and the scope mean the same" kvault key show "/$vault/keys/aes"
ok "so does the URI" kvault key show "kvault:$vault/keys/aes"
kid=$(kvault key show "$vault/aes" --json | jq -r .key.kid)
like "a key has an id" "$kid" "/keys/aes/[0-9a-f]{32}\$"
ok "which every command takes" kvault key show "$kid"
ok "key list lists" kvault key list "$vault"
is "... every key once" "$(kvault key list "$vault" --json | jq -r '.value[].kid' | sort -u | wc -l)" 8
ok "a new version" kvault key create "$vault/aes" --kty oct
is "key versions lists both" "$(kvault key versions "$vault/aes" --json | jq '.value | length')" 2
ok "tags are kept" sh -c "kvault key show '$kid' --json | jq -e '.tags.purpose == \"test\"'"

# --- use ------------------------------------------------------------------------------------------
for key in aes:A256GCM for-encrypt:A256GCM; do
	k=$vault/${key%:*}
	ok "encrypt a file with ${key%:*}" kvault key encrypt "$k" --alg "${key#*:}" --in big --out big.kv
	ok "decrypt it" kvault key decrypt "$k" --in big.kv --out big.out
	ok "to the same bytes" cmp big big.out
done
ok "from standard input to standard output" sh -c "kvault key encrypt '$vault/aes' --alg A256GCM --in - --out - <data | kvault key decrypt '$vault/aes' --in - --out - | cmp data -"
for n in 0 1 65535 65536 65537; do
	head -c $n big >part
	ok "$n bytes" sh -c "kvault key encrypt '$vault/aes' --alg A256GCM --in part --out part.kv && kvault key decrypt '$vault/aes' --in part.kv --out part.out && cmp part part.out"
done
ok "with a context" kvault key encrypt "$vault/aes" --alg A256GCM --in data --out ctx.kv --context a=1
ok "the context is in the log" eventually 10 sh -c \
	"kvault audit show --json -n 200 | jq -es '[.. | objects | select(.context?.a? == \"1\")] | length > 0'"
ok "the same context opens it" kvault key decrypt "$vault/aes" --in ctx.kv --out ctx.out --context a=1
exits 3 "another does not" kvault key decrypt "$vault/aes" --in ctx.kv --out no.out --context a=2
fails "... and leaves no output" test -e no.out
for at in 5 60 100 65000 200000 -1; do
	cp big.kv bad.kv
	[ $at -ge 0 ] || at=$(($(stat -c %s bad.kv) - 1))
	byte=$(od -An -tu1 -j $at -N 1 bad.kv | tr -d ' ')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %o $((byte ^ 64)))" | dd of=bad.kv bs=1 seek=$at conv=notrunc status=none
	rm -f no.out
	fails "a changed byte $at is noticed" kvault key decrypt "$vault/for-encrypt" --in bad.kv --out no.out
	fails "... and leaves no output" test -e no.out
done
for cut in 10 1000 65700 250000; do
	head -c $cut big.kv >bad.kv
	fails "an envelope cut at $cut is noticed" kvault key decrypt "$vault/for-encrypt" --in bad.kv --out no.out
	fails "... and leaves no output" test -e no.out
done
ok "sign" kvault key sign "$vault/ec" --alg ES256 --in data --out sig
ok "openssl verifies" sh -c "kvault key public '$vault/ec' --out ec.pem && openssl dgst -sha256 -verify ec.pem -signature sig data"
exits 0 "verify says yes" kvault key verify "$vault/ec" --alg ES256 --in data --sig sig
exits 1 "verify says no" kvault key verify "$vault/ec" --alg ES256 --in big --sig sig
for alg in RS256 RS384 RS512 PS256 PS384 PS512; do
	ok "sign with $alg" kvault key sign "$vault/rsa" --alg $alg --in data --out rsig
	exits 0 "verify $alg" kvault key verify "$vault/rsa" --alg $alg --in data --sig rsig
done
head -c 32 big >kek
ok "wrap" kvault key wrap "$vault/for-wrap" --alg A256KW --in kek --out kek.w
ok "unwrap" kvault key unwrap "$vault/for-wrap" --alg A256KW --in kek.w --out kek.out
ok "to the same bytes" cmp kek kek.out
ok "random bytes" kvault random 100 --out r1
is "... as many as were asked for" "$(stat -c %s r1)" 100

# --- exit statuses --------------------------------------------------------------------------------
exits 2 "an unknown verb" kvault key frobnicate
exits 2 "an unknown noun" kvault frob
exits 2 "an unknown option" kvault vault list --frob
exits 2 "a missing argument" kvault key show
exits 2 "too many arguments" kvault key show a/b c/d
exits 2 "an option without its value" kvault key sign "$vault/ec" --in
exits 2 "a number that is none" kvault random ten
refused "an absent vault" kvault vault show no-such-vault
refused "an absent key" kvault key show "$vault/none"
like "... by name" "$output" "none"
refused "an absent key to sign with" kvault key sign "$vault/none" --in data --out x
refused "what the key cannot do" kvault key sign "$vault/aes" --alg ES256 --in data --out x
head -c 16 data >block
ok "encrypt by CBC" kvault key encrypt "$vault/aes" --raw --alg A256CBC --iv block --in block --out cbc
ok "a key that only encrypts" kvault key create "$vault/writer" --kty oct --ops encrypt
refused "... does not by CBC" kvault key encrypt "$vault/writer" --raw --alg A256CBC --iv block --in block --out x
like "... says why" "$output" 'reads what GCM encrypted'
exits 2 "a size that does not exist" kvault key create "$vault/bad" --kty oct --size 100
exits 2 "a curve that does not exist" kvault key create "$vault/bad" --kty EC --curve P-999
exits 2 "an HSM key in a standard vault" kvault key create "$vault/bad" --kty EC-HSM
kvault key create "$vault/for-mac" --for mac >/dev/null
refused "an algorithm of another kind of key" kvault key sign "$vault/for-mac" --alg ES256 --in data --out x
like "... and those of this kind are named" "$output" 'it takes HS256, HS384, HS512'
ok "disable a key" kvault key update "$vault/for-mac" --disabled
like "... whose older version is said to be enabled" "$output" '1 older is still enabled'
refused "a disabled key" kvault key sign "$vault/for-mac" --alg HS256 --in data --out x
like "... says so" "$output" 'disabled'
ok "expire a key" kvault key update "$vault/for-encrypt" --expires 2001-01-01T00:00:00Z
refused "an expired key" kvault key encrypt "$vault/for-encrypt" --alg A256GCM --in data --out x
ok "an expired key still decrypts" kvault key decrypt "$vault/for-encrypt" --in big.kv --out big.out
refused "a user without a role" setpriv --reuid 4242 --regid 4242 --clear-groups kvault key show "$vault/aes"
unlike "no refusal left a file" "$(ls)" '^x$'
mkfifo planted
exits 2 "an output that is a pipe" kvault key public "$vault/ec" --out planted
exits 2 "--raw with an output that cannot be" kvault key encrypt "$vault/aes" --alg A256GCM --raw \
	--in data --iv x --tag x.tag --out /nowhere/x
unlike "... leaves no part of the others" "$(ls)" '^x'
systemctl stop kvaultd
exits 4 "no daemon" kvault vault list
is "... in one line" "$(wc -l <<<"$output")" 1
systemctl start kvaultd
ok "it is back" eventually 20 daemon_is_up

# --- bad input: the words of names ------------------------------------------------------------------
for name in 'a b/c' 'a/b/c/d/e' '/' '' 'ä/b' "$(printf '\xff\xfe/b')" "$vault/$(printf 'x%.0s' {1..128})" \
	"../../etc/passwd" "$vault/k%00" "$vault/k?x=y"; do
	fails "no key is called '$(printf %q "${name:0:30}")'" kvault key create "$name" --kty oct
	[ "$status" = 2 ] || [ "$status" = 3 ]
	tap_result $? "... with status 2 or 3, not $status"
done
fails "no vault is called '-x-'" kvault vault create -- -x-

# --- bad input: keys to import -------------------------------------------------------------------------
openssl ecparam -name prime256v1 -genkey -noout -out ec.key 2>/dev/null
openssl pkcs8 -topk8 -nocrypt -in ec.key -out ec8.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa8.pem 2>/dev/null
openssl pkey -in rsa8.pem -outform DER -out rsa8.der
ok "PEM (PKCS#8) of an EC key" kvault key import "$vault/i-ec" --in ec8.pem
kvault key public "$vault/i-ec" --out i-ec.pem
openssl pkey -in ec8.pem -pubout -out ec8.pub
ok "the public half is the same" cmp i-ec.pem ec8.pub
ok "DER of an RSA key" kvault key import "$vault/i-rsa" --in rsa8.der
head -c 32 /dev/urandom >raw
ok "bytes, with --kty oct" kvault key import "$vault/i-raw" --kty oct --in raw
jwk='{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}'
echo "$jwk" >oct.jwk
ok "a JWK" kvault key import "$vault/i-jwk" --in oct.jwk
bad_import() {
	fails "import of $1" kvault key import "$vault/bad" --in "$2" "${@:3}"
	[ "$status" = 2 ] || [ "$status" = 3 ]
	tap_result $? "... is refused, not broken ($status)"
	is "... in one line" "$(wc -l <<<"$output")" 1
	unlike "... that shows no key" "$output" 'AAECAwQF|BgcICQ'
}
bad_import "a file that is not there" nothing.pem
: >empty && bad_import "an empty file" empty
head -c 100 ec8.pem >cut.pem && bad_import "a truncated PEM" cut.pem
head -n 2 ec8.pem >cut2.pem && bad_import "a PEM without its end" cut2.pem
head -c 200 rsa8.der >cut.der && bad_import "a truncated DER" cut.der
openssl pkey -in ec8.pem -pubout -out pub.pem && bad_import "a public key" pub.pem
echo "${jwk%?}" >cut.jwk && bad_import "a JWK without its end" cut.jwk
echo "${jwk/oct/EC}" >kty.jwk && bad_import "a JWK of another kty" kty.jwk
echo "${jwk/oct/frob}" >frob.jwk && bad_import "a JWK of no kty" frob.jwk
echo "${jwk/AAEC/A*EC}" >b64.jwk && bad_import "a JWK that is no base64url" b64.jwk
echo '{"kty":"oct"}' >nok.jwk && bad_import "a JWK without its key" nok.jwk
echo '[1,2' >arr.jwk && bad_import "what is no JSON" arr.jwk
echo '[]' >list.jwk && bad_import "JSON that is no object" list.jwk
printf '{"kty":"oct","k":"\xff\xfe"}' >utf8.jwk && bad_import "invalid UTF-8" utf8.jwk
printf '{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}' >ec.jwk && bad_import "an EC key that is none" ec.jwk
head -c 15 raw >r15 && bad_import "15 bytes as oct" r15 --kty oct
head -c 70000 big >r70000 && bad_import "70 000 bytes as oct" r70000 --kty oct
openssl genpkey -algorithm ED25519 -out ed.pem && bad_import "a key of a kind that is not supported" ed.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out r1024.pem 2>/dev/null && bad_import "RSA of 1024 bits" r1024.pem
openssl pkcs8 -topk8 -in ec.key -passout pass:x -out enc.pem && bad_import "an encrypted PEM" enc.pem
refused "nothing of all this was made" kvault key show "$vault/bad"

# --- what outputs never show ---------------------------------------------------------------------------
for what in "key show $vault/i-jwk --json" "key list $vault --json" "audit show --json -n 50"; do
	# shellcheck disable=SC2086 # words
	unlike "'${what% --json*}' shows no key" "$(kvault $what)" 'AAECAwQFBgcICQ|"k":|"d":'
done
ok "help comes on standard output" sh -c 'kvault --help 2>/dev/null | grep -q vault'
ok "so does the version" sh -c 'kvault version 2>/dev/null | grep -q .'
fails "nothing can be written to a full disk" sh -c "kvault random 4096 >/dev/full"

# --- roles -------------------------------------------------------------------------------------------------
ok "a role is assigned" kvault role assign crypto-user --to uid:4242 --scope "/$vault/keys/ec"
ok "the user signs" sh -c "setpriv --reuid 4242 --regid 4242 --clear-groups kvault key sign '$vault/ec' --in data --out - >/dev/null"
refused "but not with another key" setpriv --reuid 4242 --regid 4242 --clear-groups kvault key sign "$vault/rsa" --in data --out -
refused "and does not administer" setpriv --reuid 4242 --regid 4242 --clear-groups kvault key update "$vault/ec" --disabled
ok "it is listed" kvault role list
like "... with its user" "$output" 'uid:4242'
ok "it is taken back" kvault role unassign crypto-user --to uid:4242 --scope "/$vault/keys/ec"
refused "the user signs no more" setpriv --reuid 4242 --regid 4242 --clear-groups kvault key sign "$vault/ec" --in data --out -
exits 2 "a role that is none is refused" kvault role assign frob --to uid:4242 --scope /

# --- one ioctl per chunk ---------------------------------------------------------------------------------
head -c 262144 big >four
strace -f -e trace=ioctl -o trace kvault key encrypt "$vault/aes" --alg A256GCM --in four --out four.kv
calls=$(grep -cE 'ioctl\([0-9]+, (0xe904|_IOC\(_IOC_NONE, 0xe9, 0x4, 0\))' trace)
note "$(grep ioctl trace | head -n 3)"
like "strace shows one ioctl per chunk of 64 KiB ($calls for 256 KiB)" "$calls" '^[456]$'
tap_done
