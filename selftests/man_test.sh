#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The manual's examples work: in each page of section 1, the lines that begin with
# '$ ' are run one after the other, in a folder with the files that they speak of.
# timeout: 300
. "$(dirname "$0")/lib.sh"

echo 'a contract' >contract
head -c 200000 /dev/urandom >accounts

examples() {
	sed -n '/^\.nf/,/^\.fi/ s/^\$ //p' "$1" | sed 's/\\-/-/g; s/\\&//g'
}

for page in kvault kvault-vault kvault-key kvault-secret kvault-volume kvault-role kvault-audit kvault-root; do
	count=0
	while read -r command; do
		count=$((count + 1))
		ok "$page: $command" sh -c "$command"
	done < <(examples "/usr/share/man/man1/$page.1")
	ok "$page has examples" test "$count" -gt 0
done
ok "what was encrypted came back" cmp accounts accounts.back
is "the token has its size" "$(stat -c %s disk.token)" 128

# One ioctl for each chunk of 64 KiB, beside opening the key and one random id.
strace -qq -e trace=ioctl -o calls kvault key encrypt payroll/files --in accounts --out x.kv
is "encrypting 200000 bytes is one ioctl for each chunk" \
	"$(grep -cE '0xe9, 0x4(,|\))' calls)" 4
strace -qq -e trace=ioctl -o calls kvault key decrypt payroll/files --in x.kv --out x
is "and so is decrypting them" "$(grep -cE '0xe9, 0x5(,|\))' calls)" 4
tap_done
