/* SPDX-License-Identifier: Apache-2.0 */
/*
 * charset - names in archives are UTF-8, whatever the person's locale is
 *
 * libarchive converts names by the locale; in the C locale it cannot, and falls
 * over. So the calling thread gets a UTF-8 one while it deals with archives.
 */
#ifndef ESCROW_CHARSET_H
#define ESCROW_CHARSET_H

#include <locale.h>

#include "lib/base/compiler.h"

struct error;

struct charset {
	locale_t utf8, before; /* 0: not entered */
};

/* E_SYS: this system has no UTF-8 locale (every glibc since 2.35 has one built in). */
MUSTCHECK int charset_enter(struct charset *out, struct error *err);
void charset_leave(struct charset *c);

#endif
