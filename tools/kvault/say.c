// SPDX-License-Identifier: GPL-2.0-only
/* What people and scripts read: one line of error, JSON, tables, questions. */
#include <errno.h>
#include <fcntl.h>
#include <libsmartcols/libsmartcols.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"

/* Bytes of the control character that is here, or 0. U+0080 to U+009F are some as well. */
static int control_len(const char *text)
{
	unsigned char c = (unsigned char)text[0];

	if (c < 0x20 || c == 0x7f)
		return 1;
	return c == 0xc2 && ((unsigned char)text[1] & 0xe0) == 0x80 ? 2 : 0;
}

void cli_put_text(FILE *to, const char *text)
{
	int len;

	for (; *text; text += len ? len : 1) {
		len = control_len(text);
#ifdef KVAULT_MUTANT_RAW_CONTROL
		len = 0;
#endif
		fputc(len ? '?' : *text, to);
	}
}

/* Answers of the daemon and names of files may hold anything: one line stays one. */
static void print_line(const char *text)
{
	cli_progress_end();
	fputs("kvault: ", stderr);
	cli_put_text(stderr, text);
	fputc('\n', stderr);
}

#undef cli_fail	/* what the analyser has for them, see cli.h */
#undef cli_usage

int cli_fail(int status, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_line(text);
	return status;
}

int cli_usage(const struct cli *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cli_fail(CLI_USAGE, "%s; see 'kvault %s%s%s --help'", text, c->verb->noun,
			c->verb->verb[0] ? " " : "", c->verb->verb);
}

int cli_exit_of(int err)
{
	switch (err < 0 ? -err : err) {
	case 0:
		return CLI_DONE;
	case EKEYREJECTED:
		return CLI_NO;
	case EINVAL:
	case E2BIG:
	case EMSGSIZE:
	case EOPNOTSUPP:
		return CLI_USAGE;
	case ENOKEY:
	case EACCES:
	case EPERM:
	case EKEYREVOKED:
	case EKEYEXPIRED:
	case EBADMSG:
	case EDQUOT:
	case EAGAIN:
	case EEXIST:
	case ESTALE:
		return CLI_REFUSED;
	case ENOENT:
	case ENXIO:
	case ENODEV:
	case EHOSTDOWN:
	case ETIMEDOUT:
		return CLI_UNAVAILABLE;
	default:
		return CLI_INTERNAL;
	}
}

int cli_errno(const struct cli *c, int err, const char *fmt, ...)
{
	static const uint8_t none[KVAULT_ID_SIZE];
	const uint8_t *id = c->kv ? kvault_request_id(c->kv) : none;
	char text[512], hex[2 * KVAULT_ID_SIZE + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	kvault_hex_encode(hex, id, KVAULT_ID_SIZE);
	if (memcmp(id, none, sizeof(none)))
		return cli_fail(cli_exit_of(err), "cannot %s: %s (request %s)", text,
				kvault_strerror(err), hex);
	return cli_fail(cli_exit_of(err), "cannot %s: %s", text, kvault_strerror(err));
}

void cli_note(const struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (cli_has(c, OPT_QUIET))
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* Members and numbers of lists, with '.' between. */
static const json_t *find(const json_t *j, const char *path)
{
	while (*path && j) {
		size_t len = strcspn(path, ".");
		char name[128], *end;
		unsigned long n;

		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		n = strtoul(name, &end, 10);
		if (json_is_array(j))
			j = *end || !len ? NULL : json_array_get(j, n);
		else
			j = json_object_get(j, name);
		path += len;
		path += *path == '.';
	}
	return j;
}

static void print_json(const json_t *j, size_t flags)
{
	char *text = json_dumps(j, flags | JSON_ENCODE_ANY | JSON_SORT_KEYS);

	puts(text ? text : "");
	free(text);
}

bool cli_for_people(const struct cli *c, const json_t *j, int *status)
{
	const char *path = cli_value(c, OPT_FIELD);
	const json_t *value;

	*status = CLI_DONE;
	if (path) {
		value = find(j, path);
		if (!value)
			*status = cli_usage(c, "the answer has no field '%s'", path);
		else if (json_is_string(value))
			puts(json_string_value(value));
		else
			print_json(value, JSON_COMPACT);
		return false;
	}
	if (!cli_has(c, OPT_JSON))
		return true;
	print_json(j, JSON_INDENT(2));
	return false;
}

int cli_confirm(const struct cli *c, const char *fmt, ...)
{
	char answer[16] = "", text[512];
	va_list ap;
	FILE *tty;

	if (cli_has(c, OPT_YES))
		return 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tty = isatty(STDIN_FILENO) ? fopen("/dev/tty", "r+e") : NULL;
	if (!tty)
		return cli_fail(CLI_USAGE, "this asks before it goes on, and there is no terminal: "
				"give --yes");
	fprintf(tty, "%s [y/N] ", text);
	fflush(tty);
	if (!fgets(answer, sizeof(answer), tty))
		answer[0] = '\0';
	fclose(tty);
	if (answer[0] == 'y' || answer[0] == 'Y')
		return 0;
	return cli_fail(CLI_USAGE, "nothing was done");
}

int cli_askable(const struct cli *c)
{
	if (cli_has(c, OPT_YES) || isatty(STDIN_FILENO))
		return 0;
	return cli_fail(CLI_USAGE, "this asks before it goes on, and there is no terminal: "
			"give --yes");
}

int cli_confirm_name(const struct cli *c, const char *name)
{
	char answer[256] = "";
	FILE *tty;

	if (cli_has(c, OPT_YES))
		return 0;
	tty = isatty(STDIN_FILENO) ? fopen("/dev/tty", "r+e") : NULL;
	if (!tty)
		return cli_fail(CLI_USAGE, "this asks before it goes on, and there is no terminal: "
				"give --yes");
	fprintf(tty, "Type its name, %s, to go on: ", name);
	fflush(tty);
	if (!fgets(answer, sizeof(answer), tty))
		answer[0] = '\0';
	fclose(tty);
	answer[strcspn(answer, "\n")] = '\0';
	return strcmp(answer, name) ? cli_fail(CLI_USAGE, "nothing was done") : 0;
}

static const int endings[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

#define N_ENDINGS	(sizeof(endings) / sizeof(endings[0]))

static volatile sig_atomic_t ending;

static void on_ending(int sig)
{
	ending = sig;
}

/*
 * A line of the terminal. What ends this program, and Ctrl-Z, waits for the
 * caller, who gives the terminal its echo back first.
 */
static ssize_t read_line(int fd, char *buf, size_t size, const sigset_t *mask)
{
	struct sigaction act = { .sa_handler = on_ending }, old[N_ENDINGS];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t during = *mask;
	ssize_t n = -1;
	size_t i;

	for (i = 0; i < N_ENDINGS; i++) {
		sigaction(endings[i], NULL, &old[i]);
#ifdef KVAULT_MUTANT_NO_ECHO
		continue;
#endif
		if (old[i].sa_handler != SIG_IGN)
			sigaction(endings[i], &act, NULL);
	}
	sigaddset(&during, SIGTSTP);
	if (ppoll(&p, 1, NULL, &during) == 1)
		n = read(fd, buf, size);
	for (i = 0; i < N_ENDINGS; i++)
		sigaction(endings[i], &old[i], NULL);
	return n;
}

int cli_prompt(const char *text, char *buf, size_t size)
{
	struct termios old, quiet;
	sigset_t held, mask;
	ssize_t n;
	size_t i;
	int fd;

	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &old)) {
		if (fd >= 0)
			close(fd);
		return -ENOTTY;
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	sigemptyset(&held);
	for (i = 0; i < N_ENDINGS; i++)
		sigaddset(&held, endings[i]);
	sigaddset(&held, SIGTSTP);
	sigprocmask(SIG_BLOCK, &held, &mask);
	tcsetattr(fd, TCSAFLUSH, &quiet);
	dprintf(fd, "%s: ", text);
	n = read_line(fd, buf, size, &mask);
	tcsetattr(fd, TCSAFLUSH, &old);
	dprintf(fd, "\n");
	close(fd);
	if (ending)
		raise(ending);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
		n--;
	return n < 0 ? -EIO : (int)n;
}

static bool has_progress;

void cli_progress(const char *what, uint64_t done, uint64_t all)
{
	if (!isatty(STDERR_FILENO))
		return;
	has_progress = true;
	if (all)
		fprintf(stderr, "\r%s: %3u %%", what, (unsigned int)(done * 100 / all));
	else
		fprintf(stderr, "\r%s: %llu", what, (unsigned long long)done);
}

void cli_progress_end(void)
{
	if (has_progress)
		fputs("\r\033[K", stderr);
	has_progress = false;
}

struct cli_table *cli_table_new(const char *const *columns, size_t n)
{
	struct libscols_table *t = scols_new_table();
	size_t i;

	for (i = 0; t && i < n; i++)
		if (!scols_table_new_column(t, columns[i], 0, 0)) {
			scols_unref_table(t);
			return NULL;
		}
	return (struct cli_table *)t;
}

int cli_table_row(struct cli_table *table, const char *const *cells)
{
	struct libscols_table *t = (struct libscols_table *)table;
	struct libscols_line *line = t ? scols_table_new_line(t, NULL) : NULL;
	size_t i;

	for (i = 0; line && i < scols_table_get_ncols(t); i++)
		if (scols_line_set_data(line, i, cells[i] && *cells[i] ? cells[i] : "-"))
			return -ENOMEM;
	return line ? 0 : -ENOMEM;
}

void cli_table_print(struct cli_table *table)
{
	struct libscols_table *t = (struct libscols_table *)table;

	if (!t)
		return;
	if (!scols_table_is_empty(t))
		scols_print_table(t);
	scols_unref_table(t);
}

const char *cli_str(const json_t *j, const char *name)
{
	return json_string_value(find(j, name));
}

int64_t cli_int(const json_t *j, const char *name)
{
	return json_integer_value(find(j, name));
}

char *cli_join(const json_t *list)
{
	char *out = NULL;
	size_t i, len = 0;
	const json_t *v;
	FILE *f;

	f = open_memstream(&out, &len);
	if (!f)
		return NULL;
	for (i = 0; i < json_array_size(list); i++) {
		v = json_array_get(list, i);
		fprintf(f, "%s%s", i ? ", " : "", json_is_string(v) ? json_string_value(v) : "?");
	}
	fclose(f);
	return out;
}
