#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 8: kvaultd and the engines die; then the machine restarts.
#
# They are killed and kept down for 10 seconds (masked, so that systemd does not
# restart them). Work that the kernel does alone goes on; ./ops.c counts it. Work
# that needs them ends within its caller's time-out. Then the guest reboots, and this
# script runs a second time, in the second boot.
#
# BREAK=8: the store is moved away before the reboot.
. "$(dirname "$0")/lib.sh"
. "$demo/softhsm.sh"

services='kvaultd kvault-engine-openssl kvault-engine-pkcs11'

# waits TIMEOUT COMMAND: in the background; says how long it took and how it ended.
waits() {
	(
		begun=$(now)
		answer=$(eval "$2 --timeout $1" 2>&1)
		printf '%s\t%s\t%s\t%s\n' "$?" $(($(now) - begun)) "$1" "$2: $answer" >>"$ram/waits"
	) &
}

# When a key was used last is known when its user pauses: that alone may change.
all_keys() {
	kvault key list --json | tr -d '\n' | sed 's/, *"lastUsed": *[0-9]*//g'
}

first_boot() {
	claim 8 "kvaultd dies, and encryption goes on, disks go on, nobody hangs. The machine restarts, and every key is there."
	say "A program holds a handle on payroll/files. All of kvault's processes are killed and stay down for 10 s:"
	mkfifo "$ram/go"
	start "ops payroll/keys/files 10 <$ram/go >$ram/ops"
	local ops=$!
	exec 7>"$ram/go"
	sleep 1
	run "systemctl mask --runtime $services"
	run "systemctl kill --signal=KILL $services"
	run 'ps -C kvaultd,kvault-engine -o comm='
	check "no process of kvault's is left" test -z "$output"
	echo go >&7
	exec 7>&-
	waits 3 'kvault key sign payroll/signing --in contract --out late.sig'
	waits 3 'kvault key create payroll/late --kty oct --size 256'
	run 'dd if=accounts of=/mnt/disk/while-down bs=64k count=32 conv=fsync status=none'
	check "the disk writes" test "$status" = 0
	run 'dd if=/dev/mapper/disk of=/dev/null bs=4096 skip=8000 count=1 iflag=direct status=none'
	check "the disk reads" test "$status" = 0
	wait "$ops"
	# One who comes late and is patient: the module waits 10 s for a return.
	waits 60 'kvault key sign payroll/contracts --alg RS256 --in contract --out patient.sig'
	run "cat $ram/ops"
	local count longest
	count=$(sed -n 's/^\([0-9]*\) encrypted.*/\1/p' "$ram/ops")
	longest=$(sed -n 's/.*longest \([0-9]*\) ms.*/\1/p' "$ram/ops")
	check "at least 1000 encryptions while they were down" test "${count:-0}" -ge 1000
	check "none of them waited past its time-out of 10 s" test "${longest:-99999}" -le 10500
	figure "encryptions while kvaultd and the engines were dead for 10 s" "$count" 'ops payroll/keys/files 10'

	say "They come back:"
	run "systemctl unmask --runtime $services"
	run 'systemctl reset-failed "kvault*"; systemctl start kvaultd kvault-engine-openssl kvault-engine-pkcs11'
	check "kvaultd and the engines run" systemctl is-active kvaultd kvault-engine-openssl
	wait
	say "What the three who waited were told:"
	awk -F'\t' '{ printf "      exit %d after %.1f s of %d: %.130s\n", $1, $2 / 1000, $3, $4 }' "$ram/waits"
	# Starting a program takes its time, too, in a machine that is emulated.
	check "nobody waited past his time-out" awk -F'\t' '$2 > $3 * 1000 + 5000 { exit 1 }' "$ram/waits"
	check "each got an answer or 'unavailable'" awk -F'\t' '$1 != 0 && $1 != 4 { exit 1 }' "$ram/waits"
	check "all three were" test "$(wc -l <"$ram/waits")" = 3
	run 'kvault key sign payroll/signing --in contract --out after.sig && openssl dgst -sha256 -verify signing.pem -signature after.sig contract'
	check "and all is as before" said '^Verified OK'

	all_keys >keys.before
	say "The machine restarts."
	umount /mnt/disk /mnt/archive
	cryptsetup close disk
	cryptsetup close archive
	echo "$findings $failures" >first-boot
	if [ "$BREAK" = 8 ]; then
		systemctl stop kvaultd
		mkdir -p /mnt/state/away
		mv /var/lib/kvault/kvault.db* /mnt/state/away
	fi
	judged=1
	vm-reboot
}

second_boot() {
	step=8
	read -r findings failures <first-boot
	say "It is back."
	run 'kvault key decrypt payroll/files --in accounts.kv --out accounts.back'
	figure "from the start of the kernel to the first decryption with a stored key" \
		"$(($(now) / 1000)).$(($(now) % 1000 / 100)) s" '/proc/uptime'
	check "what was encrypted before decrypts" cmp accounts accounts.back
	rm -f accounts.back
	all_keys >keys.after
	run 'cmp keys.before keys.after && echo "$(kvault key list --quiet | wc -l) keys, none changed"'
	check "every key is there" cmp keys.before keys.after
	softhsm_serve
	run 'kvault key sign treasury/stamp --in contract --out again.sig && openssl dgst -sha256 -verify stamp.pem -signature again.sig contract'
	check "the key in the HSM signs" said '^Verified OK'
	run 'cryptsetup open --key-file passphrase /dev/vdb disk && mkdir -p /mnt/disk && mount /dev/mapper/disk /mnt/disk'
	check "the disk opens" test "$status" = 0
	run '(cd /mnt/disk && sha256sum --quiet -c) <disk.sums && cmp -n 2097152 accounts /mnt/disk/while-down && echo "all files are there"'
	check "with all files, also that which was written while kvaultd was dead" said 'all files are there'
	verdict
}

if [ "$VM_BOOT" = 1 ]; then
	first_boot
else
	second_boot
fi
