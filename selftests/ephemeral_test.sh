#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What ephemeral tenants may take of /run, which is the whole machine's:
#
#   uid 65534: two namespaces, which make what they can    refused at their share
#   uid 1000:  one namespace                               goes on
#   the host                                               goes on
#
# timeout: 400
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kvlib.sh"

# as UID COMMAND...: in a new user namespace of that uid.
as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups unshare -Ur "${@:2}"
}

mkdir -p /run/systemd/system/kvaultd.service.d
cat >/run/systemd/system/kvaultd.service.d/max.conf <<-'CONF'
	[Service]
	ExecStart=
	ExecStart=/usr/sbin/kvaultd --ephemeral-max=1
CONF
systemctl daemon-reload
ok "1 MiB for ephemeral tenants" systemctl restart kvaultd
ok "kvaultd serves" eventually 30 daemon_is_up

cat >/run/fill.sh <<-'GUEST'
	tags=()
	for i in $(seq 14); do tags+=(--tag "t$i=$(head -c 200 /dev/zero | tr '\0' x)"); done
	n=0
	kvault vault create v "${tags[@]}" || exit
	while kvault key create v/k --kty oct "${tags[@]}" >/dev/null; do
		n=$((n + 1))
		[ $n -lt "$1" ] || exit 0
	done
	echo "refused after $n"
	touch /run/fill/full
	[ "$1" -gt 5 ] || exit 1
	exec sleep 600
GUEST
install -d -m 1777 /run/fill
# Without a shell between, which would be what is killed.
setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Ur bash /run/fill.sh 500 >fill.log 2>&1 </dev/null &
pid=$!
ok "a uid that fills it is refused" eventually 200 test -e /run/fill/full
note "$(cat fill.log)"
like "... and told why" "$(cat fill.log)" 'uid 65534 have used up their share'
like "... before it has all" "$(cat fill.log)" 'refused after [1-9]'
as 65534 timeout 60 bash /run/fill.sh 500 >second.log 2>&1 </dev/null &
# shellcheck disable=SC2317 # called by eventually
second_is_refused() {
	grep 'used up their share' second.log
}
ok "another namespace of that uid is refused, too" eventually 60 second_is_refused
fails "... at once" grep -E 'refused after ([4-9]|..)' second.log
ok "another uid does" as 1000 kvault vault create w
ok "the host does" kvault vault create "$vault"
note "$(ls -l /run/kvault)"
kill $pid
wait 2>/dev/null
ok "when it has ended there is room again" eventually 30 as 65534 bash /run/fill.sh 5
rm -rf /run/systemd/system/kvaultd.service.d /run/fill /run/fill.sh
systemctl daemon-reload
ok "kvaultd as it was" systemctl restart kvaultd
ok "... serves" eventually 30 daemon_is_up
tap_done
