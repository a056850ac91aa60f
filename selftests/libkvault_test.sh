#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The library as a program's author finds it: each function has a page, what is
# exported is what is documented, and the examples build with pkg-config and work.
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

header=/usr/include/kvault.h
lib=$(pkg-config --variable=libdir libkvault)/libkvault.so.0
functions=$(sed 's|/\*.*\*/||' "$header" | grep -oE '\bkvault_[a-z0-9_]+\(' | tr -d '(' | sort -u)

is "what is declared is exported, and nothing else" \
	"$(nm -D --defined-only "$lib" | sed -n 's/.* T \(kvault_[a-z0-9_]*\)@@KVAULT_0$/\1/p' | sort)" "$functions"
missing=''
for f in $functions; do
	page=/usr/share/man/man3/$f.3
	[ -f "$page" ] && link=$(sed -n 's/^\.so //p' "$page") &&
		grep -q "$f" "/usr/share/man/${link:-man3/$f.3}" || missing+=" $f"
done
is "each function has a page that tells of it" "$missing" ''

vault=lib-$$
ok "a vault" kvault vault create "$vault"
for example in sign seal secret; do
	# shellcheck disable=SC2046 # options
	ok "example $example builds" cc -Wall -Wextra -Werror -o "$example" \
		"/usr/share/doc/kvault/examples/$example.c" \
		$(pkg-config --cflags --libs libkvault libcrypto)
done

echo 'a contract' >contract
for kty in EC RSA; do
	ok "a key to sign with, $kty" kvault key create "$vault/$kty" --kty $kty
	kvault key public "$vault/$kty" >public.pem
	ok "sign signs" sh -c "./sign $vault/$kty contract >sig"
	pss=()
	[ $kty = EC ] || pss=(-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest)
	ok "... and openssl verifies it" openssl dgst -sha256 -verify public.pem "${pss[@]}" -signature sig contract
done
fails "sign with a key that is not there" ./sign "$vault/none" contract
like "... says so" "$output" 'no such key'

head -c 300000 /dev/urandom >plain
ok "a key to encrypt with" kvault key create "$vault/aes" --kty oct
ok "seal encrypts a stream" sh -c "./seal $vault/aes <plain >sealed"
ok "... and decrypts it" sh -c "./seal <sealed >back"
ok "... to the same bytes" cmp plain back
ok "kvault decrypts it too" kvault key decrypt "$vault/aes" --in sealed --context made-by=seal --out back2
ok "... to the same bytes" cmp plain back2
head -c 200000 sealed >short
fails "a stream that was cut is refused" sh -c "./seal <short >/dev/null"

printf 'correct horse' >value
ok "secret sets a value" ./secret "$vault/db-password" value
is "... which kvault gets" "$(kvault secret get "$vault/db-password")" 'correct horse'
is "... and secret gets" "$(./secret "$vault/db-password")" '13 bytes'
fails "a secret that is not there" ./secret "$vault/none"
like "... is refused with a code" "$output" 'SecretNotFound'
tap_done
