/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/cli.h"

#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/log.h"

#define VERSION "0.1.0"

enum { OPTIONS_MAX = 40, OPT_HELP = 1000, OPT_JSON };

int cli_exit_status(int code)
{
	switch (code) {
	case 0: return EXIT_OK;
	case E_INVALID:
	case E_UNTRUSTED: return EXIT_UNTRUSTED;
	case E_DENIED: return EXIT_DENIED;
	case E_NET:
	case E_BUSY:
	case E_NOTYET: return EXIT_RETRY;
	case E_USAGE: return EXIT_USAGE;
	default: return EXIT_FAILED;
	}
}

static void put_json_text(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			(void)printf("\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f) /* what a text quotes need not be UTF-8 */
			(void)printf("\\u%04x", *p);
		else
			(void)putchar(*p);
	}
}

static int fail(const char *program, const struct error *err, int code, bool json)
{
	if (json) {
		(void)printf("{\"ok\": false, \"error\": \"%s\", \"message\": \"",
			     error_name(code));
		put_json_text(err->text);
		(void)puts("\"}");
	}
	(void)fprintf(stderr, "%s: ", program);
	log_escaped(stderr, err->text);
	(void)fputc('\n', stderr);
	return cli_exit_status(code);
}

static void program_help(FILE *f, const char *program, const struct cli_verb *verbs)
{
	(void)fprintf(f, "usage: %s VERB [OPTION...]\n\n", program);
	for (const struct cli_verb *v = verbs; v->name; v++)
		(void)fprintf(f, "  %-15s %s\n", v->name, v->help);
	(void)fprintf(f, "\n%s VERB --help explains one; --version tells the version.\n", program);
}

/* "root --help": the verbs whose first word that is. False: there are none. */
static bool group_help(const char *program, const struct cli_verb *verbs, const char *word)
{
	size_t len = strlen(word);
	bool any = false;

	for (const struct cli_verb *v = verbs; v->name; v++) {
		if (strncmp(v->name, word, len) != 0 || v->name[len] != ' ')
			continue;
		if (!any)
			(void)printf("usage: %s %s VERB [OPTION...]\n\n", program, word);
		any = true;
		(void)printf("  %-15s %s\n", v->name, v->help);
	}
	if (any)
		(void)printf("\n%s %s VERB --help explains one.\n", program, word);
	return any;
}

static void verb_help(const char *program, const struct cli_verb *v)
{
	(void)printf("usage: %s %s [OPTION...]%s%s\n\n%s\n\n", program, v->name,
		     v->args && *v->args ? " " : "", v->args ? v->args : "", v->help);
	for (const struct cli_option *o = v->options; o && o->name; o++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "",
			       o->arg ? o->arg : "");
		(void)printf("  %-26s %s%s\n", left, o->help, o->required ? " (required)" : "");
	}
	(void)printf("  %-26s %s\n  %-26s %s\n", "--json", "one JSON object on standard output",
		     "--help", "this text");
}

/* Does argv spell the verb's one or two words? Gives how many, or 0. */
static int spells(const char *name, int argc, char *argv[])
{
	const char *space = strchr(name, ' ');

	if (!space)
		return argc > 1 && strcmp(argv[1], name) == 0 ? 1 : 0;
	if (argc > 2 && strncmp(argv[1], name, (size_t)(space - name)) == 0 &&
	    argv[1][space - name] == '\0' && strcmp(argv[2], space + 1) == 0)
		return 2;
	return 0;
}

static int take_int(const struct cli_option *o, const char *text, int64_t *out, struct error *err)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (errno || end == text || *end || *out < o->min || *out > o->max)
		return error_set(err, E_USAGE, "--%s: want %" PRId64 " to %" PRId64 ", got %s",
				 o->name, o->min, o->max, text);
	return 0;
}

static int take(const struct cli_option *o, void *opt, const char *text, struct error *err)
{
	char *at = (char *)opt + o->offset;

	if (o->kind == CLI_FLAG) {
		memcpy(at, &(bool){true}, sizeof(bool));
	} else if (o->kind == CLI_TEXT) {
		memcpy(at, &text, sizeof(text));
	} else if (o->kind == CLI_INT) {
		int64_t v;
		int r = take_int(o, text, &v, err);

		if (r < 0)
			return r;
		memcpy(at, &v, sizeof(v));
	} else {
		struct cli_list list;

		memcpy(&list, at, sizeof(list));
		if (list.n == CLI_LIST_MAX)
			return error_set(err, E_USAGE, "--%s: given more than %d times", o->name,
					 CLI_LIST_MAX);
		list.items[list.n++] = text;
		memcpy(at, &list, sizeof(list));
	}
	return 0;
}

static size_t long_options(const struct cli_verb *v, struct option *out)
{
	size_t n = 0;

	for (const struct cli_option *o = v->options; o && o->name; o++, n++) {
		assert(n < OPTIONS_MAX);
		out[n] = (struct option){o->name, o->arg ? required_argument : no_argument, NULL,
					 (int)n};
	}
	out[n] = (struct option){"help", no_argument, NULL, OPT_HELP};
	out[n + 1] = (struct option){"json", no_argument, NULL, OPT_JSON};
	out[n + 2] = (struct option){0};
	return n;
}

static int missing(const struct cli_verb *v, const bool *seen, struct error *err)
{
	for (size_t i = 0; v->options && v->options[i].name; i++)
		if (v->options[i].required && !seen[i])
			return error_set(err, E_USAGE, "%s: --%s is required", v->name,
					 v->options[i].name);
	return 0;
}

/* Fill `opt` and `call` from argv, whose first entry is the verb. 1: help was asked for. */
static int parse(const struct cli_verb *v, int argc, char *argv[], void *opt, struct cli_call *call,
		 struct error *err)
{
	struct option longs[OPTIONS_MAX + 3];
	bool seen[OPTIONS_MAX] = {false};
	size_t n = long_options(v, longs);
	int c, r;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c == OPT_HELP)
			return 1;
		if (c == OPT_JSON)
			continue;
		if (c == '?' || c == ':')
			return error_set(err, E_USAGE, "%s: %s: %s", v->name, argv[optind - 1],
					 c == '?' ? "no such option, or a value it does not take"
						  : "needs a value");
		if ((size_t)c >= n)
			continue;
		seen[c] = true;
		r = take(&v->options[c], opt, optarg, err);
		if (r < 0)
			return error_prefix(err, r, "%s", v->name);
	}
	call->args = (const char *const *)&argv[optind];
	call->nargs = (size_t)(argc - optind);
	if (call->nargs < v->min_args || call->nargs > v->max_args)
		return error_set(err, E_USAGE, "usage: %s %s [OPTION...] %s", call->program,
				 v->name, v->args ? v->args : "");
	return missing(v, seen, err);
}

/* Looked for first, so that an error in what stands before it is reported in JSON, too. */
static bool wants_json(int argc, char *argv[])
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static int run(const char *program, const struct cli_verb *v, int argc, char *argv[])
{
	CLEANUP(freep) void *opt = calloc(1, v->size + 1);
	struct cli_call call = {.program = program, .opt = opt, .json = wants_json(argc, argv)};
	struct error err = {0};
	int r;

	if (!opt)
		return fail(program, &err, error_nomem(&err), call.json);
	r = parse(v, argc, argv, opt, &call, &err);
	if (r == 1) {
		verb_help(program, v);
		return EXIT_OK;
	}
	if (r == 0)
		r = v->run(&call, &err);
	if (r >= 0 && fflush(stdout) != 0)
		r = error_errno(&err, errno, "standard output");
	if (r < 0)
		r = fail(program, &err, r, call.json);
	return r != EXIT_OK && v->one_failure ? EXIT_FAILED : r;
}

int cli_main(const char *program, const struct cli_verb *verbs, int argc, char *argv[])
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		program_help(stdout, program, verbs);
		return EXIT_OK;
	}
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		(void)printf("%s %s\n", program, VERSION);
		return EXIT_OK;
	}
	for (const struct cli_verb *v = verbs; v->name; v++) {
		int words = spells(v->name, argc, argv);

		if (words)
			return run(program, v, argc - words, argv + words);
	}
	if (argc == 3 && strcmp(argv[2], "--help") == 0 && group_help(program, verbs, argv[1]))
		return EXIT_OK;
	if (argc < 2)
		program_help(stderr, program, verbs);
	else
		(void)fprintf(stderr, "%s: no verb '%s'; see %s --help\n", program, argv[1],
			      program);
	return EXIT_USAGE;
}
