#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Secrets by the command line: what is set comes back, byte by byte, to who may have
# it; lists and show have no value; 'run' hands one over.
# timeout: 300
# shellcheck disable=SC2016 # what 'run' runs expands its own variables
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

user=4244
# shellcheck disable=SC2317 # called by name
as_user() {
	setpriv --reuid $user --regid $user --clear-groups "$@"
}

# back NAME FILE: it is what the vault has
# shellcheck disable=SC2317
back() {
	kvault secret get "$vault/$1" | cmp "$2" -
}

new_vault
chmod 755 .

# --- in and out ------------------------------------------------------------------------------
for n in 0 1 40 25599 25600; do
	head -c $n /dev/urandom >value
	ok "a value of $n bytes is set" kvault secret set "$vault/n$n" --in value
	ok "... and comes back" back "n$n" value
done
exits 2 "one of 25601 bytes is refused" sh -c "head -c 25601 /dev/zero | kvault secret set $vault/big"
exits 2 "... by the daemon too, which sees the length" sh -c "head -c 25601 /dev/zero >v; \
	python3 '$(dirname "$0")/control.py' PUT /vaults/$vault/secrets/big v"
refused "... and there is none" kvault secret get "$vault/big"
like "(there is no such secret)" "$output" SecretNotFound
printf 'one\0two\n' >value
ok "zero bytes and line feeds are bytes" kvault secret set "$vault/db" --in value --content-type a/b --tag x=1
ok "... and come back" back db value
run sh -c "echo hush | kvault secret set $vault/echo"
like "a line feed at the end of standard input is warned of" "$output" 'line feed'
is "... and kept" "$(kvault secret get "$vault/echo" | wc -c)" 5
run sh -c "printf hush | kvault secret set $vault/echo"
unlike "one that has none is not" "$output" 'line feed'
ok "with --out it is a file" kvault secret get "$vault/db" --out got
is "... of its owner" "$(stat -c %a got)" 600
ok "... with the value" cmp got value
is "--json has the value too" "$(kvault secret get "$vault/echo" --json | jq -r .value)" hush
printf '\377' | kvault secret set "$vault/bin" --quiet
exits 2 "... if that is UTF-8" kvault secret get "$vault/bin" --json

# --- versions, and all but the value ----------------------------------------------------------------
printf first >first
printf second >second
ok "a secret is set" kvault secret set "$vault/two" --in first
id=$(kvault secret show "$vault/two" --field id)
like "it has an id" "$id" "/secrets/two/[0-9a-f]{32}\$"
ok "and again" kvault secret set "$vault/two" --in second
ok "the latest is what is got" back two second
is "... the first by its id" "$(kvault secret get "$id")" first
is "both are listed as versions" "$(kvault secret versions "$vault/two" --json | jq '.value | length')" 2
is "each secret is listed once" "$(kvault secret list "$vault" -q | grep -c /secrets/two)" 1
for what in "show $vault/two" "list $vault" "versions $vault/two" "show $vault/two --json" "list $vault --json"; do
	# shellcheck disable=SC2086
	run kvault secret $what
	unlike "${what%% *} has no value" "$output" 'second|first|"value": "'
done
ok "a key may have the name of a secret" kvault key create "$vault/two" --for encrypt
like "... and the secret has its own" "$(kvault secret get "$vault/two")" second
refused "a secret is no key" kvault key encrypt "$vault/db" --in value --out v.kv

# --- attributes ------------------------------------------------------------------------------------------
is "content type and tags are kept" "$(kvault secret show "$vault/db" --json | jq -r '.contentType + .tags.x')" a/b1
ok "an update" kvault secret update "$vault/db" --content-type c/d --tag x=2
is "... changes them" "$(kvault secret show "$vault/db" --json | jq -r '.contentType + .tags.x')" c/d2
ok "... and not the value" back db value
ok "a secret that expired" kvault secret update "$vault/db" --expires -1h
ok "... can be got" back db value
ok "one is disabled" kvault secret update "$vault/db" --disabled
refused "... and cannot be got" kvault secret get "$vault/db"
like "(it says so)" "$output" SecretDisabled
ok "... but shown" kvault secret show "$vault/db"
ok "it is enabled" kvault secret update "$vault/db" --enabled
ok "... and has its value" back db value

# --- rights ------------------------------------------------------------------------------------------------
refused "somebody else gets nothing" as_user kvault secret get "$vault/two"
like "(for want of an action)" "$output" 'secrets/getSecret/action'
ok "a reader" kvault role assign reader --to uid:$user --scope "/$vault"
ok "... sees it" as_user kvault secret show "$vault/two"
refused "... and not its value" as_user kvault secret get "$vault/two"
ok "a user of one secret" kvault role assign secrets-user --to uid:$user --scope "/$vault/secrets/two"
is "... gets its value" "$(as_user kvault secret get "$vault/two")" second
refused "... no other" as_user kvault secret get "$vault/db"
refused "... and sets none" as_user sh -c "echo x | kvault secret set $vault/two -q"
ok "an officer" kvault role assign secrets-officer --to uid:$user --scope "/$vault/secrets/two"
ok "... sets it" as_user sh -c "printf third | kvault secret set $vault/two"
ok "what is allowed for a key of that name is nothing to it" \
	kvault role assign administrator --to uid:$user --scope "/$vault/keys/db"
refused "... at all" as_user kvault secret get "$vault/db"
run unshare -Ur kvault secret get "$vault/two"
is "for another tenant there is none" "$status" 3
unlike "... not even a refusal that names it" "$output" Forbidden

# --- run -----------------------------------------------------------------------------------------------------
ok "a command finds the value in a file" kvault run --secret V="$vault/db" -- sh -c 'cmp "$V" value'
like "... which its environment names" "$(kvault run --secret V="$vault/db" -- sh -c 'echo $V')" '^/dev/fd/[0-9]+$'
ok "it can be read twice" kvault run --secret V="$vault/db" -- sh -c 'cat "$V" "$V" >/dev/null && cmp "$V" value'
fails "it cannot be changed" kvault run --secret V="$vault/db" -- sh -c 'echo x >"$V"'
ok "(the file is as before)" kvault run --secret V="$vault/db" -- sh -c '{ echo x >"$V"; } 2>/dev/null; cmp "$V" value'
is "nobody else can open it" "$(kvault run --secret V="$vault/db" -- sh -c 'stat -Lc %a "$V"')" 400
is "nothing else is open" "$(kvault run --secret V="$vault/db" -- sh -c 'ls -l /proc/self/fd | grep -c kvault')" 0
unlike "the environment has no value" "$(kvault run --secret V="$vault/two" -- env)" third
is "with --env it has" "$(kvault run --env --secret V="$vault/two" -- printenv V)" third
exits 2 "... if that has no zero byte" kvault run --env --secret V="$vault/db" -- true
ok "two secrets" kvault run --secret A="$vault/db" --secret B="$vault/two" -- sh -c 'cmp "$A" value && grep -q third "$B"'
exits 7 "the exit status is the command's" kvault run --secret V="$vault/two" -- sh -c 'exit 7'
exits 127 "127: there is no such command" kvault run --secret V="$vault/two" -- /nonexistent
exits 126 "126: it cannot be run" kvault run --secret V="$vault/two" -- ./value
refused "without the secret nothing is run" kvault run --secret V="$vault/none" -- touch ran
fails "... at all" test -e ran
run kvault run --secret V="$vault/two" -- sh -c 'tr "\0" " " </proc/$PPID/cmdline; cat /proc/self/cmdline'
unlike "no command line has a value" "$output" third

# --- the log ---------------------------------------------------------------------------------------------------
run kvault audit show --key "$vault/secrets/two" --json
for op in SecretSet SecretGet SecretGetMetadata SecretUpdate SecretListVersions; do
	ok "$op is in the log" sh -c "kvault audit show --op $op --json | grep -q '$vault/secrets/'"
done
run kvault audit show --json
unlike "no value is" "$output" 'second|third|hush'
ok "the log verifies" kvault audit verify
ok "after a restart of the daemon" systemctl restart kvaultd
ok "... it answers" eventually 20 daemon_is_up
ok "... the values are there" back db value
tap_done
