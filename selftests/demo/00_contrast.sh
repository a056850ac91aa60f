#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 0: where a key is while it is used.
#
# One key encrypts the same bytes twice: first in openssl, then in kvault. While
# each is at work the memory of every process is searched for the key by the same
# command (./memsearch: raw, hex, base64, AES round keys).
#
# BREAK=0: the second one is openssl too, so the key has to be in its memory.
. "$(dirname "$0")/lib.sh"
claim 0 "A key that a program uses is in that program's memory. An AES key that kvault uses is in no program's."

cd "$ram" || exit
mkfifo pipe
openssl rand -out key 32
memsearch --mask <key >key.masked

# use COMMAND: run it in the background, feed it a megabyte, search while it waits
# for more, and let it end.
use() {
	start "$1"
	local user=$!
	exec 7>pipe
	head -c 1M /bin/bash >&7
	sleep 0.5
	run "memsearch key.masked"
	kill -0 $user && alive=0 || alive=1
	exec 7>&-
	wait $user
	ended=$?
}

with_openssl='openssl enc -aes-256-ctr -iv 00000000000000000000000000000000 -K "$(basenc --base16 -w0 key)" <pipe >openssl.out'
use "$with_openssl"
check "openssl was at work during the search" test "$alive" = 0
check "the search finds the key in openssl's memory" said 'memory of openssl'

run 'kvault vault create contrast'
run 'kvault key import contrast/key --kty oct --in key'
check "kvault has taken the key" test "$status" = 0
with_kvault='kvault key encrypt contrast/key --alg A256GCM --in - --out - <pipe >kvault.out'
if [ "$BREAK" = 0 ]; then
	with_kvault=$with_openssl
else
	run 'shred -u key'
fi
use "$with_kvault"
check "kvault was at work during the search" test "$alive" = 0
check "the same search finds nothing now" said '^0 copies'
check "the megabyte was encrypted" test "$ended" = 0 -a "$(stat -c %s kvault.out)" -ge 1048576
verdict
