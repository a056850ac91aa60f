# SPDX-License-Identifier: GPL-2.0-only
CORE_SRCS := $(addprefix core/,access.c address.c audit.c budget.c checkpoint.c context.c denial.c head.c kaudit.c \
	keyrule.c lease.c purge.c rotation.c unit.c)
API_SRCS := $(addprefix api/,access.c audit.c control.c deleted.c keychange.c keyjson.c keymake.c \
	keyread.c newversion.c request.c roles.c root.c rotation.c secrets.c skip.c status.c users.c vaults.c)
STORE_SRCS := $(addprefix store/,deleted.c keys.c leases.c log.c meta.c roles.c rotation.c schema.c sqlite.c \
	tenants.c vaults.c)
KVD_UTIL_SRCS := $(addprefix util/,base64.c error.c hex.c io.c journal.c json.c \
	log.c time.c)

PROGS += kvaultd
kvaultd_SRCS := main.c manager.c outcome.c records.c startup.c link.c $(API_SRCS) $(CORE_SRCS) $(STORE_SRCS) \
	$(KVD_UTIL_SRCS)
kvaultd_PKGS := libsystemd libnl-genl-3.0 jansson sqlite3 libcrypto
kvaultd_DIR := $(sbindir)

UNITS += systemd/kvaultd.service
SYSUSERS += systemd/sysusers.d/kvault.conf
UDEV += systemd/udev/60-kvault.rules
MODULES_LOAD += systemd/modules-load.d/kvault.conf

TESTS += test-json
test-json_SRCS := util/test-json.c $(KVD_UTIL_SRCS)
test-json_PKGS := jansson libsystemd cmocka

TESTS += test-store
test-store_SRCS := store/test-store.c $(STORE_SRCS) util/error.c
test-store_PKGS := sqlite3 cmocka

TESTS += test-rules
test-rules_SRCS := core/test-rules.c $(CORE_SRCS) $(STORE_SRCS) $(KVD_UTIL_SRCS)
test-rules_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-access
test-access_SRCS := core/test-access.c $(CORE_SRCS) $(STORE_SRCS) $(KVD_UTIL_SRCS)
test-access_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-audit
test-audit_SRCS := core/test-audit.c $(CORE_SRCS) $(STORE_SRCS) $(KVD_UTIL_SRCS)
test-audit_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-head
test-head_SRCS := core/test-head.c $(CORE_SRCS) $(STORE_SRCS) $(KVD_UTIL_SRCS)
test-head_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

DAEMON_DOUBLE := test-link.c manager.c outcome.c records.c startup.c $(API_SRCS) $(CORE_SRCS) \
	$(STORE_SRCS) $(KVD_UTIL_SRCS)

TESTS += test-daemon
test-daemon_SRCS := test-daemon.c $(DAEMON_DOUBLE)
test-daemon_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-secret
test-secret_SRCS := test-secret.c $(DAEMON_DOUBLE)
test-secret_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-log
test-log_SRCS := test-log.c $(DAEMON_DOUBLE)
test-log_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-deleted
test-deleted_SRCS := test-deleted.c $(DAEMON_DOUBLE)
test-deleted_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-budget
test-budget_SRCS := test-budget.c $(DAEMON_DOUBLE)
test-budget_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-volume
test-volume_SRCS := test-volume.c $(DAEMON_DOUBLE)
test-volume_PKGS := jansson libsystemd sqlite3 libcrypto cmocka

TESTS += test-rotation
test-rotation_SRCS := test-rotation.c $(DAEMON_DOUBLE)
test-rotation_PKGS := jansson libsystemd sqlite3 libcrypto cmocka
