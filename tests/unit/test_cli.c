/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/cli.h"

#include <inttypes.h>
#include <stdio.h>

#include "tests/support/capture.h"
#include "tests/unit/unit.h"

enum { ARGS_MAX = 80 };

struct options {
	bool force;
	const char *root;
	int64_t days;
	struct cli_list share;
};

static const struct cli_option options[] = {
	{.name = "force",
	 .help = "do it",
	 .kind = CLI_FLAG,
	 .offset = offsetof(struct options, force)},
	CLI_OPT(struct options, root, CLI_TEXT, "root", "FILE", "the trusted root"),
	CLI_RANGE(struct options, days, 1, 30, "days", "N", "how long"),
	CLI_OPT(struct options, share, CLI_LIST, "share", "FILE", "a share"),
	{0},
};

static int show(const struct cli_call *call, struct error *err)
{
	const struct options *o = call->opt;

	(void)err;
	(void)printf("force=%d root=%s days=%" PRId64 " shares=%zu", o->force,
		     o->root ? o->root : "none", o->days, o->share.n);
	for (size_t i = 0; i < o->share.n; i++)
		(void)printf(" %s", o->share.items[i]);
	for (size_t i = 0; i < call->nargs; i++)
		(void)printf(" [%s]", call->args[i]);
	(void)printf("%s\n", call->json ? " json" : "");
	return 0;
}

static int refuse(const struct cli_call *call, struct error *err)
{
	(void)call;
	return error_set(err, E_DENIED, "policy \"p\" says no:\nreason \xff");
}

static int waits(const struct cli_call *call, struct error *err)
{
	(void)call;
	(void)err;
	return EXIT_DENIED;
}

static const struct cli_option needed[] = {
	CLI_NEED(struct options, root, CLI_TEXT, "root", "FILE", "the trusted root"),
	{0},
};

static const struct cli_verb verbs[] = {
	{.name = "show",
	 .args = "[FILE...]",
	 .help = "show what was given",
	 .options = options,
	 .size = sizeof(struct options),
	 .max_args = 2,
	 .run = show},
	{.name = "root show",
	 .args = "FILE",
	 .help = "show a root",
	 .options = needed,
	 .size = sizeof(struct options),
	 .min_args = 1,
	 .max_args = 1,
	 .run = show},
	{.name = "refuse", .help = "always fails", .run = refuse},
	{.name = "waits", .help = "says by its status that it waits", .run = waits},
	{0},
};

struct outcome {
	int status;
	struct buf out, err;
};

static void outcome_clear(struct outcome *o)
{
	buf_clear(&o->out);
	buf_clear(&o->err);
}

/* Run a line of words, as `bequest-test WORD...`. */
static struct outcome run(const char *line)
{
	CLEANUP(freep) char *copy = strdup(line);
	char program[] = "bequest-test";
	char *argv[ARGS_MAX] = {program};
	int argc = 1;
	struct outcome o = {0};
	char *rest = copy;
	struct capture out, err;

	for (char *word; argc < ARGS_MAX - 1 && (word = strtok_r(rest, " ", &rest));)
		argv[argc++] = word;
	out = capture_begin(STDOUT_FILENO);
	err = capture_begin(STDERR_FILENO);
	o.status = cli_main("bequest-test", verbs, argc, argv);
	capture_end(&err, &o.err);
	capture_end(&out, &o.out);
	return o;
}

static const char *text(const struct buf *b)
{
	return b->data ? b->data : "";
}

static void options_fill_the_verbs_struct(void **state)
{
	static const char *const lines[][2] = {
		{"show", "force=0 root=none days=0 shares=0\n"},
		{"show --force --root r --days 30 a b",
		 "force=1 root=r days=30 shares=0 [a] [b]\n"},
		{"show --root=r --days=1", "force=0 root=r days=1 shares=0\n"},
		{"show a --share 1 --share 2", "force=0 root=none days=0 shares=2 1 2 [a]\n"},
		{"show --root a --root b", "force=0 root=b days=0 shares=0\n"},
		{"show -- --force -x", "force=0 root=none days=0 shares=0 [--force] [-x]\n"},
		{"show --json", "force=0 root=none days=0 shares=0 json\n"},
		{"show -- --json", "force=0 root=none days=0 shares=0 [--json]\n"},
		{"root show --root r f", "force=0 root=r days=0 shares=0 [f]\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		CLEANUP(outcome_clear) struct outcome o = run(lines[i][0]);

		assert_int_equal(o.status, EXIT_OK);
		assert_string_equal(text(&o.out), lines[i][1]);
		assert_string_equal(text(&o.err), "");
	}
}

static void wrong_usage_is_one_line_and_status_2(void **state)
{
	static const char *const lines[][2] = {
		{"nothing", "bequest-test: no verb 'nothing'; see bequest-test --help\n"},
		{"root", "bequest-test: no verb 'root'; see bequest-test --help\n"},
		{"root hide", "bequest-test: no verb 'root'; see bequest-test --help\n"},
		{"roots show", "bequest-test: no verb 'roots'; see bequest-test --help\n"},
		{"show --none", "bequest-test: show: --none: no such option"},
		{"show -f", "bequest-test: show: -f: no such option"},
		{"show --force=1", "no such option, or a value it does not take\n"},
		{"show --root", "bequest-test: show: --root: needs a value\n"},
		{"show a b c", "bequest-test: usage: bequest-test show [OPTION...] [FILE...]\n"},
		{"root show --root r",
		 "bequest-test: usage: bequest-test root show [OPTION...] FILE\n"},
		{"root show f", "bequest-test: root show: --root is required\n"},
		{"show --days 0", "bequest-test: show: --days: want 1 to 30, got 0\n"},
		{"show --days 31", "want 1 to 30, got 31\n"},
		{"show --days x", "want 1 to 30, got x\n"},
		{"show --days 5x", "want 1 to 30, got 5x\n"},
		{"show --days=", "want 1 to 30, got \n"},
		{"show --days 99999999999999999999", "want 1 to 30, got 99999999999999999999\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		CLEANUP(outcome_clear) struct outcome o = run(lines[i][0]);

		assert_int_equal(o.status, EXIT_USAGE);
		assert_string_equal(text(&o.out), "");
		assert_non_null(strstr(text(&o.err), lines[i][1]));
		assert_ptr_equal(strchr(text(&o.err), '\n'), text(&o.err) + o.err.len - 1);
	}
}

static void a_list_has_an_end(void **state)
{
	CLEANUP(buf_clear) struct buf line = {0};

	(void)state;
	assert_int_equal(buf_puts(&line, "show", NULL), 0);
	for (int i = 0; i < CLI_LIST_MAX; i++)
		assert_int_equal(buf_puts(&line, " --share=1", NULL), 0);
	CLEANUP(outcome_clear) struct outcome full = run(line.data);
	assert_int_equal(full.status, EXIT_OK);
	assert_int_equal(buf_puts(&line, " --share=1", NULL), 0);
	CLEANUP(outcome_clear) struct outcome over = run(line.data);
	assert_int_equal(over.status, EXIT_USAGE);
	assert_non_null(strstr(text(&over.err), "--share: given more than 64 times"));
}

static void help_is_a_result(void **state)
{
	CLEANUP(outcome_clear) struct outcome program = run("--help");
	CLEANUP(outcome_clear) struct outcome verb = run("root show --help");
	CLEANUP(outcome_clear) struct outcome version = run("--version");
	CLEANUP(outcome_clear) struct outcome nothing = run("");

	(void)state;
	assert_int_equal(program.status, EXIT_OK);
	assert_non_null(strstr(text(&program.out), "usage: bequest-test VERB"));
	for (const struct cli_verb *v = verbs; v->name; v++)
		assert_non_null(strstr(text(&program.out), v->help));
	assert_int_equal(verb.status, EXIT_OK);
	assert_non_null(strstr(text(&verb.out), "usage: bequest-test root show [OPTION...] FILE"));
	assert_non_null(strstr(text(&verb.out), "--root FILE"));
	assert_non_null(strstr(text(&verb.out), "(required)"));
	assert_non_null(strstr(text(&verb.out), "--json"));
	assert_int_equal(version.status, EXIT_OK);
	assert_memory_equal(text(&version.out), "bequest-test ", 13);
	assert_int_equal(nothing.status, EXIT_USAGE);
	assert_string_equal(text(&nothing.out), "");
	assert_non_null(strstr(text(&nothing.err), "usage: bequest-test VERB"));
}

static void errors_are_escaped_and_mapped(void **state)
{
	CLEANUP(outcome_clear) struct outcome o = run("refuse");
	CLEANUP(outcome_clear) struct outcome waiting = run("waits");

	(void)state;
	assert_int_equal(o.status, EXIT_DENIED);
	assert_string_equal(text(&o.out), "");
	assert_string_equal(text(&o.err), "bequest-test: policy \"p\" says no:\\x0areason \xff\n");
	assert_int_equal(waiting.status, EXIT_DENIED);
	assert_string_equal(text(&waiting.err), "");
}

static void failure_is_one_json_object_too(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *out;
	} known[] = {
		{"refuse --json", EXIT_DENIED,
		 "{\"ok\": false, \"error\": \"denied\", \"message\": \"policy \\\"p\\\" says "
		 "no:\\u000areason \\u00ff\"}\n"},
		{"show --days 0 --json", EXIT_USAGE,
		 "{\"ok\": false, \"error\": \"usage\", \"message\": \"show: --days: want 1 to 30, "
		 "got 0\"}\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		CLEANUP(outcome_clear) struct outcome o = run(known[i].line);

		assert_int_equal(o.status, known[i].status);
		assert_string_equal(text(&o.out), known[i].out);
		assert_true(o.err.len > 0);
	}
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
	char program[] = "bequest-test", verb[] = "show";
	char *argv[] = {program, verb, NULL};
	int kept = dup(STDOUT_FILENO), status;
	FILE *full = fopen("/dev/full", "w");
	CLEANUP(buf_clear) struct buf said = {0};
	struct capture c;

	(void)state;
	(void)fflush(stdout);
	assert_non_null(full);
	c = capture_begin(STDERR_FILENO);
	assert_int_equal(dup2(fileno(full), STDOUT_FILENO), STDOUT_FILENO);
	status = cli_main("bequest-test", verbs, 2, argv);
	assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
	capture_end(&c, &said);
	(void)fclose(full);
	(void)close(kept);
	assert_int_equal(status, EXIT_FAILED);
	assert_non_null(strstr(text(&said), "standard output: No space left"));
}

static void out_of_memory_is_reported(void **state)
{
	char program[] = "bequest-test", verb[] = "show";
	char *argv[] = {program, verb, NULL};
	struct capture c = capture_begin(STDERR_FILENO);
	CLEANUP(buf_clear) struct buf said = {0};
	int status;

	(void)state;
	oom_after(0);
	status = cli_main("bequest-test", verbs, 2, argv);
	assert_int_equal(oom_fired(), 1);
	capture_end(&c, &said);
	assert_int_equal(status, EXIT_FAILED);
	assert_string_equal(text(&said), "bequest-test: out of memory\n");
}

static void first_word_tells_its_verbs(void **state)
{
	CLEANUP(outcome_clear) struct outcome o = run("root --help");

	(void)state;
	assert_int_equal(o.status, EXIT_OK);
	assert_non_null(strstr(o.out.data, "usage: bequest-test root VERB"));
	assert_non_null(strstr(o.out.data, "  root show       show a root\n"));
	assert_null(strstr(o.out.data, "refuse"));
	for (size_t i = 0; i < 3; i++) {
		static const char *const none[] = {"roo --help", "refus --help",
						   "root show2 --help"};
		CLEANUP(outcome_clear) struct outcome bad = run(none[i]);

		assert_int_equal(bad.status, EXIT_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_word_tells_its_verbs),
		cmocka_unit_test(options_fill_the_verbs_struct),
		cmocka_unit_test(wrong_usage_is_one_line_and_status_2),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(help_is_a_result),
		cmocka_unit_test(errors_are_escaped_and_mapped),
		cmocka_unit_test(failure_is_one_json_object_too),
		cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
