// SPDX-License-Identifier: GPL-2.0-only
/*
 * One token behind one PKCS#11 module, one session that is logged in.
 *
 *	CONNECTED --[kve_token_is_lost]--> LOST --[kve_token_ready]--> CONNECTED
 *	                                    |  '--- failed: wait longer, to 60 s
 *	                                    '--- PIN refused: REFUSED, for good
 *
 * A token counts wrong PINs and locks itself. So a PIN is presented once, and
 * again only after it was right the last time; a token that says the next try
 * is the last one gets none.
 */
#include "engine/token.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <time.h>

#include "util/io.h"

#define SLOTS_MAX	64
#define PIN_MAX		255
#define BACKOFF_MIN_MS	250
#define BACKOFF_MAX_MS	60000

struct kve_token_private {
	struct kve_token_config config;
	P11KitUri *uri;		/* NULL: the configuration gives a label */
	uint8_t *pin;		/* secure heap */
	size_t pin_len;
	int is_initialized;
	int is_refused;
	uint64_t next_try_ms;
	unsigned int backoff_ms;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- errors ------------------------------------------------------------------------ */

static const struct {
	CK_RV rv;
	int error;
	const char *text;
} errors[] = {
	{ CKR_MECHANISM_INVALID, -EOPNOTSUPP, "the token does not know this algorithm" },
	{ CKR_MECHANISM_PARAM_INVALID, -EOPNOTSUPP, "the token does not know these parameters" },
	{ CKR_ARGUMENTS_BAD, -EOPNOTSUPP, "the token does not take these parameters" },
	{ CKR_KEY_TYPE_INCONSISTENT, -EOPNOTSUPP, "the token's key is of another type" },
	{ CKR_KEY_FUNCTION_NOT_PERMITTED, -EOPNOTSUPP, "the token's key is not for this" },
	{ CKR_KEY_SIZE_RANGE, -EOPNOTSUPP, "the token does not know keys of this size" },
	{ CKR_ATTRIBUTE_VALUE_INVALID, -EOPNOTSUPP, "the token does not take this key" },
	{ CKR_TEMPLATE_INCONSISTENT, -EOPNOTSUPP, "the token does not take this key" },
	{ CKR_DOMAIN_PARAMS_INVALID, -EOPNOTSUPP, "the token does not know this curve" },
	{ CKR_FUNCTION_NOT_SUPPORTED, -EOPNOTSUPP, "the token cannot do this" },
	{ CKR_ENCRYPTED_DATA_INVALID, -EBADMSG, "the ciphertext cannot be decrypted" },
	{ CKR_ENCRYPTED_DATA_LEN_RANGE, -EBADMSG, "the ciphertext cannot be decrypted" },
	{ CKR_KEY_HANDLE_INVALID, -ENOKEY, "the key is not in the token any more" },
	{ CKR_OBJECT_HANDLE_INVALID, -ENOKEY, "the key is not in the token any more" },
	{ CKR_HOST_MEMORY, -ENOMEM, "no memory is left" },
	{ CKR_DEVICE_MEMORY, -ENOMEM, "the token is full" },
	{ CKR_TOKEN_WRITE_PROTECTED, -EACCES, "the token is write-protected" },
};

int kve_token_error(CK_RV rv, const char *what, struct kve_reply *reply)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].rv == rv)
			return kve_refuse(reply, errors[i].error, "%s: %s", what, errors[i].text);
	return kve_refuse(reply, -EIO, "%s: %s (0x%lx)", what, p11_kit_strerror(rv), rv);
}

int kve_token_is_lost(struct kve_token *t, CK_RV rv)
{
	switch (rv) {
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_SESSION_CLOSED:
	case CKR_DEVICE_REMOVED:
	case CKR_DEVICE_ERROR:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_TOKEN_NOT_RECOGNIZED:
	case CKR_SLOT_ID_INVALID:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
	case CKR_USER_NOT_LOGGED_IN:
		t->is_connected = 0;
		return 1;
	default:
		return 0;
	}
}

void kve_token_check_login(struct kve_token *t)
{
	CK_SESSION_INFO info;

	if (t->f->C_GetSessionInfo(t->session, &info) != CKR_OK ||
	    (t->needs_login && info.state != CKS_RW_USER_FUNCTIONS))
		t->is_connected = 0;
}

/* --- connecting ---------------------------------------------------------------------- */

/* Copies a padded field of Cryptoki as text. */
static void unpad(char *dst, const CK_UTF8CHAR *src, size_t len)
{
	while (len && src[len - 1] == ' ')
		len--;
	memcpy(dst, src, len);
	dst[len] = '\0';
}

static int is_ours(const struct kve_token_private *p, CK_TOKEN_INFO *info)
{
	char label[sizeof(info->label) + 1];

	if (p->uri)
		return p11_kit_uri_match_token_info(p->uri, info);
	unpad(label, info->label, sizeof(info->label));
	return !strcmp(label, p->config.token);
}

static int find_slot(struct kve_token *t, CK_SLOT_ID *ret, CK_TOKEN_INFO *ret_info,
		     struct kve_reply *reply)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	CK_TOKEN_INFO info;
	int found = 0;
	CK_RV rv = t->f->C_GetSlotList(CK_TRUE, slots, &n);

	if (rv != CKR_OK)
		return kve_refuse(reply, -EHOSTDOWN, "the module lists no tokens: %s",
				  p11_kit_strerror(rv));
	for (CK_ULONG i = 0; i < n; i++) {
		if (t->f->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
		    !is_ours(t->private, &info))
			continue;
		*ret = slots[i];
		*ret_info = info;
		found++;
	}
	if (found == 1)
		return 0;
	return kve_refuse(reply, -EHOSTDOWN, "%s token '%s' is there: see token= in the "
			  "engine's configuration", found ? "more than one" : "no",
			  t->private->config.token);
}

static int refuse_pin(struct kve_token *t, const char *why, struct kve_reply *reply)
{
	t->private->is_refused = 1;
	return kve_refuse(reply, -EKEYREJECTED, "%s; mend the credential '%s', then start the "
			  "engine again", why, t->private->config.pin_credential);
}

static int log_in(struct kve_token *t, const CK_TOKEN_INFO *info, struct kve_reply *reply)
{
	struct kve_token_private *p = t->private;
	CK_RV rv;

	t->needs_login = !!(info->flags & CKF_LOGIN_REQUIRED);
	if (!t->needs_login)
		return 0;
	if (info->flags & CKF_USER_PIN_LOCKED)
		return refuse_pin(t, "the token's PIN is locked", reply);
	if (info->flags & CKF_USER_PIN_FINAL_TRY)
		return refuse_pin(t, "the token allows one more PIN only, which is not risked",
				  reply);
	rv = t->f->C_Login(t->session, CKU_USER, p->pin, p->pin_len);
	switch (rv) {
	case CKR_OK:
	case CKR_USER_ALREADY_LOGGED_IN:
		return 0;
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_EXPIRED:
	case CKR_PIN_LOCKED:
	case CKR_USER_PIN_NOT_INITIALIZED:
		return refuse_pin(t, "the token refused the PIN", reply);
	default:
		return kve_refuse(reply, -EHOSTDOWN, "the token takes no log-in: %s",
				  p11_kit_strerror(rv));
	}
}

static int open_session(struct kve_token *t, struct kve_reply *reply)
{
	CK_TOKEN_INFO info = { 0 };
	CK_SLOT_ID slot = 0;
	CK_RV rv;
	int r = find_slot(t, &slot, &info, reply);

	if (r < 0)
		return r;
	unpad(t->serial, info.serialNumber, sizeof(info.serialNumber));
	rv = t->f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				 &t->session);
	if (rv != CKR_OK)
		return kve_refuse(reply, -EHOSTDOWN, "the token gives no session: %s",
				  p11_kit_strerror(rv));
	return log_in(t, &info, reply);
}

/* From the beginning: a module that lost its device often keeps a wrong memory of it. */
static int connect_token(struct kve_token *t, struct kve_reply *reply)
{
	struct kve_token_private *p = t->private;
	CK_RV rv;
	int r;

	if (p->is_initialized)
		p11_kit_module_finalize(t->f);
	p->is_initialized = 0;
	rv = p11_kit_module_initialize(t->f);
	if (rv != CKR_OK)
		return kve_refuse(reply, -EHOSTDOWN, "the module does not start: %s",
				  p11_kit_strerror(rv));
	p->is_initialized = 1;
	r = open_session(t, reply);
	if (r == 0) {
		t->is_connected = 1;
		t->epoch++;
	}
	return r;
}

int kve_token_ready(struct kve_token *t, struct kve_reply *reply)
{
	struct kve_token_private *p = t->private;
	int r;

	if (t->is_connected)
		return 0;
#ifndef KVAULT_MUTANT_PIN_AGAIN
	if (p->is_refused)
		return kve_refuse(reply, -EHOSTDOWN, "the token refused the PIN");
#endif
	if (now_ms() < p->next_try_ms)
		return kve_refuse(reply, -EHOSTDOWN, "the token is gone");
	r = connect_token(t, reply);
	if (r == 0) {
		p->backoff_ms = BACKOFF_MIN_MS;
		/* One that is lost at once shall not be called again at once. */
		p->next_try_ms = 0;
		return 0;
	}
	p->next_try_ms = now_ms() + p->backoff_ms;
	p->backoff_ms = p->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : p->backoff_ms * 2;
	return r == -EKEYREJECTED ? -EHOSTDOWN : r;
}

/* --- opening --------------------------------------------------------------------------- */

static int read_pin(struct kve_token_private *p, struct kve_reply *reply)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_bytes_ struct kvd_bytes b = { 0 };
	_cleanup_close_ int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	size_t len;

	if (fd < 0 || kvd_io_read_file(fd, p->config.pin_credential, PIN_MAX + 1, &b) < 0)
		return kve_refuse(reply, -EINVAL, "the credential '%s' with the token's PIN is "
				  "not there: see LoadCredential= in the unit",
				  p->config.pin_credential);
	len = b.len;
	if (len && b.data[len - 1] == '\n')
		len--;
	if (!len || len > PIN_MAX)
		return kve_refuse(reply, -EINVAL, "the credential '%s' is no PIN",
				  p->config.pin_credential);
	p->pin = OPENSSL_secure_malloc(len);
	if (!p->pin)
		return -ENOMEM;
	memcpy(p->pin, b.data, len);
	p->pin_len = len;
	return 0;
}

static int parse_uri(struct kve_token_private *p, struct kve_reply *reply)
{
	if (strncmp(p->config.token, "pkcs11:", 7))
		return 0;
	p->uri = p11_kit_uri_new();
	if (!p->uri)
		return -ENOMEM;
	if (p11_kit_uri_parse(p->config.token, P11_KIT_URI_FOR_TOKEN, p->uri) != P11_KIT_URI_OK ||
	    p11_kit_uri_any_unrecognized(p->uri))
		return kve_refuse(reply, -EINVAL, "token= is not a PKCS#11 URI of a token: %s",
				  p->config.token);
	return 0;
}

void kve_token_close(struct kve_token *t)
{
	struct kve_token_private *p;

	if (!t)
		return;
	p = t->private;
	if (t->f && p->is_initialized)
		p11_kit_module_finalize(t->f);
	if (t->f)
		p11_kit_module_release(t->f);
	if (p) {
		OPENSSL_secure_clear_free(p->pin, p->pin_len);
		if (p->uri)
			p11_kit_uri_free(p->uri);
	}
	free(p);
	free(t);
}

int kve_token_open(const struct kve_token_config *config, struct kve_token **ret,
		   struct kve_reply *reply)
{
	struct kve_token *t = calloc(1, sizeof(*t));
	struct kve_token_private *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	if (!t || !p) {
		free(t);
		free(p);
		return -ENOMEM;
	}
	t->private = p;
	p->config = *config;
	p->backoff_ms = BACKOFF_MIN_MS;
	r = parse_uri(p, reply);
	if (r == 0)
		r = read_pin(p, reply);
	if (r == 0) {
		/* Unmanaged: p11-kit's own wrappers are code made at run time. */
		t->f = p11_kit_module_load(config->module, P11_KIT_MODULE_UNMANAGED);
		r = t->f ? connect_token(t, reply) :
			   kve_refuse(reply, -EINVAL, "the module %s cannot be loaded: %s",
				      config->module, p11_kit_message());
	}
	if (r < 0) {
		kve_token_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

/* --- objects ------------------------------------------------------------------------------ */

int kve_token_find(struct kve_token *t, CK_OBJECT_CLASS class,
		   const uint8_t id[KVAULT_ID_SIZE], CK_OBJECT_HANDLE *ret,
		   struct kve_reply *reply)
{
	CK_ATTRIBUTE match[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_ID, (void *)id, KVAULT_ID_SIZE },
	};
	CK_OBJECT_HANDLE found[2];
	CK_ULONG n = 0;
	CK_RV rv = t->f->C_FindObjectsInit(t->session, match, ARRAY_SIZE(match));

	if (rv == CKR_OK) {
		rv = t->f->C_FindObjects(t->session, found, ARRAY_SIZE(found), &n);
		t->f->C_FindObjectsFinal(t->session);
	}
	if (kve_token_is_lost(t, rv))
		return kve_refuse(reply, -EHOSTDOWN, "the token is gone");
	if (rv != CKR_OK)
		return kve_token_error(rv, "searching the key", reply);
	if (n != 1)
		return kve_refuse(reply, n ? -EIO : -ENOKEY, n ?
				  "the token has several keys with this id" :
				  "the token has no key with this id");
	*ret = found[0];
	return 0;
}
