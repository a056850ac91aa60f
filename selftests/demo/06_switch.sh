#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 6: the kill switch.
#
# A key is disabled while its disk is mounted. When the command returns it is done:
# kvaultd is stopped at once (SIGSTOP), so that nothing can happen behind the scenes.
# The block that is read was never read before, and read past the page cache.
#
# BREAK=6: the module is built so that a disk goes on when its key is disabled.
# break: PAES_STOP
. "$(dirname "$0")/lib.sh"
claim 6 "Disable a key, and its mounted disk stops: no read, no write. Enable it, and all that was on the disk is back."

say "A second disk, to see that nothing happens to it:"
run 'kvault key create payroll/archive --for volume'
run 'kvault volume token payroll/archive --out archive.token'
run 'cryptsetup luksFormat -q --type luks2 --cipher paes-xts-plain64 --key-size 1024 --volume-key-file archive.token --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdc passphrase'
run 'cryptsetup open --key-file passphrase /dev/vdc archive && mkfs.ext4 -q -E lazy_itable_init=0 /dev/mapper/archive'
run 'mkdir -p /mnt/archive && mount /dev/mapper/archive /mnt/archive'
run 'dd if=accounts of=/mnt/disk/ledger bs=64k count=32 conv=fsync status=none'
(cd /mnt/disk && find . -type f -exec sha256sum {} +) >disk.sums
# Nothing is left to be written: the first write after the switch is ours.
sync -f /mnt/disk
before=$(dmsetup table disk)

say "The switch:"
run 'kvault key update payroll/disk --disabled'
check "the key is disabled" test "$status" = 0
run 'systemctl kill --signal=STOP kvaultd'
run 'dmsetup table disk'
check "device-mapper's table is the same as before" test "$output" = "$before"
run 'dd if=contract of=/mnt/disk/new conv=fsync status=none'
check "a write that is fsync'd fails with EIO" said 'Input/output error'
run 'dd if=/dev/mapper/disk of=/dev/null bs=4096 skip=9000 count=1 iflag=direct status=none'
check "a direct read fails with EIO" said 'Input/output error'
run 'dd if=/dev/mapper/archive of=/dev/null bs=4096 skip=9000 count=1 iflag=direct status=none'
check "the other disk reads" test "$status" = 0
run 'dd if=contract of=/mnt/archive/new conv=fsync status=none'
check "the other disk writes" test "$status" = 0

say "And back:"
run 'systemctl kill --signal=CONT kvaultd'
run 'umount /mnt/disk; cryptsetup close disk'
run 'cryptsetup open --key-file passphrase /dev/vdb disk'
check "it does not open while its key is disabled" test "$status" != 0
run 'kvault key update payroll/disk --enabled'
run 'cryptsetup open --key-file passphrase /dev/vdb disk'
check "it opens when the key is enabled" test "$status" = 0
run 'e2fsck -p /dev/mapper/disk'
check "e2fsck -p mends what a crash leaves, and no more" test "$status" -le 1
run 'mount /dev/mapper/disk /mnt/disk'
run '(cd /mnt/disk && sha256sum --quiet -c) <disk.sums && echo "$(wc -l <disk.sums) files are as they were"'
check "every byte that had been fsync'd is there" said 'files are as they were'
verdict
