/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - what a device remembers besides the trusted metadata
 *
 * One flat value, written whole and atomically to state.json. Who is trusted is
 * not decided here but by metadata/root.json: the one exception is `consent`,
 * which says that a certain root.json, should it be there, was agreed to.
 * Empty text means "none" throughout.
 */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/bootenv.h"
#include "lib/base/digest.h"
#include "lib/base/version.h"
#include "lib/tlog/note.h"

struct error;

enum {
	STATE_FAILED_MAX = 16,
	STATE_REASON_MAX = 400,
	STATE_NAME_MAX = 128,
	STATE_STALE_MAX = 255,
	STATE_LOG_MAX = 400,
	STATE_LOGS_MAX = 16,
	STATE_LOG_NAME_MAX = NOTE_NAME_MAX + 1 + 8, /* "origin+hex8(key id)" */
};

enum slot_status {
	SLOT_UNKNOWN, /* nothing recorded: as it left the factory */
	SLOT_WRITING, /* being written: not bootable */
	SLOT_READY,   /* verified, to be tried at the next boot, or being tried */
	SLOT_GOOD,    /* has run and was confirmed */
	SLOT_FAILED,  /* was tried and did not come up, or was set aside by the owner */
};

struct slot_record {
	enum slot_status status;
	char version[VERSION_MAX + 1];
	char sha256[SHA256_HEX_SIZE];       /* of the image */
	int64_t size;                       /* of the image, bytes */
	char publisher[STATE_NAME_MAX + 1]; /* id of whom it came from */
	char entry[SHA256_HEX_SIZE];        /* digest of the targets entry that named it */
};

/* A targets entry that is not tried again until its publisher changes it. */
struct failed_update {
	char entry[SHA256_HEX_SIZE];
	char version[VERSION_MAX + 1];
};

/*
 * A change of publisher as it was shown to the owner. Consent is to exactly
 * this; whatever differs later voids it.
 */
struct offer {
	char from[SHA256_HEX_SIZE];   /* id of root N */
	char bridge[SHA256_HEX_SIZE]; /* id of root N+1; "": there is no offer */
	char after[SHA256_HEX_SIZE];  /* id of the root that becomes trusted, N+2 after a bridge */
	char evidence[SHA256_HEX_SIZE]; /* digest over the documents it rests on */
	char nonce[SHA256_HEX_SIZE];    /* of this device and this presentation */
	int64_t shown;                  /* when, by the system's clock */
};

struct consent {
	struct offer to;
	char product[STATE_NAME_MAX + 1];
	char by[STATE_NAME_MAX + 1]; /* "owner", or the policy that allowed it */
	int64_t at;
};

/* How far a log had grown when this device saw most of it (client/heads.h). */
struct seen_log {
	char log[STATE_LOG_NAME_MAX + 1];
	int64_t size; /* leaves */
	char root[SHA256_HEX_SIZE];
};

enum waiting_kind { WAITING_NOTHING, WAITING_HANDOVER, WAITING_UPDATE };

struct state {
	char device[SHA256_HEX_SIZE]; /* random; never leaves the device */
	int64_t since;                /* when the publisher was accepted */
	struct slot_record slot[SLOTS];
	struct failed_update failed[STATE_FAILED_MAX]; /* oldest first */
	size_t nfailed;
	struct offer offer;         /* last shown */
	struct offer refused;       /* nonce and time mean nothing in it */
	struct consent consent;     /* given and not yet used up */
	int64_t witnessed;          /* now is not before this; 0: unknown */
	int64_t seq;                /* newest leaf of the product that was seen; 0: none */
	char leaf[SHA256_HEX_SIZE]; /* its hash */
	struct seen_log logs[STATE_LOGS_MAX]; /* longest not heard of first */
	size_t nlogs;
	struct slot_record kept;    /* the image in the file `keep-image`; size 0: none */
	char left[VERSION_MAX + 1]; /* the owner went back from this one to the kept image; or "" */
	char stale[STATE_STALE_MAX + 1]; /* what the last look found past its expiry, or "" */
	char log[STATE_LOG_MAX + 1];     /* what the last look found wrong with the log, or "" */
	struct {
		enum waiting_kind kind;
		char id[SHA256_HEX_SIZE];
		char reason[STATE_REASON_MAX + 1];
	} waiting;
	struct {
		char verb[STATE_NAME_MAX + 1];
		int64_t exit, at;
	} last;
};

/* A new device's state, with fresh randomness. */
MUSTCHECK int state_new(struct state *out, struct error *err);

/* From and to state.json in the state folder. E_NOTFOUND, E_INVALID. */
MUSTCHECK int state_load(int dir, struct state *out, struct error *err);
MUSTCHECK int state_save(const struct state *s, int dir, struct error *err);
MUSTCHECK int state_parse(const void *data, size_t len, struct state *out, struct error *err);

const char *waiting_name(enum waiting_kind k); /* "handover", "update" */
const char *slot_status_name(enum slot_status s);

void state_wait(struct state *s, enum waiting_kind kind, const char *id, const char *fmt, ...)
	PRINTF(4, 5);

/* What the last look found wrong with the log; "": nothing. */
void state_log(struct state *s, const char *text);

/* Remember, or ask after, an update that did not work. */
void state_fail(struct state *s, const struct slot_record *r);
bool state_has_failed(const struct state *s, const char *entry);

/* Is it the same step, on the same evidence? The nonce and the time play no part. */
bool offer_same(const struct offer *a, const struct offer *b);
/* The same step, whatever the evidence: what a refusal stays with. */
bool offer_same_step(const struct offer *a, const struct offer *b);

/*
 * Does consent hold for `product` and the step `o` as found now? The nonce that
 * counts is that of the presentation recorded in the state. False if any field differs.
 */
bool consent_holds(const struct state *s, const char *product, const struct offer *o);

#endif
