#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 7: a user namespace, which is what a container is to the kernel.
#
# 'unshare -Ur' makes a user namespace of its own in which one is root. Five ways to
# the host's keys are tried from there; each is first shown to work on the host where
# it can, so that a refusal means something. Then it makes a key of its own, of known
# bytes, and ends. The guest's whole memory is searched from outside (vm-dump: the
# virtual machine is stopped and its memory read) while it runs and a second after.
#
# BREAK=7: the module is built without the check of the tenant in the keyring. (Without
# the one of the device nothing is stolen: the grant, which is checked too, is another's.)
# break: KEYRING_TENANT
. "$(dirname "$0")/lib.sh"
claim 7 "Root of a container sees an empty vault and none of the host's keys. Its own keys die with it, within a second."

# Milliseconds since $last at which a search had found no key any more. This asks as
# vm-dump does, but 20 times as often: without starting a program.
search_until_gone() {
	local name port after found
	for name in /sys/class/virtio-ports/*/name; do
		[ "$(cat "$name")" != vm.monitor ] || port=/dev/$(basename "$(dirname "$name")")
	done
	exec 8<>"$port"
	while :; do
		echo "search --mask 5a $masked" >&8
		# The answer: exit status, 'COUNT HEX', '.'
		read -r found <&8
		read -r _ <&8
		read -r _ <&8
		after=$(($(now) - last))
		if [ "$found" = 1 ] || [ "$after" -gt 5000 ]; then
			break
		fi
		sleep 0.03
	done
	echo "$after"
}

run 'kvault vault list'
check "the host sees its vault" said 'payroll'
run 'unshare -Ur kvault vault list'
check "the container sees none" not said 'payroll|treasury|contrast'

say "By name:"
run 'unshare -Ur kvault key sign payroll/signing --in contract --out stolen.sig'
check "not found" refused 3

say "By a file descriptor and a handle that were opened on the host (./thief.c):"
run "thief fd payroll/keys/files"
check "works on the host" said 'on the host: encrypted'
check "refused after unshare" said 'in a user namespace of its own: refused'

say "By the number of a key in a keyring that is shared:"
serial=$(keyctl request2 kvault payroll/signing "" @s)
run "keyctl pkey_sign $serial 0 digest enc=raw hash=sha256 >host.sig"
check "works on the host" test "$status" = 0
run "unshare -Ur keyctl pkey_sign $serial 0 digest enc=raw hash=sha256 >stolen.sig"
check "refused" test "$status" != 0 -a ! -s stolen.sig
run "unshare -Ur keyctl print $serial"
check "nor is the public half shown there" test "$status" != 0

say "By the token of a disk:"
run 'unshare -Ur cryptsetup open --key-file passphrase /dev/vdb stolen'
check "device-mapper refuses" test "$status" != 0 -a ! -e /dev/mapper/stolen
run "unshare -Ur thief afalg disk.token"
check "AF_ALG, by which anyone reaches the kernel's ciphers, refuses" said 'refused'

say "A key of its own, of known bytes:"
openssl rand -out "$ram/own" 32
memsearch --mask <"$ram/own" >"$ram/own.masked"
masked=$(basenc --base16 -w0 "$ram/own.masked" | tr A-F a-f)
cat >"$ram/container" <<'CONTAINER'
kvault vault create mine
kvault key import mine/key --kty oct --in /run/demo/own && shred -u /run/demo/own
kvault key encrypt mine/key --alg A256GCM --in contract --out own.kv
kvault key decrypt mine/key --in own.kv --out own.back && cmp contract own.back && echo 'equal'
touch /run/demo/ready
read -r _ </run/demo/end
CONTAINER
mkfifo "$ram/end"
run "cat $ram/container"
echo "    \$ unshare -Ur bash $ram/container &"
unshare -Ur bash "$ram/container" >"$ram/said" 2>&1 &
container=$!
for _ in {1..300}; do
	[ ! -e "$ram/ready" ] || break
	sleep 0.1
done
output=$(cat "$ram/said")
shorten 12 <<<"$output"
check "it encrypts and decrypts with it" said '^equal'
run "vm-dump search --mask 5a $masked"
check "the key is in the kernel's memory while the container runs" test "$status" = 0

say "Its last process ends:"
echo >"$ram/end"
wait "$container"
last=$(now)
gone=$(search_until_gone)
run "vm-dump search --mask 5a $masked"
check "the key is gone from the whole memory" test "$status" = 1
check "it was gone within a second" test "$gone" -le 1000
figure "from a container's last process to its key gone from memory" "$gone ms at most" 'vm-dump search'
run 'kvault vault list'
check "the host's vault is untouched" said 'payroll'
verdict
