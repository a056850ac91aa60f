# SPDX-License-Identifier: GPL-2.0-only
ENGINE_CORE := engine/alg.c engine/jwk.c engine/key.c engine/pub.c
ENGINE_SOFT := engine/openssl.c engine/rsa15.c
ENGINE_TEST := engine/test-keys.c engine/test-peer.c util/hex.c
ENGINE_PKGS := libcrypto jansson jose

TESTS += test-openssl
test-openssl_SRCS := engine/test-openssl.c $(ENGINE_TEST) $(ENGINE_CORE) $(ENGINE_SOFT)
test-openssl_PKGS := $(ENGINE_PKGS) cmocka

TESTS += test-rsa15
test-rsa15_SRCS := engine/test-rsa15.c engine/rsa15.c util/hex.c
test-rsa15_PKGS := libcrypto cmocka
