#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Step 2: a file of 20 MB is encrypted and decrypted.
#
# The file is the first 20 MB of this machine's C compiler, for want of a secret.
# Then one bit in the middle of the encrypted file is turned over.
#
# BREAK=2: the module is built without the check of the GCM tag.
# break: NO_TAG_CHECK
. "$(dirname "$0")/lib.sh"
claim 2 "A file of 20 MB is encrypted and comes back. Turn over one bit, and it is refused, with nothing left behind."

head -c 20000000 "$(gcc -print-prog-name=cc1)" >accounts
run 'kvault key encrypt payroll/files --alg A256GCM --in accounts --out accounts.kv'
check "it is encrypted" test "$status" = 0
run 'kvault key decrypt payroll/files --in accounts.kv --out accounts.back'
run 'cmp accounts accounts.back && echo equal'
check "what comes back is equal" cmp accounts accounts.back
check "the encrypted file shows nothing of it" not grep -qF "$(strings -n 20 accounts | sed -n 100p)" accounts.kv
rm accounts.back

say "One bit of byte 10 000 000:"
flip accounts.kv 10000000
run 'kvault key decrypt payroll/files --in accounts.kv --out accounts.back'
check "it is refused" refused 3
run 'ls -A | grep accounts'
check "no output is left" test "$(find . -name 'accounts*' | sort | tr '\n' ' ')" = "./accounts ./accounts.kv "
flip accounts.kv 10000000
verdict
