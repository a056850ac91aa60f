#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where keys are. Keys of known bytes are imported and used by command line, ioctl,
# keyring and dm-crypt; while all of that is at work these are searched, for raw
# bytes, hex, base64 and AES round keys:
#
#   memory of every process    nothing; private numbers in kvault-engine alone
#   store, journal, kernel log, swap, disk     nothing
#   netlink, by a monitor                      nothing
#   all memory, from outside   the control: there they are
#
# vm: --state @ --smp 1
# timeout: 600
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"
here=$(cd "$(dirname "$0")" && pwd)
ram=/dev/shm/residency
mkdir -p $ram && cd $ram || exit

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	exec 7>&- 2>/dev/null
	dmsetup remove --retry "${vault}V" 2>/dev/null
	free_disks
	tap_end
}
trap cleanup EXIT

search() {
	/usr/bin/python3 "$here/keysearch" "$@"
}

# --- a monitor of netlink, and swap to look at ---------------------------------------------------
cat >sniff.py <<'PY'
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
s.bind(("nlmon0", 0))
with open("netlink.cap", "wb", buffering=0) as f:
    while True:
        f.write(s.recv(1 << 18))
PY
modprobe nlmon
ok "netlink is monitored" sh -c 'ip link add nlmon0 type nlmon && ip link set nlmon0 up'
/usr/bin/python3 sniff.py &
sniffer=$!
swap=/mnt/state/swap
truncate -s 64M $swap
new_disk $swap 64
chmod 600 $swap
swap_device=$loop_device
mkswap -q "$swap_device" >/dev/null 2>&1
ok "there is swap" swapon "$swap_device"

# --- the keys: made here, masked at once, given in and shredded -------------------------------------
new_vault
# The shell itself must not see them: they go from program to program.
make_key() {
	# make_key NAME BYTES: file NAME.key, line in the list
	head -c "$2" /dev/urandom >"$1.key"
	search make list "$1" aes <"$1.key"
}
make_key aes 32
make_key mac 32
make_key disk 64
ok "an AES key is imported" kvault key import "$vault/aes" --kty oct --in aes.key --ops encrypt --ops decrypt
ok "an HMAC key is imported" kvault key import "$vault/mac" --kty oct --in mac.key --ops sign --ops verify
ok "a volume key is imported" kvault key import "$vault/disk" --kty oct --for volume --in disk.key
openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out ec.pem
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
number() {
	openssl pkey -in "$1" -noout -text | awk -v want="$2" '
		/^[a-zA-Z]/ { on = index($0, want) == 1; next }
		on { gsub(/[ :\n]/, ""); printf "%s", $0 }' | sed 's/^00//'
}
number ec.pem priv | search make list ec num
number rsa.pem privateExponent | search make list rsa-d num
number rsa.pem prime1 | search make list rsa-p num
is "six keys are looked for" "$(wc -l <list)" 6
ok "an EC key is imported" kvault key import "$vault/ec" --in ec.pem
ok "an RSA key is imported" kvault key import "$vault/rsa" --in rsa.pem

head -c 60000 /bin/bash >data
# AES-GCM of known bytes and iv, against OpenSSL, while the key is still known to us.
ok "the bare primitive" kvault key encrypt "$vault/aes" --raw --alg A256GCM --in data --out raw.ct --iv raw.iv --tag raw.tag
/usr/bin/python3 - >want.ct <<'PY'
import ctypes, ctypes.util, sys
c = ctypes.CDLL(ctypes.util.find_library("crypto"))
c.EVP_CIPHER_CTX_new.restype = c.EVP_aes_256_gcm.restype = ctypes.c_void_p
key, iv, data = (open(f, "rb").read() for f in ("aes.key", "raw.iv", "data"))
ctx = ctypes.c_void_p(c.EVP_CIPHER_CTX_new())
out, tag, n = ctypes.create_string_buffer(len(data)), ctypes.create_string_buffer(16), ctypes.c_int()
assert c.EVP_EncryptInit_ex(ctx, ctypes.c_void_p(c.EVP_aes_256_gcm()), None, key, iv[:12]) == 1
assert c.EVP_EncryptUpdate(ctx, out, ctypes.byref(n), data, len(data)) == 1
assert c.EVP_EncryptFinal_ex(ctx, None, ctypes.byref(n)) == 1
assert c.EVP_CIPHER_CTX_ctrl(ctx, 0x10, 16, tag) == 1
sys.stdout.buffer.write(out.raw + tag.raw)
PY
ok "is what OpenSSL makes with the same key and iv" sh -c 'cat raw.ct raw.tag | cmp - want.ct'
ok "the key files are destroyed" shred -u aes.key mac.key disk.key ec.pem rsa.pem
rm -f raw.ct want.ct

# --- everything at work ---------------------------------------------------------------------------------
ok "a token for the volume" kvault volume token "$vault/disk" --out token
new_disk volume 16
ok "the volume is open" cryptsetup open --type plain --cipher paes-xts-plain64 --key-size 1024 \
	--key-file token --hash plain "$loop_device" "${vault}V"
ok "and written to" dd if=data of="/dev/mapper/${vault}V" bs=64k oflag=direct conv=notrunc iflag=fullblock count=8 status=none
mkfifo pipe
kvault key encrypt "$vault/aes" --alg A256GCM --in - --out - <pipe >data.kv &
user=$!
exec 7>pipe
cat data >&7
ok "signatures by the command line" kvault key sign "$vault/ec" --alg ES256 --in data --out sig
ok "... with RSA" kvault key sign "$vault/rsa" --alg PS256 --in data --out rsig
ok "... with HMAC" kvault key sign "$vault/mac" --alg HS256 --in data --out mac
ok "the keyring has the EC key" keyctl request2 kvault "$vault/ec" "" @s
serial=$output
openssl dgst -sha256 -binary data >digest
ok "and signs with it" sh -c "keyctl pkey_sign $serial 0 digest enc=raw >ksig"
# What can go to swap is made to.
for group in /sys/fs/cgroup/system.slice /sys/fs/cgroup/system.slice/kvaultd.service; do
	echo 64M >$group/memory.reclaim 2>/dev/null
done
ok "kvault is at work during the search" kill -0 $user

# --- the search ---------------------------------------------------------------------------------------------
run search list procs
procs=$output
is "no symmetric key is in the memory of any process" "$(grep -E '^(aes|mac|disk) ' <<<"$procs")" ''
is "private numbers are in no process but the engine" \
	"$(grep -E '^(ec|rsa)' <<<"$procs" | grep -v ' kvault-engine\[')" ''
like "(they are in the engine, which the same search finds)" "$procs" '^ec .* kvault-engine\['
sync
run search list files /var/lib/kvault /run/kvault /run/log /var/log /run/systemd
is "nothing is in the store, its log, the journal" "$output" ''
dmesg >kernel.log
journalctl --no-pager -o export >journal.log 2>/dev/null
run search list files kernel.log journal.log
is "nothing is in the kernel's log" "$output" ''
run search list files "$swap_device"
is "nothing is in swap" "$output" ''
run search list files /dev/vda
is "nothing is on the disk, whatever was written there" "$output" ''
kill $sniffer
wait $sniffer
like "the monitor saw kvault's netlink" "$(stat -c %s netlink.cap)" '^[0-9]{3,}$'
run search list files netlink.cap
is "nothing went over netlink" "$output" ''
run search list files token sig rsig mac ksig data.kv raw.iv raw.tag
is "nothing is in what came out" "$output" ''

# --- the control: it is in memory, and this search finds it ----------------------------------------------------
masked() {
	sed -n "s/^$1 [a-z]* //p" list | head -n 1
}
ok "the AES key is in kernel memory" vm-dump search --mask 5a --forms raw,schedule "$(masked aes)"
half=$(masked disk)
ok "so is the volume's" vm-dump search --mask 5a --forms raw,schedule "${half:0:64}"
backwards=$(masked ec | fold -w 2 | tac | tr -d '\n')
ok "the EC key is in the engine's memory" sh -c "vm-dump search --mask 5a $(masked ec) || vm-dump search --mask 5a $backwards"
head -c 32 /dev/urandom >file-of-a-key
search make control c aes <file-of-a-key
run search control files file-of-a-key
like "the search finds a key in a file" "$output" '^c raw 1 '
base64 -w0 file-of-a-key >file-of-base64
run search control files file-of-base64
like "... and in base64" "$output" '^c base64'

# --- and its end --------------------------------------------------------------------------------------------------
exec 7>&-
wait $user
ok "the file is decrypted" sh -c "kvault key decrypt '$vault/aes' --in data.kv --out - | cmp - data"
ok "the volume closes" dmsetup remove --retry "${vault}V"
swapoff "$swap_device"
tap_done
