#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A directory that is encrypted with a key that went from the module to ext4:
#
#   kvault --ioctl--> module --> key "fscrypt-provisioning" --> ext4
#                                 in @s, unreadable             by its serial
# timeout: 240
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	cd / || true
	umount "$OLDPWD/mnt" 2>/dev/null
	free_disks
	tap_end
}
trap cleanup EXIT

# The three ioctls: add SERIAL -> identifier; policy DIR ID; remove ID.
cat >fs.py <<'PY'
import fcntl, os, struct, sys
verb, path, arg = sys.argv[1:]
fd = os.open(path, os.O_RDONLY)
if verb == "add":
    a = bytearray(struct.pack("<II32sII32x", 2, 0, b"", 0, int(arg)))
    fcntl.ioctl(fd, 0xC0506617, a)
    print(a[8:24].hex())
elif verb == "policy":
    fcntl.ioctl(fd, 0x800C6613, struct.pack("<BBBB4s16s", 2, 1, 4, 3, b"", bytes.fromhex(arg)))
else:
    fcntl.ioctl(fd, 0xC0406618, bytearray(struct.pack("<II32sI20x", 2, 0, bytes.fromhex(arg), 0)))
PY

new_disk ext4.img 32
ok "ext4 with encryption is made" mkfs.ext4 -q -O encrypt "$loop_device"
mkdir mnt
ok "and mounted" mount "$loop_device" mnt
new_vault
ok "a volume key is made" kvault key create "$vault/home" --for volume
ok "an AES key that is none is made" kvault key create "$vault/aes" --kty oct
fails "the latter is not projected" kvault key project "$vault/aes" --fscrypt --desc "fscrypt:no" --keyring @s
fails "nor into a keyring that does not exist" kvault key project "$vault/home" --fscrypt --desc "fscrypt:no" --keyring 12345
ok "the former is" kvault key project "$vault/home" --fscrypt --desc "fscrypt:$vault" --keyring @s
serial=$output
like "a serial comes back" "$serial" '^[0-9]+$'
ok "it is what fscrypt looks for" keyctl rdescribe "$serial"
like "... by type" "$output" '^fscrypt-provisioning;'
fails "nobody reads it" keyctl print "$serial"
ok "ext4 takes it by its serial" python3 fs.py add mnt "$serial"
id=$output
mkdir mnt/private
ok "a folder is encrypted with it" python3 fs.py policy mnt/private "$id"
echo 'a private matter' >mnt/private/file
sync
ok "the file system forgets it" python3 fs.py remove mnt "$id"
fails "the names are gone" test -e mnt/private/file
is "there is one file all the same" "$(find mnt/private -type f | wc -l)" 1
fails "that nobody can read" sh -c 'cat mnt/private/*'
keyctl unlink "$serial" @s >/dev/null
ok "the vault gives the key again" kvault key project "$vault/home" --fscrypt --desc "fscrypt:$vault" --keyring @s
ok "ext4 takes it" python3 fs.py add mnt "$output"
is "under the same identifier" "$output" "$id"
is "the file is there" "$(cat mnt/private/file)" 'a private matter'
fails "no text of it is on the disk" grep -qa 'a private matter' ext4.img
ok "the key is disabled" kvault key update "$vault/home" --disabled
fails "a disabled key is not projected" kvault key project "$vault/home" --fscrypt --desc "fscrypt:no" --keyring @s
tap_done
