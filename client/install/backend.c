/* SPDX-License-Identifier: Apache-2.0 */
#include "client/install/backend.h"

#include "client/install/ab_image.h"
#include "lib/base/error.h"

struct backend {
	const struct backend_ops *ops;
	void *self;
};

int backend_open(const struct conf *c, struct backend **out, struct error *err)
{
	return ab_image_open(c, out, err); /* conf_parse() lets no other name pass */
}

int backend_new(const struct backend_ops *ops, void *self_take, struct backend **out,
		struct error *err)
{
	struct backend *b = malloc(sizeof(*b));

	if (!b) {
		ops->free(self_take);
		return error_nomem(err);
	}
	*b = (struct backend){ops, self_take};
	*out = b;
	return 0;
}

void backend_close(struct backend *b)
{
	if (b)
		b->ops->free(b->self);
	free(b);
}

int backend_state(struct backend *b, struct backend_state *out, struct error *err)
{
	return b->ops->state(b->self, out, err);
}

int backend_size(struct backend *b, enum slot s, uint64_t *out, struct error *err)
{
	return b->ops->size(b->self, s, out, err);
}

int backend_prepare(struct backend *b, enum slot s, uint64_t size, struct error *err)
{
	return b->ops->prepare(b->self, s, size, err);
}

int backend_write(struct backend *b, uint64_t at, const void *data, size_t len, struct error *err)
{
	return b->ops->write(b->self, at, data, len, err);
}

int backend_flush(struct backend *b, struct error *err)
{
	return b->ops->flush(b->self, err);
}

int backend_read(struct backend *b, enum slot s, uint64_t at, void *out, size_t len,
		 struct error *err)
{
	return b->ops->read(b->self, s, at, out, len, err);
}

int backend_activate(struct backend *b, struct error *err)
{
	return b->ops->activate(b->self, err);
}

int backend_confirm(struct backend *b, struct error *err)
{
	return b->ops->confirm(b->self, err);
}

int backend_start(struct backend *b, enum slot s, bool drop, struct error *err)
{
	return b->ops->start(b->self, s, drop, err);
}
