#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Volumes with stock cryptsetup:
#
#   a.img -- loop -- paes-xts (key "a") -- /dev/mapper/A
#   b.img -- loop -- paes-xts (key "b") -- /dev/mapper/B
#
# Disabling "a" stops A and not B; a token is of no use to a user namespace, by
# device-mapper or by AF_ALG; the ciphertext is OpenSSL's.
# timeout: 600
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	systemctl kill -s CONT kvaultd 2>/dev/null
	umount ./mnt 2>/dev/null
	for d in "${vault}A" "${vault}B" "${vault}R"; do
		dmsetup remove --retry "$d" 2>/dev/null
	done
	free_disks
	tap_end
}
trap cleanup EXIT

A="${vault}A" B="${vault}B"
echo -n 'guards nothing' >pass
luks=(-q --type luks2 --cipher paes-xts-plain64 --key-size 1024 --pbkdf pbkdf2
	--pbkdf-force-iterations 1000)
new_disk a.img 40
a=$loop_device
new_disk b.img 40
b=$loop_device
new_vault
ok "a volume key is made" kvault key create "$vault/a" --for volume
ok "and another" kvault key create "$vault/b" --for volume
ok "a token is given out" kvault volume token "$vault/a" --out a.token
ok "and another one" kvault volume token "$vault/b" --out b.token
is "a token has 128 bytes" "$(stat -c %s a.token)" 128
is "and begins with its magic" "$(head -c 4 a.token)" KVT1

ok "luksFormat takes it" cryptsetup luksFormat "${luks[@]}" --volume-key-file a.token "$a" pass
ok "and the other" cryptsetup luksFormat "${luks[@]}" --volume-key-file b.token "$b" pass
ok "A opens" cryptsetup open --key-file pass "$a" "$A"
ok "B opens" cryptsetup open --key-file pass "$b" "$B"
head -c 4M /dev/urandom >data
ok "A takes data" dd if=data of="/dev/mapper/$A" bs=64k oflag=direct status=none
ok "B takes data" dd if=data of="/dev/mapper/$B" bs=64k oflag=direct status=none
ok "A closes" cryptsetup close "$A"
# shellcheck disable=SC2317 # called by eventually
has_no_volume() {
	[ "$(kvault key users "$vault/a" --field volumes)" = 0 ]
}
ok "... and is counted no more" eventually 10 has_no_volume
ok "A opens again" cryptsetup open --key-file pass "$a" "$A"
ok "the data is there" cmp -n 4194304 data "/dev/mapper/$A"
fails "none of it is on the disk" grep -qaF "$(head -c 64 data | tr -d '\0\n' | head -c 24)" a.img
run cryptsetup luksDump -q --dump-volume-key --key-file pass "$a"
is "luksDump shows the token as the volume key, and nothing else" \
	"$(sed -n '/MK dump:/,$p' <<<"$output" | sed 's/MK dump://' | tr -d ' \t\n')" \
	"$(od -An -v -tx1 a.token | tr -d ' \n')"
refusal=$(rmmod kvault 2>&1)
like "the module stays while a volume is open" "$refusal" 'in use'

# --- the token is no authority ---------------------------------------------------------------
fails "device-mapper refuses a user namespace" unshare -Ur cryptsetup open --key-file pass "$a" "${vault}X"
cat >alg.py <<'PY'
import socket, sys
s = socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
s.bind(("skcipher", "xts(paes)"))
try:
    s.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, open(sys.argv[1], "rb").read())
except OSError as e:
    print(e.strerror)
    sys.exit(1)
op, _ = s.accept()
try:
    op.sendmsg_afalg([b"x" * 64], op=socket.ALG_OP_ENCRYPT, iv=b"\0" * 16)
    op.recv(64)
except OSError as e:
    print(e.strerror)
    sys.exit(1)
PY
fails "AF_ALG refuses a token in a user namespace" unshare -Ur python3 alg.py a.token
fails "AF_ALG refuses a token of a user of the host" \
	setpriv --reuid 1000 --regid 1000 --clear-groups python3 alg.py a.token
for spoil in 0:magic 4:format 8:tenant 24:key 40:version 56:grant 72:nonce 104:padding 127:end; do
	cp a.token bad.token
	byte=$(od -An -tu1 -j "${spoil%:*}" -N 1 a.token | tr -d ' ')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %o $((byte ^ 1)))" |
		dd of=bad.token bs=1 seek="${spoil%:*}" conv=notrunc status=none
	fails "a token with another ${spoil#*:} is refused" python3 alg.py bad.token
done
head -c 127 a.token >short.token
fails "a token that is too short is refused" python3 alg.py short.token
{ cat a.token; echo; } >long.token
fails "a token that is too long is refused" python3 alg.py long.token
head -c 128 /dev/urandom >random.token
fails "a random key is refused" python3 alg.py random.token

# --- the kill switch ---------------------------------------------------------------------------
ok "A's key is disabled" kvault key update "$vault/a" --disabled
systemctl kill -s STOP kvaultd
fails "A does not read" dd if="/dev/mapper/$A" of=/dev/null bs=4k skip=3000 count=1 iflag=direct
like "... with EIO" "$output" 'Input/output error'
fails "A does not write" dd if=data of="/dev/mapper/$A" bs=4k seek=3000 count=1 oflag=direct
like "... with EIO" "$output" 'Input/output error'
ok "B reads" dd if="/dev/mapper/$B" of=/dev/null bs=4k skip=3000 count=1 iflag=direct
ok "B writes" dd if=data of="/dev/mapper/$B" bs=4k count=1 oflag=direct
systemctl kill -s CONT kvaultd
cryptsetup close "$A"
fails "A does not open" cryptsetup open --key-file pass "$a" "$A"
ok "A's key is enabled" kvault key update "$vault/a" --enabled
ok "A opens" cryptsetup open --key-file pass "$a" "$A"
is "A's key has one volume open" "$(kvault key users "$vault/a" --field volumes)" 1
ok "every byte is there" cmp -n 4194304 data "/dev/mapper/$A"

# --- volumes stay up ------------------------------------------------------------------------------
systemctl kill -s KILL kvaultd
ok "A reads and writes without a daemon" \
	dd if="/dev/mapper/$A" of="/dev/mapper/$A" bs=64k count=16 iflag=direct oflag=direct conv=notrunc status=none
ok "the daemon comes back" eventually 20 daemon_is_up
ok "A goes on" cmp -n 4194304 data "/dev/mapper/$A"

# --- the ciphertext is that of AES-XTS ----------------------------------------------------------------
printf '%064d%064d' 1 2 | xxd -r -p >raw.key
ok "a key of known bytes is imported" kvault key import "$vault/known" --kty oct --for volume --in raw.key
ok "with a token" kvault volume token "$vault/known" --out known.token
new_disk raw.img 8
ok "it is mapped without LUKS" cryptsetup open --type plain --cipher paes-xts-plain64 --key-size 1024 \
	--key-file known.token --hash plain "$loop_device" "${vault}R"
ok "two sectors are written" dd if=data of="/dev/mapper/${vault}R" bs=512 count=2 oflag=direct status=none
sync
for sector in 0 1; do
	iv=$(printf '%02x%030d' $sector 0)
	dd if=data bs=512 skip=$sector count=1 status=none >plain
	python3 - "$iv" >want <<'PY'
import ctypes, ctypes.util, sys
c = ctypes.CDLL(ctypes.util.find_library("crypto"))
c.EVP_CIPHER_CTX_new.restype = c.EVP_aes_256_xts.restype = ctypes.c_void_p
ctx = ctypes.c_void_p(c.EVP_CIPHER_CTX_new())
out, n = ctypes.create_string_buffer(512), ctypes.c_int()
assert c.EVP_EncryptInit_ex(ctx, ctypes.c_void_p(c.EVP_aes_256_xts()), None,
                            open("raw.key", "rb").read(), bytes.fromhex(sys.argv[1])) == 1
assert c.EVP_EncryptUpdate(ctx, out, ctypes.byref(n), open("plain", "rb").read(), 512) == 1
sys.stdout.buffer.write(out.raw)
PY
	dd if=raw.img bs=512 skip=$sector count=1 status=none >got
	ok "sector $sector is what OpenSSL makes of it" cmp want got
done
ok "it closes" cryptsetup close "${vault}R"
ok "A closes" cryptsetup close "$A"
ok "B closes" cryptsetup close "$B"
tap_done
