/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/random.h"

#include <openssl/rand.h>

#include "lib/base/error.h"

int random_bytes(void *data, size_t len, struct error *err)
{
	/* RAND_bytes() counts in int; nobody here asks for as much as 2 GiB. */
	if (len > 1U << 30 || RAND_bytes(data, (int)len) != 1)
		return error_set(err, E_SYS, "random: the generator gave no bytes");
	return 0;
}
