# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
# What the shell scenarios share beside TAP (lib.sh).

# A name that no other run of any test has, for a vault.
vault="$(basename "$0" _test.sh | tr _ -)-$$-$(date +%s)"

new_vault() {
	ok "a vault is made" kvault vault create "$vault"
}

# exits STATUS TEXT COMMAND...: it ends with exactly this status.
exits() {
	local want=$1 text=$2
	shift 2
	run "$@"
	[ "$status" = "$want" ] || note "status $status, wanted $want"
	tap_result "$([ "$status" = "$want" ]; echo $?)" "$text"
}

# refused TEXT COMMAND...: status 3, and one line that says why.
refused() {
	exits 3 "$@"
	is "... in one line" "$(wc -l <<<"$output")" 1
}

# A loop device of MEGABYTES on a file of the current folder: $loop_device.
loop_devices=()
new_disk() {
	truncate -s "$2M" "$1"
	modprobe loop 2>/dev/null
	loop_device=$(losetup -f --show "$1")
	loop_devices+=("$loop_device")
}

free_disks() {
	local d
	for d in "${loop_devices[@]}"; do
		losetup -d "$d" 2>/dev/null
	done
}

# What only the daemon knows takes effect when it has started.
daemon_is_up() {
	kvault status --check >/dev/null 2>&1
	[ $? -le 1 ]
}
