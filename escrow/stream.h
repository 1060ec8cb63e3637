/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream - gpg at one end of a pipe, in a thread of its own, libarchive at the other
 */
#ifndef ESCROW_STREAM_H
#define ESCROW_STREAM_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/base/error.h"

struct gpg;

/* gpg_encrypt_stream() or gpg_decrypt_stream(). */
typedef int (*stream_fn)(struct gpg *g, const char *passphrase, int in, int out, struct error *err);

struct stream {
	int pipe; /* this end; -1 once closed */
	stream_fn run;
	struct gpg *gpg;        /* borrowed; used by the thread alone until stream_finish() */
	const char *passphrase; /* borrowed */
	int in, out;            /* of the thread; the pipe's other end is one of them */
	bool from_pipe;         /* `in` is the pipe's other end; else `out` is */
	pthread_t thread;
	int result;
	struct error err;
};

/*
 * Start gpg reading from the pipe and writing to `fd` (`from_pipe`), or reading
 * from `fd` and writing to the pipe. The struct must stay where it is until
 * stream_finish(), which must follow. `fd` is borrowed.
 */
MUSTCHECK int stream_start(struct stream *s, int fd, bool from_pipe, struct error *err);

/* Close the pipe, wait for gpg, and give its result. */
MUSTCHECK int stream_finish(struct stream *s, struct error *err);

#endif
