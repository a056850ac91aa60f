# SPDX-License-Identifier: GPL-2.0-only
ROOT_CORE := root/code.c root/creds.c root/files.c root/kdf.c root/slots.c root/secret.c
ROOT_UTIL := util/hex.c util/io.c util/log.c

PROGS += kvault-root
kvault-root_SRCS := root/main.c root/verbs.c root/kernel.c $(ROOT_CORE) $(ROOT_UTIL)
kvault-root_PKGS := libcrypto jansson libsystemd
kvault-root_DIR := $(libexecdir)

UNITS += root/kvault-root-init.service root/kvault-root.service \
	root/kvault-root-explain.service

TESTS += test-root
test-root_SRCS := root/test-root.c $(ROOT_CORE) $(ROOT_UTIL)
test-root_PKGS := libcrypto jansson libsystemd cmocka
