/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/stream.h"

#include <fcntl.h>

enum { PIPE_SIZE = 1024 * 1024 }; /* fewer switches between the two sides; the kernel may say no */

static void *work(void *arg)
{
	struct stream *s = arg;

	s->result = s->run(s->gpg, s->passphrase, s->in, s->out, &s->err);
	/* The other side is to see the end, or that nobody reads any more. */
	closep(s->from_pipe ? &s->in : &s->out);
	return NULL;
}

int stream_start(struct stream *s, int fd, bool from_pipe, struct error *err)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "pipe");
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	s->from_pipe = from_pipe;
	s->in = from_pipe ? ends[0] : fd;
	s->out = from_pipe ? fd : ends[1];
	s->pipe = from_pipe ? ends[1] : ends[0];
	r = pthread_create(&s->thread, NULL, work, s);
	if (r != 0) {
		closep(&ends[0]);
		closep(&ends[1]);
		s->pipe = -1;
		return error_errno(err, r, "thread");
	}
	return 0;
}

int stream_finish(struct stream *s, struct error *err)
{
	closep(&s->pipe);
	s->pipe = -1;
	(void)pthread_join(s->thread, NULL);
	if (s->result < 0)
		return error_set(err, s->result, "%s", s->err.text);
	return 0;
}
