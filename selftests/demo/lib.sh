# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# What the steps of the demo share. A step is a script of this shape:
#
#   claim 2 "what is claimed"           the heading
#   run 'a command'                     shown, run, and what it says is shown
#   check "what must be so" COMMAND...  a finding: 'ok' if COMMAND succeeds, else 'NO'
#   verdict                             the step holds if no finding was NO
#
# Nothing else decides: a step that ends without its verdict has failed.
set -uo pipefail

# Where the demo's scripts are, where its files are kept (a disk: they outlive the
# reboot of step 8), and where what must never be on a disk is.
demo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=/mnt/state/demo
ram=/run/demo
# memsearch and the small programs of this folder (*.c) are commands here.
export PATH=$demo:/mnt/in/bin:$PATH
: "${BREAK:=}"
mkdir -p "$work" "$ram"
cd "$work" || exit

step='' findings=0 failures=0 judged=0
# Of the last command that run showed.
output='' status=0

claim() {
	step=$1
	[ "$BREAK" != "$step" ] || say "BREAK=$BREAK: the guard of this step is off"
	say "$2"
	echo
}

say() {
	printf '%s\n' "$*" | fold -s -w 96 | sed 's/ *$//; s/^/  /'
}

# run COMMAND [LINES]: COMMAND is one string, as typed to a shell. Of its output at
# most LINES are shown (12), all is in $output.
run() {
	printf '    $ %s\n' "$1"
	output=$(eval "$1" 2>&1 </dev/null)
	status=$?
	[ -z "$output" ] || shorten "${2:-12}" <<<"$output"
}

# start COMMAND: the same in the background; $! is its process.
start() {
	printf '    $ %s &\n' "$1"
	eval "exec $1" 2>>"$ram/stderr" &
}

shorten() {
	awk -v max="$1" '
		NR <= max { print "      " substr($0, 1, 250) }
		END { if (NR > max) print "      [" NR - max " more lines]" }'
}

check() {
	local text=$1
	shift
	findings=$((findings + 1))
	if "$@" >/dev/null 2>&1; then
		echo "  ok: $text"
	else
		failures=$((failures + 1))
		echo "  NO: $text"
	fi
}

# refused STATUS: the last command said no, in the way that cli.md promises:
# that status, one line, and nothing that looks like a crash.
refused() {
	[ "$status" = "$1" ] && [ "$(wc -l <<<"$output")" = 1 ]
}

said() {
	grep -qiE -- "$1" <<<"$output"
}

not() {
	! "$@"
}

# flip FILE OFFSET: turn over the lowest bit of one byte.
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "$(printf '\\x%02x' $((byte ^ 1)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# figure NAME VALUE SOURCE: one of the four figures at the end.
figure() {
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$work/figures"
}

# now: milliseconds of the guest's clock since boot.
now() {
	local up
	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

verdict() {
	judged=1
	if [ "$findings" -gt 0 ] && [ "$failures" = 0 ]; then
		echo "  => step $step holds ($findings of $findings findings)"
		exit 0
	fi
	echo "  => step $step FAILS ($failures of $findings findings are NO)"
	exit 1
}

# shellcheck disable=SC2317 # called by the trap
ended() {
	[ "$judged" = 1 ] || echo "  => step $step FAILS: it ended without a verdict"
	[ "$judged" = 1 ] || exit 1
}
trap ended EXIT
