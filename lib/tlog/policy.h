/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - which logs and witnesses are trusted, as a file (C2SP tlog-policy)
 *
 *	# who watches
 *	log     <vkey> [<url>]
 *	witness <name> <vkey> [<url>]
 *	group   <name> all|any|<k> <member>...
 *	quorum  <name>|none
 *
 * Fields are separated by spaces and tabs, a comment has a line of its own, and
 * what is named was defined above. A witness or group is a member of at most one
 * group, no key is there twice, and there is one quorum line. Keys of types that
 * this program does not know are read and never count.
 */
#ifndef LIB_TLOG_POLICY_H
#define LIB_TLOG_POLICY_H

#include "lib/tlog/checkpoint.h"

struct error;

enum {
	TLOG_POLICY_MAX = 1024 * 1024, /* bytes */
	TLOG_POLICY_LOGS_MAX = 4096,
	TLOG_POLICY_NODES_MAX = 256, /* witnesses and groups together */
	TLOG_POLICY_URL_MAX = 1024,
};

struct policy_log {
	struct note_key key;
	char *url; /* NULL: none is given */
};

/* A witness, or a group of what stands above it. */
struct policy_node {
	char name[NOTE_NAME_MAX + 1];
	struct note_key key; /* a witness's */
	char *url;           /* a witness's; may be NULL */
	size_t need;         /* a group: how many of its members; 0: this is a witness */
	size_t members;
	size_t parent; /* the group that this is a member of, or TLOG_POLICY_NODES_MAX */
};

struct tlog_policy {
	struct policy_log *logs;
	size_t nlogs;
	struct policy_node *nodes;
	size_t nnodes;
	size_t quorum; /* a node, or TLOG_POLICY_NODES_MAX: none is asked for */
};

/* E_INVALID: line 3: ... */
MUSTCHECK int tlog_policy_parse(const void *data, size_t len, struct tlog_policy **out,
				struct error *err);
void tlog_policy_free(struct tlog_policy *p);
DEFINE_CLEANUP(struct tlog_policy *, tlog_policy_free)

/*
 * Signed by a log of the policy under its own name, and by the quorum. A wrong
 * signature by any key of the policy rejects the whole. E_UNTRUSTED.
 */
MUSTCHECK int tlog_policy_verify(const struct tlog_policy *p, const struct checkpoint *c,
				 struct error *err);

/* Copy the keys of the logs of this origin, at most `max`; how many there are is returned. */
size_t tlog_policy_log_keys(const struct tlog_policy *p, const char *origin, struct note_key *out,
			    size_t max);

#endif
