/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/charset.h"

#include "lib/base/error.h"

int charset_enter(struct charset *out, struct error *err)
{
	struct charset c = {.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0)};

	if (!c.utf8)
		return error_errno(err, errno, "locale C.UTF-8");
	c.before = uselocale(c.utf8);
	*out = c;
	return 0;
}

void charset_leave(struct charset *c)
{
	if (!c->utf8)
		return;
	(void)uselocale(c->before);
	freelocale(c->utf8);
	*c = (struct charset){0};
}
