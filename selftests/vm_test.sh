#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guest runner itself, from this machine: what it passes through, and that a
# guest which dies or a kernel that complains is never a success.
#
# vm: host
# timeout: 600
# shellcheck disable=SC2016 # guests expand their own variables
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086,SC2153,SC2317 # VM_RUN is a command line
guest() {
	$VM_RUN --init script "$@"
}

run guest -- 'echo out; echo err >&2; exit 7'
is "the exit status comes through" "$status" 7
like "so does standard output" "$output" '^out$'
like "and standard error" "$output" '^err$'

echo content >file
run guest --file file -- 'cat /mnt/in/file'
is "a file is found in /mnt/in" "$output" content

run guest -- 'echo c >/proc/sysrq-trigger'
is "a panic is a failure" "$status" 125
run guest -- 'echo "<4>WARNING: CPU: 0 PID: 1 at x.c:1" >/dev/kmsg; exit 0'
is "so is a warning of the kernel, whatever the command says" "$status" 125
run guest --timeout 8 -- 'sleep 60'
is "and running out of time" "$status" 124

rm -f state
run guest --state state -- 'case $VM_BOOT in
	1) echo kept >/var/lib/kvault/file; vm-reboot ;;
	2) cat /var/lib/kvault/file ;;
	esac'
is "the state disk outlives a reboot" "$output" kept

# The pattern is masked, so that the request is no hit; the bytes are made late.
run guest -- 'python3 -c "
import subprocess, sys
key = bytes((i * 73 + 41) % 251 for i in range(32))
if sys.argv[1] == \"keep\":
    kept = bytearray(key)
masked = bytes(b ^ 0x5a for b in key).hex()
del key
sys.exit(subprocess.run([\"vm-dump\", \"search\", \"--mask\", \"5a\", masked]).returncode)
" keep'
is "bytes in a process are found in guest memory" "$status" 0
run guest -- 'vm-dump search --mask 5a 00112233445566778899aabbccddeeff0f1e2d3c4b5a6978'
is "bytes that are nowhere are not" "$status" 1
rm -f state

run guest -- 'vm-module renew && [ -c /dev/kvault ]'
is "the module is loaded anew" "$status" 0
run guest -- 'sleep 60 </dev/kvault & sleep 1; vm-module renew'
is "and not while a test that has ended holds it" "$status" 1
tap_done
