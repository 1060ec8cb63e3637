/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness - what a log asks of a witness, and how a witness judges it (C2SP tlog-witness 1.0.0)
 *
 * No I/O: who keeps the last cosigned checkpoint passes it in, and must have
 * replaced it durably before a cosignature leaves the house.
 */
#ifndef LIB_TLOG_WITNESS_H
#define LIB_TLOG_WITNESS_H

#include "lib/tlog/checkpoint.h"

struct error;

#define WITNESS_CALL "add-checkpoint"           /* POST, below the witness's prefix */
#define WITNESS_SIZE_TYPE "text/x.tlog.size"    /* of a 409's body: a size and a newline */
enum { WITNESS_REQUEST_MAX = NOTE_MAX + 8192 }; /* bytes */

/* Where a witness shows what it cosigned last of a log, below its prefix. */
enum { WITNESS_PATH_SIZE = SHA256_HEX_SIZE + sizeof("/checkpoint") - 1 };
void witness_path(const char *origin, char out[WITNESS_PATH_SIZE]);

/* The body of an add-checkpoint request. */
struct witness_request {
	uint64_t old;                 /* the size that the proof starts from */
	struct merkle_proof proof;    /* of consistency */
	struct checkpoint checkpoint; /* borrows from the bytes parsed */
};

MUSTCHECK int witness_request_parse(const void *data, size_t len, struct witness_request *out,
				    struct error *err);
MUSTCHECK int witness_request_format(uint64_t old, const struct merkle_proof *proof,
				     const void *checkpoint, size_t len, struct buf *out,
				     struct error *err);

/* The answers of the protocol, which are HTTP's numbers. */
enum witness_verdict {
	WITNESS_COSIGN = 200,
	WITNESS_MALFORMED = 400, /* also: starts from more than it ends with */
	WITNESS_UNSIGNED = 403,  /* by a key that is known for the log */
	WITNESS_UNKNOWN = 404,   /* a log of this origin */
	WITNESS_CONFLICT = 409,  /* does not start from what was cosigned last */
	WITNESS_UNPROVEN = 422,
};

/* What was cosigned last; all zero before the first time. */
struct witness_head {
	uint64_t size;
	struct hash root; /* of a size of 0 nobody asks */
};

/*
 * May this be cosigned? `keys` are those of the log with the request's origin;
 * any of them will do, and none may have signed wrongly. `err` says why not.
 * Out of memory, or any other failure of ours, is a negative code.
 */
MUSTCHECK int witness_judge(const struct witness_request *q, const struct note_key *keys, size_t n,
			    const struct witness_head *last, struct error *err);

#endif
