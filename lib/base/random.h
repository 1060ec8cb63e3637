/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random - the system's CSPRNG, by way of libcrypto
 */
#ifndef LIB_BASE_RANDOM_H
#define LIB_BASE_RANDOM_H

#include <stddef.h>

#include "lib/base/compiler.h"

struct error;

/* Fill `data`; never partly. E_SYS if the generator reports failure: give up, do not go on. */
MUSTCHECK int random_bytes(void *data, size_t len, struct error *err);

#endif
