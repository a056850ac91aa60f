/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wrapper around a PKCS#11 module: it alone opens sessions, logs in, and
 * says what a module's errors mean. pkcs11.c works with the session it gives.
 */
#ifndef KVE_TOKEN_H
#define KVE_TOKEN_H

#include <p11-kit/pkcs11.h>

#include "engine/engine.h"

#define KVE_TOKEN_TEXT	512

/* engine-pkcs11.conf: where the token is. No secret. */
struct kve_token_config {
	char module[KVE_TOKEN_TEXT];	/* path of the module */
	char token[KVE_TOKEN_TEXT];	/* PKCS#11 URI, or the token's label */
	char pin_credential[64];	/* name below $CREDENTIALS_DIRECTORY */
};

/* Reads it; unknown keys are errors, said with the line. -EINVAL, -ENOENT. */
int kve_token_config_read(const char *path, struct kve_token_config *ret,
			  struct kve_reply *reply);

/*
 * struct kve_token - one token, one session
 * @f: functions of the module
 * @session: valid while is_connected
 * @epoch: grows with each connection; object handles are valid within one
 * @needs_login: private objects are seen only after log-in
 * @serial: of the token, without padding
 */
struct kve_token {
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE session;
	uint64_t epoch;
	int is_connected;
	int needs_login;
	char serial[17];
	struct kve_token_private *private;
};

/*
 * Loads the module and connects. -EHOSTDOWN when the token cannot be reached,
 * -EKEYREJECTED when it refused the PIN, which is never tried again after that.
 */
int kve_token_open(const struct kve_token_config *config, struct kve_token **ret,
		   struct kve_reply *reply);
void kve_token_close(struct kve_token *t);

/* Connects again if the session was lost and its back-off is over. -EHOSTDOWN. */
int kve_token_ready(struct kve_token *t, struct kve_reply *reply);

/* Is the session gone with this error? Then it is closed here. */
int kve_token_is_lost(struct kve_token *t, CK_RV rv);

/*
 * An object is not to be seen any more: is that because the log-in is gone?
 * Then the session counts as lost.
 */
void kve_token_check_login(struct kve_token *t);

/* What an error means to who asked: negative errno. */
int kve_token_error(CK_RV rv, const char *what, struct kve_reply *reply);

/* The one object of a class with an id. -ENOKEY without one, -EIO with several. */
int kve_token_find(struct kve_token *t, CK_OBJECT_CLASS class,
		   const uint8_t id[KVAULT_ID_SIZE], CK_OBJECT_HANDLE *ret,
		   struct kve_reply *reply);

#endif /* KVE_TOKEN_H */
