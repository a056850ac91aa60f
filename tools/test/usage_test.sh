#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the command says without a vault: help, wrong usage, bad input. Each error
# is one line, with the exit status that cli.md promises, and nothing is written.
#
# Environment: KVAULT the program, MANS the manual's pages, COMPLETION.
# shellcheck disable=SC2317 # functions are called by their names
set -u
: "${KVAULT:?}" "${MANS:=}" "${COMPLETION:=}"
# shellcheck disable=SC2154
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit

n=0 bad=0
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		bad=$((bad + 1))
	fi
}

# says STATUS REGEX ARGUMENT...: exit status, one line on stderr, nothing on stdout.
says() {
	local want=$1 regex=$2 got
	shift 2
	"$KVAULT" "$@" >out 2>err </dev/null
	got=$?
	[ "$got" = "$want" ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ] && grep -qE -- "$regex" err
	result $? "kvault $(printf '%.60s' "$*" | tr -c '[:print:]' '?'): exit $want"
	[ "$got" = "$want" ] || sed 's/^/# /' err
}

long=$(printf 'a%.0s' {1..600})

# --- wrong usage
says 2 "no command 'frob'" frob
says 2 "no command 'key frob'" key frob
says 2 'ADDRESS is missing' key show
says 2 "'y' is too much" key show p/k y
says 2 "no option '--frob'" key show p/k --frob
says 2 "no option '-z'" key show p/k -z
says 2 "'--field' takes a value" key show p/k --field
says 2 'is there twice' key show p/k --field a --field b
says 2 'timeout takes a whole number' key show p/k --timeout 0
says 2 'timeout takes a whole number' key show p/k --timeout 1x
says 2 'timeout takes a whole number' key show p/k --timeout -1
says 2 'timeout takes a whole number' key show p/k --timeout 99999999999999999999
says 2 '--kty or --for is missing' key create p/k
says 2 "no type of keys 'DSA'" key create p/k --kty DSA
says 2 "for takes" key create p/k --for fun
says 2 "no operation 'dance'" key create p/k --kty oct --ops dance
says 2 "no operation ''" key create p/k --kty oct --ops ''
says 2 "size takes a whole number" key create p/k --kty oct --size big
says 2 'curve takes' key create p/k --kty EC --curve P-257
says 2 'curve is for keys of type EC' key create p/k --kty oct --curve P-256
says 2 'size is not for keys of type EC' key create p/k --kty EC --size 256
says 2 'expires takes' key create p/k --kty oct --expires tomorrow
says 2 'tag takes NAME=VALUE' key create p/k --kty oct --tag label
says 2 'is not UTF-8' key create p/k --kty oct --tag "$(printf 'a=\xff\xfe')"
says 2 'cannot be named' key create p/k/0123456789abcdef0123456789abcdef --kty oct
says 2 'contradict' key update p/k --enabled --disabled
says 2 'nothing to change' key update p/k
says 2 'sig is missing' key verify p/k
says 2 'format takes der or raw' key sign p/k --format pem
says 2 'format takes pem or jwk' key public p/k --format der
says 2 "no algorithm 'ES255'" key sign p/k --alg ES255
says 2 'fscrypt is missing' key project p/k --desc x
says 2 'desc is missing' key project p/k --fscrypt
says 2 'keyring takes' key project p/k --fscrypt --desc x --keyring @x
says 2 'out is missing' volume token p/k
says 2 'number of bytes' random 0
says 2 'is not the address of a secret' secret get k
says 2 'names no secret' secret get p/keys/k
says 2 'names no key' key show p/secrets/k
says 2 'cannot be named' secret set p/k/0123456789abcdef0123456789abcdef
says 2 'nothing to change' secret update p/k
says 2 'content-type is not UTF-8' secret set p/k --content-type "$(printf 'a\xff')"
says 2 'secret is missing' run -- true
says 2 'NAME=ADDRESS' run --secret p/k -- true
says 2 'NAME=ADDRESS' run --secret 1A=p/k -- true
says 2 'NAME=ADDRESS' run --secret A.B=p/k -- true
says 2 'is not the address of a secret' run --secret A=p/keys/k -- true
says 2 'is missing' run --secret A=p/k
head -c 25601 /dev/zero >big-value
says 2 'more than 25600 bytes' secret set p/k --in big-value
says 2 "no option '-5'" random -5
says 2 'number of bytes' random -- -5
says 2 'number of bytes' random 1k
says 2 'no role' role assign boss --to uid:1 --scope /
says 2 'to is missing' role assign reader --scope /
says 2 'scope is missing' role assign reader --to uid:1
says 2 'scope takes' role assign reader --to uid:1 --scope payroll
says 2 'scope takes' role assign reader --to uid:1 --scope /a/b/c/d
says 2 'to takes' role assign reader --to 1000 --scope /
says 2 'to takes' role assign reader --to uid:4294967295 --scope /
says 2 'no user' role assign reader --to user:nobody-of-this-name --scope /
says 2 'since takes' audit show --since yesterday
says 2 'principal takes' audit show --principal root
says 2 'takes a number' audit show --principal uid:root
says 2 'takes a number' audit show --principal uid:
says 2 'takes a number' audit show --principal gid:10x
says 2 'count takes a whole number' audit show -n 0
says 2 'RECORD is missing' audit accept
says 2 'not the number of a record' audit accept 0
says 2 'not the number of a record' audit accept 1x
says 2 'give --yes' audit accept 17
says 2 'bash only' completion zsh
says 2 'name of a vault' vault create "$long"
says 2 'name of a vault' vault create "$(printf 'v\xc3\xa4')"
says 2 'name of a vault' vault create ../etc
says 2 'retention takes' vault create v --retention 6
says 2 'sku takes' vault create v --sku gold
says 2 'not the address' key show "p/$long"
says 2 'not the address' key show "$(printf 'p/k\x01\n\xff')"
says 2 'not the address' key show p/../k
says 2 '32 hexadecimal' key show p/k/123
says 2 'no terminal: give --yes' root recovery create
says 2 'no terminal: give --yes' key delete p/k
says 2 'no terminal: give --yes' key purge p/k
says 2 'no terminal: give --yes' secret delete p/k
says 2 'name none' key delete p/k/0123456789abcdef0123456789abcdef --yes
says 2 'name none' key rotation-policy show p/k/0123456789abcdef0123456789abcdef
says 2 'JSON object is wanted' key rotation-policy set p/k
says 2 'gets a new one' key rotate p/k/0123456789abcdef0123456789abcdef
says 2 'unused-for takes' key list --unused-for ever

# --- files that cannot be read, and are no keys
says 2 'No such file' key import p/k --in nothing
says 2 'it is a directory' key import p/k --in .
says 2 'is empty' key import p/k --in /dev/null
says 2 'more than 65536 bytes' key import p/k --in /dev/zero
printf '{"kty":"oct","k":' >cut.jwk
says 2 'not JSON' key import p/k --in cut.jwk
printf '{"kty":"oct","k":"AAAA","k":"AAAA"}' >twice.jwk
says 2 'not JSON' key import p/k --in twice.jwk
printf '{"kty":"oct","k":"\xff\xff"}' >utf8.jwk
says 2 'not JSON' key import p/k --in utf8.jwk
printf '[1]' >list.jwk
says 2 'none of JWK, PEM, DER' key import p/k --in list.jwk
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem 2>/dev/null
head -c 100 key.pem >cut.pem
says 2 'cut off' key import p/k --in cut.pem
openssl pkey -in key.pem -outform DER -out key.der
head -c 50 key.der >cut.der
says 2 'none of JWK, PEM, DER' key import p/k --in cut.der
openssl pkey -in key.pem -pubout -out public.pem
says 2 'not of a private' key import p/k --in public.pem
openssl genpkey -algorithm ED25519 -out ed.pem
says 2 'neither an RSA nor an EC key' key import p/k --in ed.pem
head -c 31 key.der >raw31
says 2 '16, 24, 32 or 64 bytes' key import p/k --kty oct --in raw31
says 2 'type EC, not RSA' key import p/k --kty RSA --in key.pem

# --- nothing secret in what --dry-run shows
says_secret=$(openssl rand -hex 16)
printf '%s' "$says_secret" >raw32
"$KVAULT" key import p/k --kty oct --in raw32 --dry-run >out 2>err
result $? 'dry-run of an import'
grep -q '32 secret bytes' out && ! grep -q "$says_secret" out err
result $? 'it tells how many secret bytes there are, and not which'
"$KVAULT" key import p/k --in key.pem --dry-run >out 2>err
grep -q '"crv":"P-256"' out && ! grep -q '"d"' out
result $? 'the JSON of an imported key has no private member'
"$KVAULT" key create p/k --for volume --dry-run >out
[ "$(cat out)" = 'POST /vaults/p/keys/k/create {"key_ops":["volume"],"key_size":512,"kty":"oct"}' ]
result $? 'dry-run shows what would be sent'
"$KVAULT" role assign crypto-user --to user:root --scope /p/k --dry-run >out
grep -q '"scope":"/p/keys/k"' out && grep -q '"principalId":"uid:0"' out
result $? 'names become numbers, and scopes are written out'

# --- no vault here
if [ ! -e /dev/kvault ]; then
	says 4 'modprobe kvault' status
	says 4 'modprobe kvault' vault list
	says 4 'modprobe kvault' key encrypt p/k --in key.pem --out out.kv
	[ ! -e out.kv ]
	result $? 'nothing was written'
fi

# --- help, completion and manual are of one table
"$KVAULT" --help >help
result $? '--help'
missing=0
while read -r noun verb _; do
	case $noun in status | whoami | run | random | version | completion) verb= ;; esac
	case "$noun $verb" in 'root slot') verb='slot list' ;; 'root recovery') verb='recovery create' ;;
	'key rotation-policy') verb='rotation-policy show' ;; esac
	# shellcheck disable=SC2086
	"$KVAULT" $noun $verb --help >verb.help 2>&1 || { echo "# no help of $noun $verb"; missing=1; }
	# shellcheck disable=SC2086
	[ -z "$MANS" ] || cat $MANS | sed 's/\\-/-/g; s/\\f.//g' | grep -q -- "kvault $noun ${verb:-}" ||
		[ -z "$verb" ] || { echo "# $noun $verb is not in the manual"; missing=1; }
done < <(sed -n 's/^  \([a-z]\)/\1/p' help)
result $missing 'each verb has its help, and is in the manual'
if [ -n "$COMPLETION" ]; then
	bash -n "$COMPLETION"
	result $? 'completion is bash'
	# shellcheck disable=SC1090
	words=$(. "$COMPLETION" && COMP_WORDS=(kvault key cr) COMP_CWORD=2 && _kvault && echo "${COMPREPLY[*]}")
	[ "$words" = create ]
	result $? "completion of 'kvault key cr' is 'create'"
	# shellcheck disable=SC1090
	words=$(. "$COMPLETION" && COMP_WORDS=(kvault root recovery '') COMP_CWORD=3 && _kvault && echo "${COMPREPLY[*]}")
	[ "$words" = create ]
	result $? "completion of 'kvault root recovery' is 'create'"
	# shellcheck disable=SC1090
	words=$(. "$COMPLETION" && COMP_WORDS=(kvault key sign p/k --form) COMP_CWORD=4 && _kvault && echo "${COMPREPLY[*]}")
	[ "$words" = --format ]
	result $? "completion of an option"
fi
if command -v mandoc >/dev/null && [ -n "$MANS" ]; then
	# Links lead to pages where the manual is installed.
	# shellcheck disable=SC2046,SC2086
	mandoc -Tlint -W warning $(grep -L '^\.so ' $MANS) | grep -v 'skipping paragraph macro' >lint
	[ ! -s lint ]
	result $? 'the manual has no fault that mandoc finds'
	sed 's/^/# /' lint
fi

# --- the terminal
"$KVAULT" $'a\xc2\x9b31m\xc3\xa4\x1b' 2>err
grep -q $'a?31m\xc3\xa4?' err
result $? 'C0 and C1 controls are not printed, other letters are'

# Starts the command on a terminal of its own, presses Ctrl-C at the prompt.
cat >prompt.py <<'PYTHON'
import os, pty, sys, termios
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while b"Passphrase" not in seen:
    seen += os.read(fd, 1000)
before = termios.tcgetattr(fd)[3] & termios.ECHO
os.write(fd, b"secr\x03")
status = os.waitpid(pid, 0)[1]
after = termios.tcgetattr(fd)[3] & termios.ECHO
print("before", bool(before), "after", bool(after), "signal", os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
PYTHON
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:x -out enc.pem 2>/dev/null
got=$(timeout 20 python3 prompt.py "$KVAULT" key import p/k --in enc.pem 2>&1)
[ "$got" = 'before False after True signal 2' ]
result $? "Ctrl-C at a passphrase ends the command and gives the terminal its echo back"
[ "$got" = 'before False after True signal 2' ] || echo "# $got"
echo "1..$n"
[ "$bad" = 0 ]
