# SPDX-License-Identifier: GPL-2.0-only
TESTS += test-util
test-util_SRCS := util/test-util.c util/hex.c util/io.c
test-util_PKGS := cmocka
