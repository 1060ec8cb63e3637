/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/matter.h"

#include "lib/base/error.h"

/* The last final eol that names exactly this root and this bridge. */
static int find_eol(const struct view *v, struct matter *m, struct error *err)
{
	struct entry e;

	for (size_t i = 0; view_entry(v, ST_EOL, i, &e); i++) {
		CLEANUP(envelope_freep) struct envelope *doc = NULL;
		struct statement s;
		int r = view_statement(v, e.id, &doc, &s, err);

		if (r < 0)
			return r;
		if (!s.final_root || strcmp(s.final_root, m->deposit.follows_id) != 0 ||
		    strcmp(s.final_bridge, m->deposit.bridge) != 0)
			continue;
		envelope_free(m->eol);
		m->eol = steal(doc);
	}
	return 0;
}

static int find_notices(const struct view *v, struct matter *m, struct error *err)
{
	struct entry e;

	for (size_t i = 0; view_entry(v, ST_NOTICE, i, &e); i++) {
		CLEANUP(envelope_freep) struct envelope *doc = NULL;
		struct statement s;
		int r = view_statement(v, e.id, &doc, &s, err);

		if (r < 0)
			return r;
		if (strcmp(s.deposit, envelope_id(m->doc)) != 0 ||
		    !deposit_signer(&m->deposit, doc))
			continue;
		if (m->nnotices == ARRAY_LEN(m->notices)) {
			envelope_free(m->notices[0]);
			m->nnotices--;
			for (size_t at = 0; at < m->nnotices; at++)
				m->notices[at] = m->notices[at + 1];
		}
		m->notices[m->nnotices++] = steal(doc);
	}
	return 0;
}

int matter_open(const struct view *v, const char *id, struct matter *out, struct error *err)
{
	CLEANUP(matter_clear) struct matter m = {0};
	int r = view_deposit(v, id, &m.doc, &m.deposit, err);

	if (r == 0)
		r = find_eol(v, &m, err);
	if (r == 0)
		r = find_notices(v, &m, err);
	if (r < 0)
		return r;
	*out = m;
	m = (struct matter){0};
	return 0;
}

void matter_clear(struct matter *m)
{
	deposit_clear(&m->deposit);
	envelope_free(m->doc);
	envelope_free(m->eol);
	for (size_t i = 0; i < m->nnotices; i++)
		envelope_free(m->notices[i]);
	*m = (struct matter){0};
}

/* What each trustee said last, in the order of the log. */
struct tally {
	const char *target;
	int64_t last[SEATS_MAX]; /* seq */
	struct votes *votes;
};

static int count_vote(const struct view *v, const struct matter *m, const struct entry *e,
		      struct tally *t, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct votes *votes = t->votes;
	const struct seat *by;
	struct statement s;
	size_t at;
	int r = view_statement(v, e->id, &doc, &s, err);

	if (r < 0)
		return r;
	by = deposit_signer(&m->deposit, doc);
	if (!by || strcmp(s.target, t->target) != 0)
		return 0;
	at = (size_t)(by - m->deposit.seats);
	if (e->seq < t->last[at])
		return 0;
	t->last[at] = e->seq;
	votes->yes &= ~(UINT64_C(1) << at);
	if (by == votes->me)
		*votes->mine = '\0';
	if (s.type != ST_APPROVAL)
		return 0;
	votes->yes |= UINT64_C(1) << at;
	if (by == votes->me)
		memcpy(votes->mine, envelope_id(doc), SHA256_HEX_SIZE);
	return 0;
}

int matter_votes(const struct view *v, const struct matter *m, const char *target, struct votes *io,
		 struct error *err)
{
	static const enum statement_type types[] = {ST_APPROVAL, ST_REFUSAL};
	struct tally t = {.target = target, .votes = io};
	struct entry e;

	io->yes = 0;
	*io->mine = '\0';
	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		for (size_t i = 0; view_entry(v, types[k], i, &e); i++) {
			int r = count_vote(v, m, &e, &t, err);

			if (r < 0)
				return r;
		}
	return 0;
}

const struct seat *matter_seat(const struct matter *m, const char *keyid)
{
	for (size_t i = 0; i < m->deposit.nseats; i++)
		if (strcmp(m->deposit.seats[i].keyid, keyid) == 0)
			return &m->deposit.seats[i];
	return NULL;
}
