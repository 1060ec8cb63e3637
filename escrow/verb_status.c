/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/lint.h"
#include "escrow/matter.h"
#include "escrow/verbs.h"
#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/sign/signer_spec.h"
#include "policies/policy.h"

enum { PRODUCTS_MAX = 16 * 1024 * 1024, WAIT_MAX_S = 3600, POLL_US = 300 * 1000 };

static int count_bits(uint64_t bits)
{
	return __builtin_popcountll(bits);
}

/* What may be said of a deposit's release today; the reasons go to *why (owned). */
static int judge(const struct view *v, const struct matter *m, const char **answer, json_t **why,
		 struct error *err)
{
	CLEANUP(evidence_clear) struct evidence e = {0};
	struct error denied = {0};
	int r = view_evidence(v, &m->deposit, &e, &denied);

	if (r == E_DENIED) {
		*answer = "void";
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "%s", denied.text);
	*answer = answer_name(e.released);
	*why = json_incref(e.why);
	return 0;
}

/* Is its bridge the root that came next? Then it has done what it is for, and is not stale. */
static bool used(const struct view *v, const struct deposit *d)
{
	return view_find_root(v, d->follows_version + 1, d->bridge) != NULL;
}

/* One deposit, as `status` tells it. */
static int describe(const struct view *v, const char *id, json_t **out, struct error *err)
{
	CLEANUP(matter_clear) struct matter m = {0};
	CLEANUP(lint_clear) struct lint lint = {0};
	CLEANUP(json_decrefp) json_t *why = NULL;
	const char *answer = NULL;
	struct votes votes = {0};
	json_t *o;
	int r = matter_open(v, id, &m, err);

	if (r == 0)
		r = lint_init(&lint, utc_now(), err);
	if (r == 0)
		r = lint_deposit(&lint, &m.deposit, used(v, &m.deposit) ? NULL : view_root(v), err);
	if (r == 0 && m.eol)
		r = matter_votes(v, &m, envelope_id(m.eol), &votes, err);
	if (r == 0)
		r = judge(v, &m, &answer, &why, err);
	if (r < 0)
		return r;
	o = json_pack("{s:s, s:I, s:b, s:b, s:I, s:I, s:I, s:s?, s:I, s:s, s:O?, s:O}", "id", id,
		      "follows_root", (json_int_t)m.deposit.follows_version, "fresh",
		      strcmp(m.deposit.follows_id, envelope_id(view_root(v)->doc)) == 0, "used",
		      used(v, &m.deposit), "threshold", (json_int_t)m.deposit.trustees.threshold,
		      "trustees", (json_int_t)m.deposit.nseats, "approvals",
		      (json_int_t)count_bits(votes.yes), "eol", m.eol ? envelope_id(m.eol) : NULL,
		      "notices", (json_int_t)m.nnotices, "released", answer, "why", why, "findings",
		      lint.findings);
	if (!o)
		return error_nomem(err);
	*out = o;
	return 0;
}

static int describe_all(const struct view *v, json_t *list, struct error *err)
{
	struct entry e;

	for (size_t i = 0; view_entry(v, ST_DEPOSIT, i, &e); i++) {
		json_t *one = NULL;
		int r = describe(v, e.id, &one, err);

		if (r < 0)
			return r;
		if (json_array_append_new(list, one) < 0)
			return error_nomem(err);
	}
	return 0;
}

static void print_deposit(const json_t *d)
{
	const json_t *f;
	size_t i;

	(void)printf("\ndeposit %s\n", json_string_value(json_object_get(d, "id")));
	(void)printf("  follows root %lld: %s\n",
		     (long long)json_integer_value(json_object_get(d, "follows_root")),
		     json_is_true(json_object_get(d, "used"))    ? "used, its bridge came next"
		     : json_is_true(json_object_get(d, "fresh")) ? "fits the newest"
								 : "not the newest");
	(void)printf("  opens with %lld of %lld trustees; approved by %lld; released: %s\n",
		     (long long)json_integer_value(json_object_get(d, "threshold")),
		     (long long)json_integer_value(json_object_get(d, "trustees")),
		     (long long)json_integer_value(json_object_get(d, "approvals")),
		     json_string_value(json_object_get(d, "released")));
	if (json_is_string(json_object_get(d, "eol")))
		(void)printf("  end of life declared: %s\n",
			     json_string_value(json_object_get(d, "eol")));
	json_array_foreach(json_object_get(d, "findings"), i, f)
	{
		(void)printf("  %s: ", json_string_value(json_object_get(f, "level")));
		log_escaped(stdout, json_string_value(json_object_get(f, "text")));
		(void)putchar('\n');
	}
}

static int report(const struct cli_call *call, const struct view *v, json_t *deposits,
		  struct error *err)
{
	const struct tuf_root *root = view_root(v);
	const char *state = json_string_value(json_object_get(v->index, "state"));
	struct publisher p;
	char expires[UTC_SIZE];
	const json_t *d;
	size_t i;
	int r = publisher_read(root, "root", &p, err);

	if (r < 0)
		return r;
	utc_format(root->expires, expires);
	if (call->json)
		return json_print(
			json_pack("{s:b, s:s, s:s?, s:{s:s, s:s, s:s}, s:I, s:s, s:s, s:O}", "ok",
				  1, "product", v->product, "state", state, "publisher", "id", p.id,
				  "name", p.name, "kind", publisher_kind_name(p.kind),
				  "root_version", (json_int_t)root->version, "root",
				  envelope_id(root->doc), "expires", expires, "deposits", deposits),
			err);
	(void)printf("%s: ", v->product);
	log_escaped(stdout, state ? state : "state unknown");
	(void)printf("\npublisher: ");
	log_escaped(stdout, p.name);
	(void)printf(" (%s)\nroot: version %lld, expires %s\n", publisher_kind_name(p.kind),
		     (long long)root->version, expires);
	if (!json_array_size(deposits))
		(void)printf("\nno deposit: nobody could carry on\n");
	json_array_foreach(deposits, i, d) print_deposit(d);
	return 0;
}

struct status_options {
	struct common common;
	int64_t wait_open_s;
};

static const struct cli_option status_options[] = {
	OPT_PRODUCT(struct status_options, CLI_NEED),
	OPT_REGISTRY(struct status_options, CLI_NEED),
	OPT_ALLOW_HTTP(struct status_options),
	OPT_ROOT(struct status_options, CLI_OPT),
	CLI_RANGE(struct status_options, wait_open_s, 0, WAIT_MAX_S, "wait-open", "SECONDS",
		  "wait until the newest deposit is open"),
	{0},
};

/* Is the newest deposit open? By the index: what is in it is checked by whoever uses it. */
static bool newest_is_open(const struct view *v)
{
	const json_t *list = json_object_get(v->index, "deposits");
	const json_t *last = json_array_get(list, json_array_size(list) - 1);
	const char *state = json_string_value(json_object_get(last, "state"));

	return state && strcmp(state, "open") == 0;
}

/* Fetch the product anew until its deposit is open, or the time is up. */
static int wait_open(const struct desk *d, const struct status_options *o, struct view *v,
		     struct error *err)
{
	int64_t until = utc_now() + o->wait_open_s;
	int r = view_open(d, &o->common, v, err);

	while (r == 0 && o->wait_open_s && !newest_is_open(v)) {
		if (utc_now() >= until)
			return error_set(err, E_NOTYET, "%s: its deposit is not open yet",
					 o->common.product);
		(void)usleep(POLL_US);
		view_close(v);
		*v = (struct view){0};
		r = view_open(d, &o->common, v, err);
	}
	return r;
}

static int run_status(const struct cli_call *call, struct error *err)
{
	const struct status_options *o = call->opt;
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(view_close) struct view v = {0};
	CLEANUP(json_decrefp) json_t *deposits = json_array();
	int r = deposits ? desk_open(&o->common, &d, err) : error_nomem(err);

	if (r == 0)
		r = wait_open(&d, o, &v, err);
	if (r == 0)
		r = describe_all(&v, deposits, err);
	return r < 0 ? r : report(call, &v, deposits, err);
}

const struct cli_verb escrow_status = {
	.name = "status",
	.help = "a product's escrow: who publishes, which deposits, fresh or stale, released or not",
	.options = status_options,
	.size = sizeof(struct status_options),
	.run = run_status,
};

static const struct cli_option inbox_options[] = {
	OPT_PRODUCT(struct common_only, CLI_OPT),
	OPT_REGISTRY(struct common_only, CLI_NEED),
	OPT_ALLOW_HTTP(struct common_only),
	OPT_ROOT(struct common_only, CLI_OPT),
	OPT_KEYS(struct common_only, CLI_NEED),
	OPT_HOME(struct common_only),
	{0},
};

static int add_task(json_t *list, const struct view *v, const struct matter *m, const char *verb,
		    const struct envelope *about, struct error *err)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "product", v->product, "deposit",
			      envelope_id(m->doc), "do", verb, "about",
			      about ? envelope_type(about) : NULL, "id",
			      about ? envelope_id(about) : NULL);

	return json_array_append_new(list, o) < 0 ? error_nomem(err) : 0;
}

/* An eol or a notice that I have not approved. */
static int ask_vote(const struct view *v, const struct matter *m, const struct envelope *about,
		    const struct seat *seat, json_t *list, struct error *err)
{
	struct votes votes = {.me = seat};
	int r = matter_votes(v, m, envelope_id(about), &votes, err);

	if (r < 0 || *votes.mine)
		return r;
	return add_task(list, v, m, "approve or refuse", about, err);
}

static int tasks_of(const struct view *v, const char *deposit, const char *keyid, json_t *list,
		    struct error *err)
{
	CLEANUP(matter_clear) struct matter m = {0};
	CLEANUP(json_decrefp) json_t *why = NULL;
	const char *answer = NULL;
	const struct seat *seat;
	int r = matter_open(v, deposit, &m, err);

	if (r < 0)
		return r;
	seat = matter_seat(&m, keyid);
	if (!seat)
		return 0;
	r = judge(v, &m, &answer, &why, err);
	if (r < 0 || strcmp(answer, "void") == 0)
		return r;
	if (strcmp(answer, answer_name(ANSWER_YES)) == 0)
		return add_task(list, v, &m, "share", NULL, err);
	if (m.eol)
		r = ask_vote(v, &m, m.eol, seat, list, err);
	for (size_t i = 0; r == 0 && i < m.nnotices; i++)
		r = ask_vote(v, &m, m.notices[i], seat, list, err);
	return r;
}

static int tasks_of_product(const struct desk *d, const struct common *c, const char *product,
			    const char *keyid, json_t *list, struct error *err)
{
	struct common one = *c;
	CLEANUP(view_close) struct view v = {0};
	struct entry e;
	int r;

	one.product = product;
	r = view_open(d, &one, &v, err);
	for (size_t i = 0; r == 0 && view_entry(&v, ST_DEPOSIT, i, &e); i++)
		r = tasks_of(&v, e.id, keyid, list, err);
	return r;
}

static int tasks_of_all(const struct desk *d, const struct common *c, const char *keyid,
			json_t *list, struct error *err)
{
	CLEANUP(json_decrefp) json_t *index = NULL;
	const json_t *one;
	size_t i;
	int r = desk_get_json(d, "products.json", PRODUCTS_MAX, &index, err);

	json_array_foreach(json_object_get(index, "products"), i, one)
	{
		const char *id = json_string_value(json_object_get(one, "id"));

		if (r == 0 && product_id_ok(id))
			r = tasks_of_product(d, c, id, keyid, list, err);
	}
	return r;
}

static int run_inbox(const struct cli_call *call, struct error *err)
{
	const struct common_only *o = call->opt;
	const struct common *c = &o->common;
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(signer_freep) struct signer *s = NULL;
	CLEANUP(json_decrefp) json_t *list = json_array();
	const json_t *task;
	const char *keyid;
	size_t i;
	int r = list ? signer_open_spec(c->keys.items[0], c->gnupg_home, &s, err)
		     : error_nomem(err);

	if (r == 0)
		r = desk_open(c, &d, err);
	if (r < 0)
		return r;
	keyid = key_id(signer_key(s));
	r = c->product ? tasks_of_product(&d, c, c->product, keyid, list, err)
		       : tasks_of_all(&d, c, keyid, list, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:O}", "ok", 1, "tasks", list), err);
	if (!json_array_size(list))
		(void)puts("nothing waits for you");
	json_array_foreach(list, i, task)
	{
		const char *id = json_string_value(json_object_get(task, "id"));

		(void)printf("%s: deposit %s: %s%s%s\n",
			     json_string_value(json_object_get(task, "product")),
			     json_string_value(json_object_get(task, "deposit")),
			     json_string_value(json_object_get(task, "do")), id ? ": " : "",
			     id ? id : "");
	}
	return 0;
}

const struct cli_verb escrow_inbox = {
	.name = "inbox",
	.help = "what waits for me, a trustee",
	.options = inbox_options,
	.size = sizeof(struct common_only),
	.run = run_inbox,
};
