# SPDX-License-Identifier: GPL-2.0-only
ENGINE_CORE := engine/alg.c engine/jwk.c engine/key.c engine/pub.c \
	util/base64.c
ENGINE_SOFT := engine/openssl.c engine/rsa15.c
ENGINE_TEST := engine/test-keys.c engine/test-peer.c util/hex.c
ENGINE_PKGS := libcrypto jansson

TESTS += test-openssl
test-openssl_SRCS := engine/test-openssl.c $(ENGINE_TEST) $(ENGINE_CORE) $(ENGINE_SOFT)
test-openssl_PKGS := $(ENGINE_PKGS) cmocka

TESTS += test-rsa15
test-rsa15_SRCS := engine/test-rsa15.c engine/rsa15.c util/hex.c
test-rsa15_PKGS := libcrypto cmocka

ENGINE_TOKEN := engine/pkcs11.c engine/token.c engine/tokenconf.c
ENGINE_MAIN := engine/main.c engine/parent.c engine/loop.c engine/worker.c engine/message.c \
	engine/process.c engine/sandbox.c
ENGINE_UTIL := util/hex.c util/io.c util/log.c

PROGS += kvault-engine
kvault-engine_SRCS := $(ENGINE_MAIN) $(ENGINE_CORE) $(ENGINE_SOFT) $(ENGINE_TOKEN) $(ENGINE_UTIL)
kvault-engine_PKGS := $(ENGINE_PKGS) libseccomp libsystemd p11-kit-1 inih
kvault-engine_DIR := $(libexecdir)
# Not readable for its users: from its first instruction on nobody looks into it, not even they.
kvault-engine_MODE := 711

TESTS += test-pkcs11
test-pkcs11_SRCS := engine/test-pkcs11.c $(ENGINE_TEST) $(ENGINE_CORE) $(ENGINE_TOKEN) util/io.c
test-pkcs11_PKGS := $(ENGINE_PKGS) p11-kit-1 inih cmocka

TESTS += test-worker
test-worker_SRCS := engine/test-worker.c engine/worker.c engine/message.c $(ENGINE_TEST) \
	$(ENGINE_CORE) $(ENGINE_SOFT)
test-worker_PKGS := $(ENGINE_PKGS) cmocka

TESTS += test-sandbox
test-sandbox_SRCS := engine/test-sandbox.c engine/sandbox.c
test-sandbox_PKGS := libseccomp cmocka

UNITS += engine/kvault-engine-openssl.service engine/kvault-engine-pkcs11.service
