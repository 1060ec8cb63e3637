/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy - signatures that cost a hash, for targets that are about what is signed
 *
 * Linked with --wrap around the few functions that make keys, sign and verify, so
 * that a target which signs everything it invents gets hundreds of times further in
 * the same time. A toy signature is SHA-256(key || data), twice: whoever has the
 * public key can make one, so only the target itself may sign, and only as the
 * people that its attacker has. What is under test is unchanged in all else; the
 * true verification has its own targets (envelope, key, checkpoint).
 */
#ifndef TESTS_FUZZ_TOY_H
#define TESTS_FUZZ_TOY_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/tlog/note.h"

struct signer;

/* Count keys from the first again, or from that of which `keys` were made: each input gets the
 * same. */
void toy_reset(void);
void toy_resume(unsigned keys);
unsigned toy_keys(void);

/* The key of a log or witness, and what it signs with, made from a number. */
void toy_note_key(unsigned number, const char *name, int type, unsigned char seed[32],
		  struct note_key *out);

/*
 * Append the document around a `signed` part, however odd that is, as `n` signers sign
 * it. False: it has no canonical form, so that nobody can.
 */
bool toy_document(json_t *body, struct signer *const *by, size_t n, struct buf *out);

#endif
