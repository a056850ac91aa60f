#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 5: an encrypted disk with stock cryptsetup, and an encrypted folder.
#
# What cryptsetup takes for the key of the disk is a token of 128 bytes that names
# a key. The passphrase of the LUKS header therefore guards nothing: its key
# derivation is cut short to save time.
#
# The folder is encrypted by ext4 (fscrypt, policy v2). kvault puts a key into a
# keyring of the kernel, the file system takes it from there; ./fscrypt-key makes
# the three ioctls for which Debian has no command, and sees only the key's number.
#
# BREAK=5: the disk gets an ordinary key (aes-xts-plain64) instead of a token.
. "$(dirname "$0")/lib.sh"
claim 5 "cryptsetup, as Debian ships it, encrypts a disk with a key that it never has. ext4 encrypts a folder with one."

echo -n 'guards nothing' >passphrase
format='--cipher paes-xts-plain64 --key-size 1024 --volume-key-file disk.token'
[ "$BREAK" != 5 ] || format='--cipher aes-xts-plain64 --key-size 512'

run 'kvault key create payroll/disk --for volume'
run 'kvault volume token payroll/disk --out disk.token'
run 'head -c 4 disk.token; stat -c ", %s bytes" disk.token'
run "cryptsetup luksFormat -q --type luks2 $format --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb passphrase"
check "luksFormat takes the token" test "$status" = 0
run 'cryptsetup open --key-file passphrase /dev/vdb disk'
run 'mkfs.ext4 -q -E lazy_itable_init=0 /dev/mapper/disk && mkdir -p /mnt/disk && mount /dev/mapper/disk /mnt/disk'
run 'cp -r /usr/share/common-licenses contract /mnt/disk && sync -f /mnt/disk'
(cd /mnt/disk && find . -type f -exec sha256sum {} +) >disk.sums
run 'umount /mnt/disk && cryptsetup close disk'
run 'grep -ac "GNU GENERAL PUBLIC LICENSE" /dev/vdb'
check "the disk holds no readable text" test "$output" = 0
run 'cryptsetup open --key-file passphrase /dev/vdb disk && mount /dev/mapper/disk /mnt/disk'
check "closed and opened again" test "$status" = 0
run '(cd /mnt/disk && sha256sum --quiet -c) <disk.sums && echo "$(wc -l <disk.sums) files are as they were"'
check "every file is there" said 'files are as they were'
run 'cryptsetup luksDump -q --dump-volume-key --key-file passphrase /dev/vdb' 30
key=$(sed -n '/MK dump:/,$p' <<<"$output" | sed 's/MK dump://' | tr -d ' \t\n')
token=$(basenc --base16 -w0 disk.token | tr A-F a-f)
check "the header's 'volume key' is the token, byte for byte" test "$key" = "$token"

say "A folder on ext4:"
run 'kvault key create payroll/home --for volume'
run 'kvault key project payroll/home --fscrypt --desc demo:home --keyring @s'
serial=$output
check "the key is in the keyring" said '^[0-9]+$'
run "keyctl describe $serial"
run "keyctl print $serial"
check "nobody can read it there" test "$status" != 0
run "fscrypt-key add /mnt/state $serial"
id=$output
run "mkdir private && fscrypt-key policy private $id && cp contract private"
check "the folder takes the policy" test "$status" = 0
run "sync -f . && fscrypt-key remove /mnt/state $id"
run 'ls private'
check "locked: not even the name is readable" not said 'contract'
run 'cat private/*'
check "nor the file" said 'Required key not available'
run 'kvault key project payroll/home --fscrypt --desc demo:home --keyring @s'
run "fscrypt-key add /mnt/state $output"
check "the same key comes from the vault again" test "$output" = "$id"
run 'cmp contract private/contract && echo equal'
check "unlocked: the file is there" said '^equal'
verdict
