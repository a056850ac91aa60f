#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys that are rotated by a policy: while kvaultd is stopped, and while it runs.
# Time passes by the clock:
#
#   day 0: keys, policies | kvaultd stops, day 8, starts | day 16, it runs
#
# vm: --smp 1
# timeout: 400
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

versions() {
	kvault key versions "$vault/$1" --quiet | wc -l
}

# has NAME N: it has so many versions.
# shellcheck disable=SC2317 # called by eventually
has() {
	[ "$(versions "$1")" = "$2" ]
}

cat >policy <<-'JSON'
	{"lifetimeActions": [{"trigger": {"timeAfterCreate": "P7D"}, "action": {"type": "Rotate"}}],
	 "attributes": {"expiryTime": "P60D"}}
JSON
cat >notify <<-'JSON'
	{"lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}]}
JSON
sed 's/P7D/P6D/' policy >often

new_vault
echo text >data
kvault key create "$vault/oct" --for encrypt --tag a=b >/dev/null
kvault key create "$vault/ec" --for sign >/dev/null
kvault key create "$vault/off" --for encrypt >/dev/null
kvault key create "$vault/told" --for encrypt --expires +40d >/dev/null
kvault key encrypt "$vault/oct" --in data --out data.kv
like "no policy" "$(kvault key rotation-policy show "$vault/oct")" 'no policy'
exits 2 "too often" kvault key rotation-policy set "$vault/oct" --in often
like "... is said" "$output" '7 days or more'
for key in oct ec off; do
	ok "a policy for $key" kvault key rotation-policy set "$vault/$key" --in policy
done
like "it shows when" "$output" 'rotate +P7D after a version was made; next '
ok "a policy that tells" kvault key rotation-policy set "$vault/told" --in notify
kvault key update "$vault/off" --disabled >/dev/null

ok "kvaultd stops" systemctl stop kvaultd
date -s '+8 days' >/dev/null
ok "kvaultd starts" systemctl start kvaultd
ok "what fell due meanwhile is done" eventually 60 has oct 2
ok "... also by an engine" eventually 60 has ec 2
ok "the new version has its tags" sh -c "kvault key show $vault/oct --json | jq -e '.tags.a == \"b\"'"
ok "... and expires" sh -c "kvault key show $vault/oct --json | jq -e '.attributes.exp > now + 59 * 86400'"
ok "the old one still decrypts" kvault key decrypt "$vault/oct" --in data.kv --out data.out
ok "... to the same bytes" cmp data data.out
ok "the latest one signs" kvault key sign "$vault/ec" --in data --out sig
is "a disabled key waits" "$(versions off)" 1
like "the log says who did it" "$(kvault audit show --op KeyRotateIfDue --json -n 50)" '"face": ?"timer"'
unlike "nobody was told yet" "$(kvault audit show --json -n 200)" 'NearExpiry'
ok "kvaultd is restarted" systemctl restart kvaultd
ok "... and serves" eventually 20 daemon_is_up
sleep 3
is "it is done once" "$(versions oct)" 2

date -s '+8 days' >/dev/null
ok "while it runs it is done, too" eventually 60 has oct 3
ok "... also by an engine" eventually 60 has ec 3
ok "somebody is told of what expires" eventually 30 sh -c \
	'kvault audit show --op KeyNearExpiryEventGridNotification --json -n 50 | grep -q told'
like "... in the journal, too" "$(journalctl -u kvaultd -o cat --no-pager)" "NearExpiry.* $vault/keys/told/"
ok "the disabled key is enabled" kvault key update "$vault/off" --enabled
ok "... and rotated" eventually 60 has off 2
echo '{}' >none
ok "the policy is taken away" kvault key rotation-policy set "$vault/oct" --in none
like "... and gone" "$output" 'no policy'
ok "the log verifies" kvault audit verify
tap_done
