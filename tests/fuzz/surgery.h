/* SPDX-License-Identifier: Apache-2.0 */
/*
 * surgery - change a JSON value at a place and in a way that bytes of the input choose
 *
 * What comes out is still JSON, and nearly still the document that it was: that
 * gets past the parsers which random bytes get stuck at. The same bytes do the
 * same to the same value.
 */
#ifndef TESTS_FUZZ_SURGERY_H
#define TESTS_FUZZ_SURGERY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The input being used up; at its end every byte is 0. */
struct feed {
	const uint8_t *at, *end;
};
uint8_t feed_byte(struct feed *f);

/* One cut; `root` is an object or array (what is neither stays as it is). */
void surgery(json_t *root, struct feed *f);

#endif
