// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfuzz: sessions, corpus, time. Runs as root in a guest that nobody needs;
 * selftests/fuzz/run boots it and keeps what it finds.
 *
 * What is about to run is written to OUT/session before it runs, as nobody can
 * be asked afterwards. OUT/report is the first bad line of the kernel log.
 */
#include <getopt.h>
#include <glob.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/keyctl.h>
#include "kfuzz.h"

#define SESSION_PROGRAMS	32
#define PATIENT_MS		150	/* for a call that the next one waits for: seeds */
#define HASTY_MS		30	/* the same, where much counts more than order */
#define DEATH_MS		60000	/* for an actor to die */
#define OFTEN			100
#define CORPUS_MAX		8192
#define STATUS_REPORT		3
#define STATUS_HANG		4

#define SERVED	KF_SERVERS
#define APPS	KF_APPS

/* The program goes on when the actor's calls have ended; it is not the actor's own doing. */
static long wait_for_all(struct kf_lane *l, const uint64_t *a)
{
	(void)l;
	(void)a;
	return 0;
}

const struct kf_kind kf_kinds[] = {
	{ "wait", wait_for_all, "", KF_ALL, 12, NULL },
	{ "open_dev", kf_open_dev, "g", APPS, 3, NULL },
	{ "close_fd", kf_close_fd, "ii", KF_ALL, 2, NULL },
	{ "info", kf_info, "fgsp", APPS, 2, "KVAULT_INFO" },
	{ "control", kf_control, "fmklllxx", APPS, 6, "KVAULT_CONTROL" },
	{ "open", kf_open, "fkotspgp", APPS, 25, "KVAULT_OPEN" },
	{ "close", kf_close, "hggsp", APPS, 3, "KVAULT_CLOSE" },
	{ "encrypt", kf_encrypt, "halllspx", APPS, 6, "KVAULT_ENCRYPT" },
	{ "decrypt", kf_decrypt, "halllspx", APPS, 4, "KVAULT_DECRYPT" },
	{ "sign", kf_sign, "halllspx", APPS, 5, "KVAULT_SIGN" },
	{ "verify", kf_verify, "halllspx", APPS, 4, "KVAULT_VERIFY" },
	{ "wrap", kf_wrap, "halllspx", APPS, 4, "KVAULT_WRAP" },
	{ "unwrap", kf_unwrap, "halllspx", APPS, 4, "KVAULT_UNWRAP" },
	{ "noop", kf_noop, "halllspx", APPS, 3, "KVAULT_NOOP" },
	{ "round_trip", kf_round_trip, "halil", APPS, 8, NULL },
	{ "crypt_sweep", kf_crypt_sweep, "haix", APPS, 4, NULL },
	{ "random", kf_random, "fglpsp", APPS, 2, "KVAULT_RANDOM" },
	{ "project", kf_project, "hgnlxspg", APPS, 4, "KVAULT_PROJECT" },
	{ "any_ioctl", kf_any_ioctl, "iixxsp", KF_ALL, 2, NULL },
	{ "file_ops", kf_file_ops, "iiix", KF_ALL, 2, NULL },
	{ "send_fd", kf_send_fd, "if", KF_ALL, 2, NULL },
	{ "recv_fd", kf_recv_fd, "", KF_ALL, 2, NULL },
	{ "fork", kf_fork, "fi", APPS, 1, NULL },
	{ "open_ctl", kf_open_ctl, "", KF_ALL, 1, NULL },
	{ "claim", kf_claim, "fgsp", SERVED, 1, "KVAULT_CTL_CLAIM" },
	{ "take", kf_take, "fglpsp", SERVED, 4, "KVAULT_CTL_EXCHANGE" },
	{ "reply", kf_reply, "fiMMxpig", SERVED, 6, NULL },
	{ "serve", kf_serve, "fiMMgpig", KF_DAEMON, 40, NULL },
	{ "seal", kf_seal, "fikMMlxx", SERVED, 8, "KVAULT_CTL_SEAL" },
	{ "seal_sweep", kf_seal_sweep, "fkx", KF_DAEMON, 6, NULL },
	{ "submit", kf_submit, "fikMalxi", SERVED, 6, "KVAULT_CTL_SUBMIT" },
	{ "audit_read", kf_audit_read, "fglpsp", SERVED, 3, "KVAULT_CTL_AUDIT_READ" },
	{ "root_set", kf_root_set, "fgisp", SERVED, 1, "KVAULT_CTL_ROOT_SET" },
	{ "root_wrap", kf_root_wrap, "figlpsp", SERVED, 3, "KVAULT_CTL_ROOT_WRAP" },
	{ "open_eng", kf_open_eng, "", KF_ALL, 1, NULL },
	{ "attach", kf_attach, "fgigsp", SERVED, 2, "KVAULT_ENG_ATTACH" },
	{ "eng_take", kf_eng_take, "fglpsp", SERVED, 3, "KVAULT_ENG_EXCHANGE" },
	{ "eng_reply", kf_eng_reply, "fiMMxpig", SERVED, 4, NULL },
	{ "eng_serve", kf_eng_serve, "fiMMgpig", SERVED, 16, NULL },
	{ "net_open", kf_net_open, "", KF_ALL, 1, NULL },
	{ "hello", kf_hello, "frr", SERVED, 1, NULL },
	{ "bye", kf_bye, "fM", SERVED, 1, NULL },
	{ "tenant_get", kf_tenant_get, "fMg", SERVED, 2, NULL },
	{ "policy_set", kf_policy_set, "fMir", SERVED, 3, NULL },
	{ "object_set", kf_object_set, "fMikiri", SERVED, 6, NULL },
	{ "audit_ack", kf_audit_ack, "fMir", SERVED, 2, NULL },
	{ "engine_get", kf_engine_get, "fMg", SERVED, 2, NULL },
	{ "net_any", kf_net_any, "fiixxxx", KF_ALL, 2, NULL },
	{ "request_key", kf_request_key, "kin", APPS, 10, NULL },
	{ "add_key", kf_add_key, "kiin", APPS, 2, NULL },
	{ "keyctl", kf_keyctl, "xnnx", APPS, 8, NULL },
	{ "key_read", kf_key_read, "inlp", APPS, 3, NULL },
	{ "pkey", kf_pkey, "inxllppp", APPS, 8, NULL },
	{ "pkey_query", kf_pkey_query, "nxp", APPS, 3, NULL },
	{ "proc_keys", kf_proc_keys, "g", KF_ALL, 2, NULL },
	{ "alg_open", kf_alg_open, "g", APPS, 3, NULL },
	{ "alg_key", kf_alg_key, "fkMip", APPS, 6, NULL },
	{ "alg_accept", kf_alg_accept, "f", APPS, 3, NULL },
	{ "alg_crypt", kf_alg_crypt, "fglipp", APPS, 4, NULL },
	{ "dm_create", kf_dm_create, "ikMg", 0x04, 4, NULL },
	{ "dm_remove", kf_dm_remove, "i", 0x04, 2, NULL },
	{ "dm_state", kf_dm_state, "ig", 0x04, 2, NULL },
	{ "dm_message", kf_dm_message, "iikM", 0x04, 2, NULL },
	{ "dm_io", kf_dm_io, "iiil", 0x04, 3, NULL },
};

const unsigned int kf_kinds_n = sizeof(kf_kinds) / sizeof(kf_kinds[0]);
_Static_assert(sizeof(kf_kinds) / sizeof(kf_kinds[0]) <= KF_KINDS_MAX, "KF_KINDS_MAX");

struct kf_shared *kf_shared;

static struct kf_prog *corpus;
static unsigned int corpus_n;
static const char *out = ".";
static pid_t actor[KF_ACTORS];
static int session_fd = -1;
static unsigned long programs, sessions, starved, late[KF_KINDS_MAX];

/* --- what is written down ------------------------------------------------------- */

static FILE *create(const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", out, name);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(2);
	}
	return f;
}

/* One write() before the program runs: it may be the last. */
static void note_program(const struct kf_prog *p)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	kf_prog_print(p, f);
	fclose(f);
	if (write(session_fd, text, len) != (ssize_t)len)
		perror("session");
	free(text);
}

static void stop(int status, const char *title)
{
	FILE *f = create("report");

	fprintf(f, "%s\n", title);
	fclose(f);
	printf("kfuzz: %s\n", title);
	fflush(stdout);
	exit(status);
}

static void check_log(void)
{
	char line[512];

	if (kf_log_is_bad(line, sizeof(line)))
		stop(STATUS_REPORT, line);
}

/* --- sessions ---------------------------------------------------------------------- */

/* Where the threads of an actor that does not die are, as far as it can be told. */
static void hang(pid_t pid)
{
	char pattern[64], line[256], title[300] = "";
	glob_t g;
	size_t i;
	FILE *f;

	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/stack", pid);
	if (!glob(pattern, 0, NULL, &g))
		for (i = 0; i < g.gl_pathc; i++) {
			f = fopen(g.gl_pathv[i], "r");
			printf("%s\n", g.gl_pathv[i]);
			while (f && fgets(line, sizeof(line), f)) {
				printf("  %s", line);
				line[strcspn(line, "\n")] = '\0';
				if (!title[0] && strstr(line, "[kvault]"))
					snprintf(title, sizeof(title), "hang: %s", line);
			}
			if (f)
				fclose(f);
		}
	stop(STATUS_HANG, title[0] ? title : "hang: an actor does not die");
}

static void session_end(void)
{
	uint64_t limit = kv_now_ms() + DEATH_MS;
	int i;

	for (i = 0; i < KF_ACTORS; i++)
		if (actor[i] > 0)
			kill(actor[i], SIGKILL);
	for (i = 0; i < KF_ACTORS; i++) {
		while (actor[i] > 0 && waitpid(actor[i], NULL, WNOHANG) == 0) {
			if (kv_now_ms() > limit)
				hang(actor[i]);
			kv_sleep_ms(2);
		}
		actor[i] = 0;
	}
	check_log();
}

static int find_kind(const char *name)
{
	int kind = kf_kind_find(name);

	if (kind < 0)
		exit(2);
	return kind;
}

static void session_begin(void)
{
	struct kf_call c = { .kind = (uint8_t)find_kind("serve") };
	uint64_t limit = kv_now_ms() + DEATH_MS;
	int i, lane;

	sessions++;
	atomic_fetch_add(&kf_shared->session, 1);
	atomic_store(&kf_shared->ready, 0);
	for (i = 0; i < KF_ACTORS; i++)
		actor[i] = kf_actor_start(i);
	while (atomic_load(&kf_shared->ready) < KF_ACTORS * KF_LANES && kv_now_ms() < limit)
		kv_sleep_ms(2);
	if (ftruncate(session_fd, 0) || lseek(session_fd, 0, SEEK_SET))
		perror("session");
	if (kf_call_start(&c, &lane))
		kf_call_wait(0, lane, 3000);
}

/* An engine that does not forget a key is killed by the module, and so on. */
static bool session_lives(void)
{
	int i;

	for (i = 0; i < KF_ACTORS; i++)
		if (actor[i] <= 0 || waitpid(actor[i], NULL, WNOHANG) != 0) {
			actor[i] = 0;
			return false;
		}
	return true;
}

static bool start_call(const struct kf_call *c, int *lane)
{
	int tries;

	for (tries = 0; tries < 5; tries++) {
		if (kf_call_start(c, lane))
			return true;
		kv_sleep_ms(5);
	}
	starved++;
	return false;
}

/* New edges that it reached. */
static uint32_t run_program(const struct kf_prog *p)
{
	uint32_t before = atomic_load(&kf_shared->edges);
	uint64_t end;
	uint32_t i;
	int lane;

	note_program(p);
	programs++;
	for (i = 0; i < p->n; i++) {
		if (kf_kinds[p->call[i].kind].run == wait_for_all)
			for (lane = 0; lane < KF_LANES; lane++)
				kf_call_wait(p->call[i].actor, lane, kf_shared->patience);
		if (start_call(&p->call[i], &lane) && !p->call[i].is_async &&
		    !kf_call_wait(p->call[i].actor, lane, kf_shared->patience))
			late[p->call[i].kind]++;
	}
	end = kv_now_ms() + kf_shared->patience;
	for (i = 0; i < KF_ACTORS * KF_LANES && kv_now_ms() < end; i++)
		kf_call_wait((int)i / KF_LANES, (int)i % KF_LANES,
			     (unsigned int)(end - kv_now_ms()));
	check_log();
	return atomic_load(&kf_shared->edges) - before;
}

/* --- corpus -------------------------------------------------------------------------- */

static void keep(const struct kf_prog *p)
{
	char name[64];
	FILE *f;

	if (corpus_n == CORPUS_MAX)
		return;
	snprintf(name, sizeof(name), "corpus/%06u.prog", corpus_n);
	f = create(name);
	kf_prog_print(p, f);
	fclose(f);
	corpus[corpus_n++] = *p;
}

static const struct kf_prog *choose(void)
{
	unsigned int last = corpus_n > 64 && kf_rand(3) == 0 ? 64 : corpus_n;

	return &corpus[corpus_n - 1 - kf_rand(last)];
}

static void next_program(struct kf_prog *p)
{
	if (!corpus_n || !kf_rand(5)) {
		kf_prog_make(p);
		return;
	}
	*p = *choose();
	kf_prog_mutate(p, choose());
}

/* Every program of a folder's files is run as it is, and kept if it says something new. */
static unsigned int seed_corpus(const char *folder)
{
	char pattern[512];
	struct kf_prog p;
	unsigned int n = 0;
	glob_t g;
	size_t i;
	FILE *f;
	int ret;

	snprintf(pattern, sizeof(pattern), "%s/*.prog", folder);
	if (glob(pattern, 0, NULL, &g))
		return 0;
	for (i = 0; i < g.gl_pathc; i++) {
		f = fopen(g.gl_pathv[i], "r");
		while (f && (ret = kf_prog_parse(&p, f))) {
			if (ret < 0) {
				fprintf(stderr, "kfuzz: %s: a line is no call\n", g.gl_pathv[i]);
				exit(2);
			}
			if (!(n++ % SESSION_PROGRAMS) || !session_lives()) {
				session_end();
				session_begin();
			}
			if (run_program(&p) || !kf_has_cover())
				keep(&p);
		}
		if (f)
			fclose(f);
	}
	return n;
}

/* --- what is printed ------------------------------------------------------------------- */

static uint64_t all_calls(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < kf_kinds_n; i++)
		sum += atomic_load(&kf_shared->calls[i]);
	return sum;
}

static void progress(uint64_t ms)
{
	uint64_t calls = all_calls();

	printf("kfuzz: %llu s: %llu calls, %llu a second, %u edges, %u programs kept of %lu\n",
	       (unsigned long long)ms / 1000, (unsigned long long)calls,
	       (unsigned long long)(calls * 1000 / (ms ? ms : 1)),
	       atomic_load(&kf_shared->edges), corpus_n, programs);
	fflush(stdout);
}

static bool is_absent(const char *name)
{
	if (!strncmp(name, "dm_", 3))
		return access("/dev/loop0", R_OK) || access("/dev/mapper/control", R_OK);
	if (!strcmp(name, "project"))
		return !kf_has_symbol("key_type_fscrypt_provisioning");
	if (!strncmp(name, "alg_", 4)) {
		int fd = socket(AF_ALG, SOCK_SEQPACKET, 0);

		close(fd);
		return fd < 0;
	}
	return false;
}

/* A kind of call that was never made, or often and never right, fuzzes nothing. */
static int sum_up(uint64_t ms)
{
	unsigned int i, passed = 0, failed = 0, skipped = 0;

	printf("%-12s %10s %10s %10s\n", "call", "made", "succeeded", "too late");
	for (i = 0; i < kf_kinds_n; i++) {
		uint64_t good = atomic_load(&kf_shared->good[i]);
		uint64_t made = atomic_load(&kf_shared->calls[i]);
		const char *note = "";

		if (is_absent(kf_kinds[i].name)) {
			note = "  # SKIP not in this kernel";
			skipped++;
		} else if (!made || (!good && made >= OFTEN)) {
			note = "  not ok: never succeeded";
			failed++;
		} else {
			passed++;
		}
		printf("%-12s %10llu %10llu %10lu%s\n", kf_kinds[i].name,
		       (unsigned long long)made, (unsigned long long)good, late[i], note);
	}
	printf("%lu programs in %lu sessions, %lu calls found no lane, %llu had a fault\n",
	       programs, sessions, starved,
	       (unsigned long long)atomic_load(&kf_shared->failed_nth));
	progress(ms);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? 1 : 0;
}

/* --- the three ways to run ---------------------------------------------------------------- */

static int fuzz(unsigned int seconds)
{
	uint64_t began = kv_now_ms(), last = began, now = began;
	struct kf_prog p;
	unsigned int i;

	kf_shared->patience = HASTY_MS;
	while (now - began < seconds * 1000ull) {
		session_end();
		session_begin();
		for (i = 0; i < SESSION_PROGRAMS && session_lives(); i++) {
			next_program(&p);
			if (run_program(&p))
				keep(&p);
			now = kv_now_ms();
			if (now - began >= seconds * 1000ull)
				break;
			if (now - last >= 10000) {
				progress(now - began);
				last = now;
			}
		}
	}
	session_end();
	return sum_up(now - began);
}

static void replay_session(const char *path)
{
	struct kf_prog p;
	FILE *f = fopen(path, "r");

	if (!f) {
		perror(path);
		exit(2);
	}
	session_end();
	session_begin();
	while (kf_prog_parse(&p, f) > 0 && session_lives())
		run_program(&p);
	fclose(f);
}

/* Sessions one after the other; OUT/current says which one it is. */
static int replay(char **files, int n, unsigned int repeat)
{
	unsigned int r;
	FILE *f;
	int i;

	for (i = 0; i < n; i++) {
		f = create("current");
		fprintf(f, "%d\n", i);
		fclose(f);
		for (r = 0; r < repeat; r++) {
			kf_shared->patience = r % 2 ? PATIENT_MS : HASTY_MS;
			replay_session(files[i]);
		}
	}
	session_end();
	printf("kfuzz: %d sessions, %u times each, and nothing happened\n", n, repeat);
	return 0;
}

static void list(void)
{
	unsigned int i;

	for (i = 0; i < kf_kinds_n; i++)
		printf("%s %s\n", kf_kinds[i].name, kf_kinds[i].ioctl ? kf_kinds[i].ioctl : "-");
}

static void set_up(void)
{
	char path[512];

	kf_shared = mmap(NULL, sizeof(*kf_shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	corpus = mmap(NULL, CORPUS_MAX * sizeof(*corpus), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (kf_shared == MAP_FAILED || corpus == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, kf_shared->bus)) {
		perror("kfuzz");
		exit(2);
	}
	kf_shared->patience = PATIENT_MS;
	atomic_store(&kf_shared->revision, 1);
	atomic_store(&kf_shared->session, (uint64_t)time(NULL) << 20);
	kf_cover_range();
	/* all actors inherit it: a keyring knows nothing of tenants */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	syscall(SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, 0x3f3f3f3f, 0, 0);
	snprintf(path, sizeof(path), "%s/corpus", out);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/session", out);
	session_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (session_fd < 0 || !kf_log_open()) {
		perror(path);
		exit(2);
	}
}

static void usage(void)
{
	fputs("usage: kfuzz [--out DIR] [--corpus DIR]... [--time S] [--seed N]\n"
	      "       kfuzz [--out DIR] --replay [--repeat N] [--verbose] SESSION...\n"
	      "       kfuzz --list\n"
	      "Fuzzes the kvault module of the kernel that it runs on: use a guest.\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "out", required_argument, NULL, 'o' }, { "corpus", required_argument, NULL, 'c' },
		{ "time", required_argument, NULL, 't' }, { "seed", required_argument, NULL, 's' },
		{ "replay", no_argument, NULL, 'r' }, { "repeat", required_argument, NULL, 'n' },
		{ "list", no_argument, NULL, 'l' }, { "verbose", no_argument, NULL, 'v' }, { 0 },
	};
	unsigned int seconds = 60, repeat = 1, folders = 0, seeds = 0, i;
	uint64_t seed = (uint64_t)time(NULL);
	const char *folder[8];
	bool do_replay = false, verbose = false;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'o')
			out = optarg;
		else if (o == 'c' && folders < 8)
			folder[folders++] = optarg;
		else if (o == 't')
			seconds = (unsigned int)strtoul(optarg, NULL, 10);
		else if (o == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (o == 'r')
			do_replay = true;
		else if (o == 'n')
			repeat = (unsigned int)strtoul(optarg, NULL, 10);
		else if (o == 'v')
			verbose = true;
		else if (o == 'l')
			return list(), 0;
		else
			usage();
	}
	set_up();
	kf_seed(seed);
	kf_shared->is_verbose = verbose;
	if (verbose)
		setvbuf(stdout, NULL, _IOLBF, 0);
	if (do_replay)
		return replay(argv + optind, argc - optind, repeat);
	for (i = 0; i < folders; i++)
		seeds += seed_corpus(folder[i]);
	printf("kfuzz: seed %#llx, %u programs of the corpus, %u kept, %s\n",
	       (unsigned long long)seed, seeds, corpus_n,
	       kf_has_cover() ? "guided by KCOV" : "without coverage: no KCOV in this kernel");
	fflush(stdout);
	return fuzz(seconds);
}
