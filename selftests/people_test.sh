#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What people read and answer: status and tables as text, fields, questions that
# are asked on a terminal.
# timeout: 600
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

# typed TEXT COMMAND...: the command on a terminal, where somebody types TEXT
# when it has asked; what is typed before that is thrown away.
# shellcheck disable=SC2317 # called by its name
typed() {
	local text=$1
	shift
	rm -f said
	{
		for _ in {1..60}; do
			sleep 0.5
			grep -qE '\[y/N\] $|: $' said 2>/dev/null && break
		done
		printf '%s\n' "$text"
		sleep 1
	} | script -qefc "$(printf '%q ' "$@")" said >/dev/null
}

new_vault
ok "a key" kvault key create "$vault/aes" --kty oct --tag team=a
ok "one that expires soon" kvault key create "$vault/soon" --kty EC --curve P-256 --expires +20d

# --- status -------------------------------------------------------------------------------------
ok "status is for people" kvault status
like "... who see the module" "$output" '^module +ABI [0-9]+ to [0-9]+'
like "... their tenant" "$output" 'tenant +host \('
like "... what they have used" "$output" '[0-9]+ of [0-9]+ key versions in the kernel'
like "... the daemon" "$output" '^daemon +version [0-9.]+, pid [0-9]+, up [0-9]+ h'
like "... the engines" "$output" '^engines +[1-9][0-9]* openssl, [0-9]+ pkcs11'
like "... that there is no recovery kit" "$output" '^root +[0-9]+ slots, recovery code: no'
like "... what is not safe" "$output" '^warning +[A-Z].*'
ok "whoami" kvault whoami
like "... says whose keys are mine" "$output" '^tenant +host'
like "... and who I am" "$output" '^uid +0, gid 0'
ok "root status" kvault root status
ok "root slot list" kvault root slot list
like "... names the provider" "$output" systemd-credential

# --- tables -------------------------------------------------------------------------------------
ok "keys that expire" kvault key list "$vault" --expiring 30d
like "... are listed" "$output" '/soon'
unlike "... without the others" "$output" '/aes'
ok "roles that there are" kvault role definitions
like "... with what they may" "$output" crypto-user
ok "a role for somebody" kvault role assign crypto-user --to uid:4711 --scope "/$vault"
ok "role list" kvault role list
like "... has him" "$output" "crypto-user +uid:4711 +/$vault"
ok "what root did" kvault audit show --principal uid:0 -n 5
ok "what group 0 did" kvault audit show --principal gid:0 -n 5
ok "what a program did" kvault audit show --principal exe:/usr/bin/kvault -n 5
ok "what nobody did" kvault audit show --principal uid:4711 --json
unlike "... is nothing" "$output" '"operationName"'

# --- one value ------------------------------------------------------------------------------------
ok "an element of a list" kvault key show "$vault/aes" --field key.key_ops.0
is "... is one word" "$output" encrypt
exits 2 "no such field" kvault key show "$vault/aes" --field key.colour
exits 2 "no such element" kvault key show "$vault/aes" --field key.key_ops.99
ok "part of an answer is JSON" kvault key show "$vault/aes" --field tags
is "... in one line" "$output" '{"team":"a"}'

# --- questions --------------------------------------------------------------------------------------
fails "no: nothing is done" typed n kvault root recovery create
like "... and it says so" "$(cat said)" 'nothing was done'
ok "... and nothing was" kvault root slot list
unlike "... to the slots" "$output" recovery
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -pass pass:sesame \
	-out locked.pem 2>/dev/null
fails "another passphrase does not open a key" typed simsim kvault key import "$vault/in" \
	--in locked.pem
ok "the right one does" typed sesame kvault key import "$vault/in" --in locked.pem
like "... after a question" "$(cat said)" 'Passphrase of the key: '
unlike "... whose answer does not show" "$(cat said)" sesame
ok "it is a key like others" kvault key show "$vault/in"

# --- completion -----------------------------------------------------------------------------------------
ok "completion is a script" sh -c "kvault completion bash >completion && bash -n completion"
# shellcheck disable=SC2016 # for another shell
ok "... that completes" bash -c '. ./completion
	f=$(complete -p kvault | sed "s/.*-F \([^ ]*\).*/\1/")
	COMP_WORDS=(kvault key "") COMP_CWORD=2
	$f && printf "%s\n" "${COMPREPLY[@]}" >words'
ok "... verbs" grep -qx create words

# --- without the daemon -----------------------------------------------------------------------------------
systemctl stop kvaultd
fails "without the daemon status fails" kvault status
like "... but tells what it knows" "$output" '^module +ABI'
like "... and what is missing" "$output" '^daemon +absent'
systemctl start kvaultd
ok "the daemon is back" eventually 30 daemon_is_up

tap_done
