// SPDX-License-Identifier: GPL-2.0-only
#include <openssl/evp.h>
#include <sys/random.h>

#include "api/skip.h"
#include "util/base64.h"

#define IV	12
#define TAG	16
#define TEXT	(KVD_SKIP_TEXT_MAX + 1)	/* always whole: its length says nothing */

struct token {
	uint8_t iv[IV];
	uint8_t text[TEXT];
	uint8_t tag[TAG];
};

_Static_assert(sizeof(struct token) == IV + TEXT + TAG, "there is no padding");

static EVP_CIPHER_CTX *begin(const struct kvd_request *req, const char *list,
			     const struct token *t, int is_seal)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	if (c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, req->ctx->skip_key, t->iv,
				   is_seal) &&
	    EVP_CipherUpdate(c, NULL, &n, req->msg.tenant, KVAULT_ID_SIZE) &&
	    EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)list, (int)strlen(list)))
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

char *kvd_skip_seal(const struct kvd_request *req, const char *list, const char *at)
{
	char *ret = malloc(KVD_BASE64_LEN(sizeof(struct token)) + 1);
	EVP_CIPHER_CTX *c = NULL;
	uint8_t plain[TEXT] = { 0 };
	struct token t;
	int n, ok = 0;

	memcpy(plain, at, strnlen(at, TEXT - 1));
	if (ret && getrandom(t.iv, IV, 0) == IV)
		c = begin(req, list, &t, 1);
	if (c)
		ok = EVP_CipherUpdate(c, t.text, &n, plain, TEXT) &&
		     EVP_CipherFinal_ex(c, t.text, &n) &&
		     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, t.tag);
	EVP_CIPHER_CTX_free(c);
	if (!ok) {
		free(ret);
		return NULL;
	}
	kvd_base64url_encode(ret, &t, sizeof(t));
	return ret;
}

static bool open_token(const struct kvd_request *req, const char *list, struct token *t, char *at)
{
	EVP_CIPHER_CTX *c = begin(req, list, t, 0);
	int n, ok;

	ok = c && EVP_CipherUpdate(c, (uint8_t *)at, &n, t->text, TEXT) &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, t->tag) &&
	     EVP_CipherFinal_ex(c, t->text, &n) && !at[TEXT - 1];
	EVP_CIPHER_CTX_free(c);
	return ok;
}

int kvd_skip_open(struct kvd_request *req, const char *list,
		  char at[static KVD_SKIP_TEXT_MAX + 1])
{
	char text[KVD_BASE64_LEN(sizeof(struct token)) + 1] = "";
	struct token t;
	int r;

	*at = '\0';
	r = kvd_request_query(req, "$skiptoken", text, sizeof(text));
	if (!r)
		return 0;
	if (r > 0 && kvd_base64url_decode(&t, sizeof(t), text, strlen(text)) == sizeof(t) &&
	    open_token(req, list, &t, at))
		return 0;
	*at = '\0';
	return kvd_fail(req, KVD_E_BAD_PARAMETER,
			"The $skiptoken is not one of ours, or of before a restart: begin anew");
}
