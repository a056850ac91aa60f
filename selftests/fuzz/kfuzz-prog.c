// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: programs. As text a call is a line:
 *
 *	ACTOR[&][%N] NAME ARGUMENT...		numbers are hexadecimal
 *
 * "&": the next call does not wait for this one. "%N": its N-th allocation or
 * copy from or to user space fails. An empty line ends a program.
 */
#include <ctype.h>
#include "kfuzz.h"

static uint64_t kf_state = 88172645463325252ull;

/* Starts the sequence of kf_rand(). */
void kf_seed(uint64_t seed)
{
	kf_state = seed * 0x9e3779b97f4a7c15ull | 1;
}

/* A number below @n, or any for 0. */
uint64_t kf_rand(uint64_t n)
{
	kf_state ^= kf_state << 13;
	kf_state ^= kf_state >> 7;
	kf_state ^= kf_state << 17;
	return n ? (kf_state * 0x2545f4914f6cdd1dull >> 11) % n : kf_state;
}

static bool one_in(unsigned int n)
{
	return !kf_rand(n);
}

int kf_kind_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < kf_kinds_n; i++)
		if (!strcmp(kf_kinds[i].name, name))
			return (int)i;
	return -1;
}

/* --- text ------------------------------------------------------------------- */

static bool parse_line(struct kf_call *c, char *line)
{
	char *word = strtok(line, " \t\n"), *end;
	int kind, i;

	memset(c, 0, sizeof(*c));
	c->actor = (uint8_t)strtoul(word, &end, 16);
	if (*end == '&') {
		c->is_async = 1;
		end++;
	}
	if (*end == '%')
		c->fail = (uint8_t)strtoul(end + 1, &end, 16);
	word = strtok(NULL, " \t\n");
	kind = word ? kf_kind_find(word) : -1;
	if (*end || c->actor >= KF_ACTORS || kind < 0)
		return false;
	c->kind = (uint8_t)kind;
	for (i = 0; i < KF_ARGS; i++) {
		word = strtok(NULL, " \t\n");
		if (!word)
			break;
		c->arg[i] = strtoull(word, NULL, 16);
	}
	return true;
}

/* The next program of a file; the number of its calls, -1 for a line that is none. */
int kf_prog_parse(struct kf_prog *p, FILE *f)
{
	char line[512];

	p->n = 0;
	while (p->n < KF_CALLS && fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		if (!line[strspn(line, " \t\n")]) {
			if (p->n)
				break;
			continue;
		}
		if (!parse_line(&p->call[p->n], line))
			return -1;
		p->n++;
	}
	return (int)p->n;
}

void kf_prog_print(const struct kf_prog *p, FILE *f)
{
	const struct kf_call *c;
	unsigned int i, n;

	for (c = p->call; c < p->call + p->n; c++) {
		fprintf(f, "%x%s", c->actor, c->is_async ? "&" : "");
		if (c->fail)
			fprintf(f, "%%%x", c->fail);
		fprintf(f, " %s", kf_kinds[c->kind].name);
		n = (unsigned int)strlen(kf_kinds[c->kind].args);
		for (i = 0; i < n; i++)
			fprintf(f, " %llx", (unsigned long long)c->arg[i]);
		fputc('\n', f);
	}
	fputc('\n', f);
}

/* --- arguments ---------------------------------------------------------------- */

static uint64_t pick(const uint64_t *from, size_t n)
{
	return from[kf_rand(n)];
}

#define PICK(...) \
	pick((const uint64_t[]){ __VA_ARGS__ }, \
	     sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static uint64_t make_length(void)
{
	if (one_in(3))
		return PICK(0, 1, 8, 12, 16, 20, 24, 32, 48, 64, 128, 256, 592, 4095, 4096, 4097);
	if (one_in(3))
		return PICK(0xffff, 0x10000, 0x10001, 0x8000, 0x8048, 0x7fff, 0x40000, 0x40001,
			    0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0);
	return kf_rand(300);
}

static uint64_t make_number(void)
{
	if (one_in(2))
		return kf_rand(20);
	return PICK(0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		    0xffffffff, 0xfffffffffffffff0, 0x7fffffffffffffff, 1ull << 63, ~0ull,
		    kf_rand(0));
}

/* Low byte: which sort of pointer. For the racing one: where, and what else. */
static uint64_t make_pointer(void)
{
	if (!one_in(4))
		return one_in(4);	/* all right: 0 or 1 */
	if (!one_in(3))
		return kf_rand(11);
	/* lengths are what is read twice, if anything is */
	if (one_in(2))
		return 7 | kf_rand(64) * 4 << 8 | (make_number() & 0xffffffff) << 32;
	return 7 | PICK(0, 4, 20, 24, 28, 36, 40, 44, 48, 84, 88, 92, 96, 100) << 8 |
	       make_length() << 32;
}

/* Where a message or a binding is changed: at a field that says something, or anywhere. */
static uint64_t make_offset(void)
{
	if (one_in(2))
		return kf_rand(110) * 4;
	/* the header, the grant behind it, its binding; then a binding by itself */
	return PICK(0, 4, 8, 16, 72, 80, 84, 88, 92, 96, 100, 104, 108, 112, 120, 128, 152, 156,
		    272, 276, 280, 284, 288, 292, 296, 304, 312, 316, 444, 80, 88, 96, 100, 120);
}

/*
 * f file  h handle  l length  p pointer  s size of a struct  o operations
 * a algorithm  t time-out  k key, as a path  r revision  n serial  m method
 * g flags  i small number  x any number  M mutation of a message or a struct
 */
static uint64_t make_arg(char letter)
{
	switch (letter) {
	case 'f':
		return one_in(12) ? kf_rand(0x40) : kf_rand(2);
	case 'h':
		return one_in(15) ? make_number() : kf_rand(4);
	case 'l':
		return make_length();
	case 'p':
		return make_pointer();
	case 's':
		return one_in(10) ? kf_rand(11) : 0;
	case 'o':
		return one_in(3) ? kf_rand(0x200) : one_in(20) ? make_number() :
		       PICK(0, 3, 12, 0x30);
	case 'a':
		return one_in(8) ? make_number() : PICK(1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 18, 19,
			20, 32, 33, 34, 48, 51, 54, 64, 65, 67, 80, 81, 82);
	case 't':
		return one_in(10) ? PICK(0, 600000, 600001, 0xffffffff) : 5 + kf_rand(200);
	case 'k':
		return one_in(8) ? kf_rand(32) : kf_rand(KF_KEYS);
	case 'r':
		return one_in(6) ? make_number() : kf_rand(4);
	case 'n':
		return one_in(6) ? 0x100 + kf_rand(12) : one_in(20) ? make_number() : kf_rand(4);
	case 'm':
		return one_in(8) ? make_number() : 1 + kf_rand(5);
	case 'g':
		return one_in(10) ? make_number() : one_in(8);
	case 'i':
		return kf_rand(8);
	case 'M':
		if (!one_in(3))
			return 0;
		return (1 + kf_rand(6)) | make_offset() << 8 |
		       (make_number() & 0xffffffff) << 32;
	default:
		return make_number();
	}
}

/* --- making and mutating ------------------------------------------------------- */

static void make_call(struct kf_call *c)
{
	static unsigned int sum;
	const struct kf_kind *k;
	unsigned int i, at;

	for (i = 0; !sum || (i && i < kf_kinds_n); i++)
		sum += kf_kinds[i].weight;
	at = (unsigned int)kf_rand(sum);
	for (i = 0; at >= kf_kinds[i].weight; i++)
		at -= kf_kinds[i].weight;
	k = &kf_kinds[i];
	memset(c, 0, sizeof(*c));
	c->kind = (uint8_t)i;
	do {
		c->actor = (uint8_t)kf_rand(KF_ACTORS);
	} while (!one_in(30) && !(k->actors >> c->actor & 1));
	/* who waits for an answer keeps nobody else from giving it */
	c->is_async = strchr(k->args, 't') ? !one_in(6) : one_in(3);
	c->fail = one_in(15) ? (uint8_t)(1 + kf_rand(one_in(2) ? 4 : 20)) : 0;
	for (i = 0; k->args[i]; i++)
		c->arg[i] = make_arg(k->args[i]);
}

void kf_prog_make(struct kf_prog *p)
{
	p->n = 4 + (uint32_t)kf_rand(16);
	for (uint32_t i = 0; i < p->n; i++)
		make_call(&p->call[i]);
}

static void insert(struct kf_prog *p, uint32_t at, const struct kf_call *c)
{
	if (p->n == KF_CALLS)
		p->n--;
	if (at > p->n)
		at = p->n;
	memmove(p->call + at + 1, p->call + at, (p->n - at) * sizeof(*c));
	p->call[at] = *c;
	p->n++;
}

static void remove_call(struct kf_prog *p, uint32_t at)
{
	p->n--;
	memmove(p->call + at, p->call + at + 1, (p->n - at) * sizeof(p->call[0]));
}

static void change_arg(struct kf_call *c)
{
	const char *args = kf_kinds[c->kind].args;
	size_t n = strlen(args), i = n ? kf_rand(n) : 0;

	if (!n)
		return;
	if (one_in(4))
		c->arg[i] ^= 1ull << kf_rand(32);
	else if (one_in(8))
		c->arg[i] += kf_rand(2) ? 1 : ~0ull;
	else
		c->arg[i] = make_arg(args[i]);
}

static void splice_in(struct kf_prog *p, const struct kf_prog *other)
{
	uint32_t from = (uint32_t)kf_rand(other->n), n = (uint32_t)kf_rand(other->n - from) + 1;
	uint32_t at = (uint32_t)kf_rand(p->n + 1);

	while (n--)
		insert(p, at++, &other->call[from++]);
}

static void mutate_once(struct kf_prog *p, const struct kf_prog *other)
{
	uint32_t at = (uint32_t)kf_rand(p->n);
	struct kf_call c;

	switch (kf_rand(10)) {
	case 0:
	case 1:
		make_call(&c);
		insert(p, (uint32_t)kf_rand(p->n + 1), &c);
		break;
	case 2:
		if (p->n > 1)
			remove_call(p, at);
		break;
	case 3:
		c = p->call[at];
		insert(p, (uint32_t)kf_rand(p->n + 1), &c);
		break;
	case 4:
		splice_in(p, other);
		break;
	case 5:
		p->call[at].is_async ^= 1;
		break;
	case 6:
		if (one_in(2))
			p->call[at].actor = (uint8_t)kf_rand(KF_ACTORS);
		else
			p->call[at].fail = (uint8_t)kf_rand(12);
		break;
	default:
		change_arg(&p->call[at]);
	}
}

/* Changes a program, one to eight times; pieces come from @other. */
void kf_prog_mutate(struct kf_prog *p, const struct kf_prog *other)
{
	unsigned int n = 1 + (unsigned int)kf_rand(8);

	while (n--)
		mutate_once(p, other);
}
