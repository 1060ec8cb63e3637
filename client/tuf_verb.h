/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tuf_verb - `bequest-client tuf`: the bare TUF client
 *
 * The command line of the tuf-conformance suite, for anybody's repository:
 *
 *	tuf --metadata-dir D init ROOT
 *	tuf --metadata-dir D --metadata-url U refresh
 *	tuf --metadata-dir D --metadata-url U --target-name P... --target-dir T
 *	    --target-base-url B download
 *
 * D holds the trusted metadata under plain names, nothing else ending in .json,
 * and a lock file. Its entry in the table of verbs sets one_failure: the exit
 * status is 0 or 1.
 */
#ifndef CLIENT_TUF_VERB_H
#define CLIENT_TUF_VERB_H

#include "lib/base/cli.h"

struct error;

struct tuf_args {
	const char *metadata_dir, *metadata_url, *target_dir, *target_base_url;
	struct cli_list target_names;
};

extern const struct cli_option tuf_options[]; /* of a struct tuf_args */

MUSTCHECK int tuf_run(const struct cli_call *call, struct error *err);

#endif
