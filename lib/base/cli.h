/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli - what the command line of every program has in common
 *
 * A program is a table of verbs; a verb is a table of options that are put
 * into a struct of its own, and a function. Results go to standard output,
 * everything else to standard error. With --json, standard output carries
 * exactly one JSON object, also on failure:
 * {"ok": false, "error": "untrusted", "message": "..."}.
 */
#ifndef LIB_BASE_CLI_H
#define LIB_BASE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/compiler.h"

struct error;

/* Exit statuses, the same for every program; documented in each man page. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,    /* failed here: disk, memory, a bug */
	EXIT_USAGE = 2,     /* command line, configuration, a file that the person edits */
	EXIT_UNTRUSTED = 3, /* malformed or untrusted data from elsewhere */
	EXIT_DENIED = 4,    /* a policy refused, and says why */
	EXIT_RETRY = 5,     /* network, busy, not yet */
};

/* The one place where an error code becomes an exit status. */
int cli_exit_status(int code);

/* Options of kind CLI_LIST may be given up to CLI_LIST_MAX times. */
enum { CLI_LIST_MAX = 64 };
struct cli_list {
	const char *items[CLI_LIST_MAX];
	size_t n;
};

enum cli_kind {
	CLI_FLAG, /* bool */
	CLI_TEXT, /* const char *; NULL if not given */
	CLI_INT,  /* int64_t within [min, max]; 0 if not given */
	CLI_LIST, /* struct cli_list */
};

struct cli_option {
	const char *name; /* without the dashes */
	const char *arg;  /* what the help calls its value, such as "FILE"; NULL for a flag */
	const char *help; /* one line, lower case, no full stop */
	enum cli_kind kind;
	size_t offset; /* of the member in the verb's struct */
	bool required;
	int64_t min, max;
};

/*
 * An entry of a table: CLI_OPT(struct options, root, CLI_TEXT, "root", "FILE", "the trusted root").
 * CLI_NEED is one that must be given; CLI_RANGE is CLI_INT with its bounds.
 */
#define CLI_OPT(type, member, kind_, name_, arg_, help_) \
	{ \
		.name = (name_), .arg = (arg_), .help = (help_), .kind = (kind_), \
		.offset = offsetof(type, member) \
	}
#define CLI_NEED(type, member, kind_, name_, arg_, help_) \
	{ \
		.name = (name_), .arg = (arg_), .help = (help_), .kind = (kind_), \
		.offset = offsetof(type, member), .required = true \
	}
#define CLI_RANGE(type, member, min_, max_, name_, arg_, help_) \
	{ \
		.name = (name_), .arg = (arg_), .help = (help_), .kind = CLI_INT, \
		.offset = offsetof(type, member), .min = (min_), .max = (max_) \
	}

/* What a verb is called with. The strings are argv's and outlive the call. */
struct cli_call {
	const char *program;
	const void *opt; /* the verb's struct, filled in */
	const char *const *args;
	size_t nargs;
	bool json; /* --json was given */
};

struct cli_verb {
	const char *name;                 /* "seal", or two words: "root sign" */
	const char *args;                 /* operands, for the usage text: "DIR [FILE...]" */
	const char *help;                 /* one line */
	const struct cli_option *options; /* ended by a zero entry; may be NULL */
	size_t size;                      /* of the verb's struct */
	size_t min_args, max_args;
	/* Returns 0, a negative E_ code with `err` set, or a positive EXIT_ status, already
	 * explained. */
	int (*run)(const struct cli_call *call, struct error *err);
	bool one_failure; /* whatever fails, a usage error too, is EXIT_FAILED */
};

/*
 * Parse, run, report. Every verb has --help and --json; the program has --help
 * and --version, and the first of two words has --help. Returns the exit status for main() to
 * return.
 */
int cli_main(const char *program, const struct cli_verb *verbs, int argc, char *argv[]);

#endif
