# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP for shell scenarios. Source it first:
#
#   . "$(dirname "$0")/lib.sh"
#   ok   "a vault is made" kvault vault create a
#   fails "and not twice" kvault vault create a
#   is   "its name" "$(kvault vault show a)" a
#   tap_done
#
# One line 'ok N - text' or 'not ok N - text' per call; what a command prints
# follows as a comment. A script that ends without tap_done has failed.

tap_count=0 tap_failed=0 tap_ended=0
# The last command's output, for a closer look: $output
output='' status=0

tap_result() {
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
}

note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# run COMMAND...: show it and its output; $output and $status hold the result.
run() {
	note "\$ $*"
	output=$("$@" 2>&1 </dev/null)
	status=$?
	[ -z "$output" ] || note "$output"
	return "$status"
}

# ok TEXT COMMAND...: the command succeeds.
ok() {
	local text=$1
	shift
	run "$@"
	tap_result "$status" "$text"
}

# fails TEXT COMMAND...: the command says no; being killed is no such answer.
fails() {
	local text=$1
	shift
	run "$@"
	[ "$status" -gt 0 ] && [ "$status" -lt 124 ]
	tap_result $? "$text"
}

# is TEXT GOT WANTED
is() {
	[ "$2" = "$3" ]
	local r=$?
	[ $r = 0 ] || note "got: $2" $'\n'"wanted: $3"
	tap_result $r "$1"
}

# like TEXT GOT REGEX
like() {
	grep -qE -- "$3" <<<"$2"
	local r=$?
	[ $r = 0 ] || note "got: $2" $'\n'"wanted a match of: $3"
	tap_result $r "$1"
}

# unlike TEXT GOT REGEX
unlike() {
	! grep -qE -- "$3" <<<"$2"
	local r=$?
	[ $r = 0 ] || note "got: $2" $'\n'"wanted no match of: $3"
	tap_result $r "$1"
}

# eventually SECONDS COMMAND...: until it succeeds; events instead of sleeps.
eventually() {
	local end=$((SECONDS + $1 * ${VM_FACTOR:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# skip TEXT REASON: only for what this machine lacks, and if allowed-skips agrees.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# skip_all REASON
skip_all() {
	tap_ended=1
	echo "1..0 # SKIP $*"
	exit 4
}

tap_done() {
	tap_ended=1
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}

# A script with a trap of its own calls tap_end in it.
tap_end() {
	[ "$tap_ended" = 1 ] || echo "Bail out! the script ended early"
}
trap tap_end EXIT
