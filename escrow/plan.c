/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/plan.h"

static void holder_clear(struct holder *h)
{
	free(h->name);
	buf_clear(&h->cert);
	json_decref(h->key);
}

void plan_clear(struct plan *p)
{
	tuf_root_free(p->root);
	tuf_root_free(p->bridge);
	for (size_t i = 0; i < SEATS_MAX; i++)
		holder_clear(&p->seats[i]);
	holder_clear(&p->vendor);
	holder_clear(&p->beneficiary);
	json_decref(p->refs);
	json_decref(p->policy);
	for (size_t k = 0; k < COMPARTMENTS; k++) {
		items_clear(&p->items[k]);
		for (size_t i = 0; i < SEATS_MAX; i++)
			json_decref(p->sealed[k].drills[i]);
	}
	memset(p, 0, sizeof(*p));
}

bool plan_has(const struct plan *p, enum compartment_kind k)
{
	return k == COMPARTMENT_PUBLIC || p->items[k].n > 0;
}
