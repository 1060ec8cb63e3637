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
			memmove(m->notices, m->notices + 1,
				sizeof(m->notices) - sizeof(m->notices[0]));
			m->nnotices--;
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

int matter_votes(const struct view *v, const struct matter *m, const char *target,
		 const struct seat *seat, char *mine, uint64_t *out, struct error *err)
{
	static const enum statement_type types[] = {ST_APPROVAL, ST_REFUSAL};
	int64_t last[SEATS_MAX] = {0}; /* seq of each seat's last word */
	uint64_t yes = 0;
	struct entry e;

	if (mine)
		*mine = '\0';
	for (size_t t = 0; t < ARRAY_LEN(types); t++)
		for (size_t i = 0; view_entry(v, types[t], i, &e); i++) {
			CLEANUP(envelope_freep) struct envelope *doc = NULL;
			const struct seat *by;
			struct statement s;
			int r = view_statement(v, e.id, &doc, &s, err);

			if (r < 0)
				return r;
			if (strcmp(s.target, target) != 0)
				continue;
			by = deposit_signer(&m->deposit, doc);
			if (!by)
				continue;
			size_t at = (size_t)(by - m->deposit.seats);
			if (e.seq < last[at])
				continue;
			last[at] = e.seq;
			yes &= ~(UINT64_C(1) << at);
			if (types[t] == ST_APPROVAL)
				yes |= UINT64_C(1) << at;
			if (mine && by == seat)
				memcpy(mine, types[t] == ST_APPROVAL ? envelope_id(doc) : "",
				       types[t] == ST_APPROVAL ? SHA256_HEX_SIZE : 1);
		}
	*out = yes;
	return 0;
}

const struct seat *matter_seat(const struct matter *m, const char *keyid)
{
	for (size_t i = 0; i < m->deposit.nseats; i++)
		if (strcmp(m->deposit.seats[i].keyid, keyid) == 0)
			return &m->deposit.seats[i];
	return NULL;
}
