#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where the root key is not, once the kernel has it: systemd keeps the credential of
# a unit in a file as long as the unit is active.
#
# timeout: 300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

# shellcheck disable=SC2317 # called by eventually
is_served() {
	timeout 5 kvault key show "$vault/k"
}

no_credential() {
	is "$1: no file has the root key" \
		"$(find /run/credentials /run/systemd/system -name '*kvault-root*' 2>/dev/null)" ''
}

ok "kvaultd serves" systemctl is-active kvaultd
no_credential "after the start"
is "the key comes by a user that is not the daemon's" \
	"$(systemctl show -p User --value kvault-root)" kvault-root
kvault vault create "$vault" >/dev/null
kvault key create "$vault/k" --kty oct >/dev/null
echo text >in
ok "a key" kvault key encrypt "$vault/k" --alg A256GCM --in in --out out

ok "kvaultd is restarted" systemctl restart kvaultd
ok "... and serves" eventually 30 is_served
ok "... with the same root key" kvault key decrypt "$vault/k" --in out --out back
ok "the plaintext" cmp in back
no_credential "after a restart"

# More often than systemd lets a unit start by default.
for _ in 1 2 3 4 5 6; do
	systemctl kill --signal=KILL kvaultd
	eventually 30 is_served
done
ok "it comes back from six crashes" is_served
systemctl reset-failed kvaultd kvault-root
no_credential "after crashes"
ok "kvault-root by itself" systemctl start kvault-root
no_credential "after that"

# A TPM that is busy, a credential that is away: what the kernel has goes on.
mv /var/lib/kvault/root/credential saved
fails "kvault-root without its credential" systemctl restart kvault-root
ok "kvaultd is restarted nevertheless" systemctl restart kvaultd
ok "... and serves" eventually 30 is_served
ok "... with the key that the kernel has" kvault key decrypt "$vault/k" --in out --out back2
run kvault status --check
is "kvault status warns" "$status" 1
like "... of the next boot" "$(kvault status)" 'could not be loaded again'
mv saved /var/lib/kvault/root/credential
ok "kvault-root with it" systemctl restart kvault-root
unlike "kvault status warns no more" "$(kvault status)" 'could not be loaded again'
systemctl reset-failed kvaultd kvault-root
no_credential "after that, too"
tap_done
