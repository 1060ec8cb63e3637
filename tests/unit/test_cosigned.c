/* SPDX-License-Identifier: Apache-2.0 */
/* A registry whose log has witnesses, without any socket: what is shown when, and its settings. */
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "registry/internal.h"
#include "registry/log/cosign.h"
#include "registry/log/sequencer.h"
#include "registry/tree/outbox.h"
#include "tests/support/logbox.h"
#include "tests/support/town.h"
#include "tests/unit/unit.h"

enum { ARRAY = 64, BACKLOG = 7 * ARRAY }; /* more proofs than one job writes */

struct place {
	struct town *t;
	struct paper root;
	struct note_key key;
	unsigned char seed[32];
	char *vkey;
	int64_t beats;
};

/* Edit config.json between two runs. `drop`: the witness goes. */
static void configure(struct place *p, size_t threshold, bool drop)
{
	CLEANUP(freep) struct config *c = calloc(1, sizeof(*c));
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(closep) int dir = -1;

	registry_close(p->t->r);
	p->t->r = NULL;
	assert_int_equal(file_open_dir(AT_FDCWD, p->t->dir, false, &dir, NULL), 0);
	assert_int_equal(config_load(dir, c, NULL), 0);
	assert_int_equal(buf_printf(&text, NULL, "%s=http://127.0.0.1:9/", p->vkey), 0);
	if (drop)
		assert_int_equal(config_drop_witness(c, p->key.name, NULL), 0);
	else if (!c->nwitnesses)
		assert_int_equal(config_add_witness(c, text.data, NULL), 0);
	assert_int_equal(config_set_threshold(c, threshold, NULL), 0);
	assert_int_equal(config_save(dir, c, NULL), 0);
	assert_int_equal(town_reopen(p->t, NULL), 0);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->t = town_new(true);
	logbox_key(9, "wit.example", NOTE_COSIGNATURE, p->seed, &p->key);
	p->vkey = logbox_vkey(&p->key);
	configure(p, 1, false);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	paper_clear(&p->root);
	town_free(p->t);
	free(p->vkey);
	free(p);
	return 0;
}

static json_t *post(struct place *p, struct paper *papers, size_t n)
{
	json_t *reply = NULL;
	struct error err = {0};

	if (town_post(p->t, papers, n, &reply, &err) < 0)
		fail_msg("%s", err.text);
	return reply;
}

/* Root 1, and what the registry says of it. */
static json_t *settle(struct place *p)
{
	struct paper root;

	p->root = town_root(p->t, 1, "vendor");
	root = paper_copy(&p->root);
	return post(p, &root, 1);
}

static json_t *beat(struct place *p, size_t n)
{
	struct paper papers[ARRAY];

	for (size_t i = 0; i < n; i++)
		papers[i] = town_statement(p->t, "heartbeat", ++p->beats, &p->root);
	return post(p, papers, n);
}

static const json_t *member(const json_t *reply, size_t i, const char *name)
{
	return json_object_get(json_array_get(json_object_get(reply, "documents"), i), name);
}

/* The latest checkpoint that was signed, cosigned. */
struct cosigned {
	struct place *p;
	uint64_t size;
	struct buf note;
	bool more;
};

static int load(struct work *w, void *arg, struct error *err)
{
	struct cosigned *c = arg;

	return store_checkpoint(w->store, &c->size, &c->note, err);
}

static int show(struct work *w, void *arg, struct error *err)
{
	struct cosigned *c = arg;

	return log_publish(w, c->size, &c->note, &c->more, err);
}

static void cosign(struct place *p, struct cosigned *c)
{
	CLEANUP(buf_clear) struct buf text = {0};
	size_t len;

	*c = (struct cosigned){.p = p};
	assert_int_equal(registry_read(p->t->r, load, c, NULL), 0);
	len = (size_t)(strstr(c->note.data, "\n\n") - c->note.data) + 1;
	assert_int_equal(buf_add(&text, c->note.data, len, NULL), 0);
	assert_int_equal(note_sign_line(&p->key, p->seed, &text, utc_now(), &c->note, NULL), 0);
}

static void cosigned_clear(struct cosigned *c)
{
	buf_clear(&c->note);
}

static char *proof_of(struct place *p, const char *id)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "p/%s/proofs/%s.tlog-proof", TOWN_PRODUCT, id);
	return town_read(p->t, path);
}

static void nothing_is_shown_before_it_is_cosigned(void **state)
{
	struct place *p = *state;
	CLEANUP(cosigned_clear) struct cosigned c;
	CLEANUP(json_decrefp) json_t *reply = settle(p);
	CLEANUP(json_decrefp) json_t *later = NULL;
	CLEANUP(freep) char *before = NULL;
	CLEANUP(freep) char *none = NULL;
	CLEANUP(freep) char *proof = NULL;
	CLEANUP(freep) char *shown = NULL;
	const char *id = json_string_value(member(reply, 0, "id"));

	assert_string_equal(json_string_value(member(reply, 0, "state")), "published");
	assert_true(json_is_null(member(reply, 0, "proof")));
	assert_int_equal(json_integer_value(member(reply, 0, "log_index")), 0);
	before = town_read(p->t, LOG_CHECKPOINT);
	none = proof_of(p, id);
	assert_null(none);
	if (before) /* of the empty log, from before it had witnesses */
		assert_non_null(strstr(before, "\n0\n"));

	cosign(p, &c);
	assert_int_equal(registry_work(p->t->r, show, &c, NULL), 0);
	assert_false(c.more);
	shown = town_read(p->t, LOG_CHECKPOINT);
	assert_string_equal(shown, c.note.data);
	proof = proof_of(p, id);
	assert_non_null(strstr(proof, "\xe2\x80\x94 wit.example "));
	assert_int_equal(registry_document(p->t->r, id, &later, NULL), 0);
	assert_non_null(strstr(json_string_value(json_object_get(later, "proof")), id));
}

static void an_older_checkpoint_is_not_shown_again(void **state)
{
	struct place *p = *state;
	CLEANUP(json_decrefp) json_t *first = settle(p);
	CLEANUP(cosigned_clear) struct cosigned old;
	CLEANUP(cosigned_clear) struct cosigned now;
	CLEANUP(freep) char *shown = NULL;

	cosign(p, &old);
	json_decref(beat(p, 1));
	cosign(p, &now);
	assert_int_equal(registry_work(p->t->r, show, &now, NULL), 0);
	assert_int_equal(registry_work(p->t->r, show, &old, NULL), 0);
	shown = town_read(p->t, LOG_CHECKPOINT);
	assert_string_equal(shown, now.note.data);
}

/* A later line changes the checkpoint, and no proof: those are for ever. */
static void lines_that_come_later_leave_proofs_alone(void **state)
{
	struct place *p = *state;
	CLEANUP(json_decrefp) json_t *reply = settle(p);
	CLEANUP(cosigned_clear) struct cosigned c;
	CLEANUP(freep) char *before = NULL;
	CLEANUP(freep) char *after = NULL;
	CLEANUP(freep) char *shown = NULL;
	const char *id = json_string_value(member(reply, 0, "id"));

	cosign(p, &c);
	assert_int_equal(registry_work(p->t->r, show, &c, NULL), 0);
	before = proof_of(p, id);
	assert_int_equal(buf_puts(&c.note, "\xe2\x80\x94 late.example AAAAAAAA\n", NULL), 0);
	assert_int_equal(registry_work(p->t->r, show, &c, NULL), 0);
	after = proof_of(p, id);
	shown = town_read(p->t, LOG_CHECKPOINT);
	assert_non_null(strstr(shown, "late.example"));
	assert_string_equal(before, after);
}

static void assert_sound(struct place *p)
{
	CLEANUP(json_decrefp) json_t *report = NULL;
	struct error err = {0};

	if (registry_fsck(p->t->r, false, &report, &err) < 0)
		fail_msg("%s", json_dumps(report, JSON_INDENT(1)));
}

static void a_backlog_is_proved_in_parts_and_after_a_restart(void **state)
{
	struct place *p = *state;
	CLEANUP(json_decrefp) json_t *first = settle(p);
	CLEANUP(cosigned_clear) struct cosigned c;
	CLEANUP(freep) char *last = NULL;
	CLEANUP(freep) char *none = NULL;
	char id[SHA256_HEX_SIZE] = "";

	for (size_t i = 0; i < BACKLOG / ARRAY; i++) {
		CLEANUP(json_decrefp) json_t *reply = beat(p, ARRAY);

		(void)snprintf(id, sizeof(id), "%s",
			       json_string_value(member(reply, ARRAY - 1, "id")));
	}
	cosign(p, &c);
	assert_int_equal(c.size, BACKLOG + 1);
	assert_int_equal(registry_work(p->t->r, show, &c, NULL), 0);
	assert_true(c.more);
	none = proof_of(p, id);
	assert_null(none);
	assert_sound(p);
	assert_int_equal(town_reopen(p->t, NULL), 0); /* as if it had been killed in between */
	last = proof_of(p, id);
	assert_non_null(strstr(last, "\xe2\x80\x94 wit.example "));
	assert_sound(p);
}

static void who_asks_no_witness_any_more_shows_all(void **state)
{
	struct place *p = *state;
	CLEANUP(json_decrefp) json_t *reply = settle(p);
	CLEANUP(freep) char *proof = NULL;
	CLEANUP(freep) char *shown = NULL;
	CLEANUP(json_decrefp) json_t *record = NULL;

	configure(p, 0, true);
	proof = proof_of(p, json_string_value(member(reply, 0, "id")));
	assert_non_null(proof);
	shown = town_read(p->t, LOG_CHECKPOINT);
	assert_non_null(strstr(shown, "\n1\n"));
	record = town_json(p->t, "registry.json");
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(json_object_get(record, "signed"), "witnesses"),
				 "threshold")),
			 0);
	assert_sound(p);
}

/* They are asked, but nobody waits: a cosigned checkpoint is not replaced by a bare one. */
static void a_threshold_of_zero_waits_for_nobody(void **state)
{
	struct place *p = *state;
	CLEANUP(json_decrefp) json_t *reply = settle(p);
	CLEANUP(cosigned_clear) struct cosigned c;
	CLEANUP(json_decrefp) json_t *next = NULL;
	CLEANUP(freep) char *kept = NULL;
	CLEANUP(freep) char *shown = NULL;

	cosign(p, &c);
	assert_int_equal(registry_work(p->t->r, show, &c, NULL), 0);
	configure(p, 0, false);
	kept = town_read(p->t, LOG_CHECKPOINT);
	assert_string_equal(kept, c.note.data);
	next = beat(p, 1);
	assert_true(json_is_string(member(next, 0, "proof")));
	shown = town_read(p->t, LOG_CHECKPOINT);
	assert_non_null(strstr(shown, "\n2\n"));
}

static void the_record_names_them(void **state)
{
	struct place *p = *state;
	CLEANUP(json_decrefp) json_t *record = town_json(p->t, "registry.json");
	const json_t *who = json_object_get(json_object_get(record, "signed"), "witnesses");

	assert_string_equal(json_string_value(json_array_get(json_object_get(who, "keys"), 0)),
			    p->vkey);
	assert_int_equal(json_integer_value(json_object_get(who, "threshold")), 1);
}

static void a_forked_log_takes_nothing_and_is_read(void **state)
{
	struct place *p = *state;
	CLEANUP(json_decrefp) json_t *reply = settle(p);
	CLEANUP(json_decrefp) json_t *product = NULL;
	struct paper next = town_statement(p->t, "heartbeat", 1, &p->root);
	struct error err = {0};

	(void)snprintf(p->t->r->forked, sizeof(p->t->r->forked), "why");
	assert_error(town_post(p->t, &next, 1, NULL, &err), E_BUSY, &err, "the log is closed: why");
	assert_int_equal(registry_product(p->t->r, TOWN_PRODUCT, &product, NULL), 0);
	assert_int_equal(registry_tick(p->t->r, utc_now() + 20 * 3600, NULL), 0);
}

static void nobody_waits_where_nobody_asks(void **state)
{
	struct place *p = *state;
	struct cosign *c = NULL;

	assert_false(cosign_await(p->t->r, 1));
	configure(p, 0, true);
	assert_int_equal(cosign_start(p->t->r, &c, NULL), 0);
	assert_null(c);
}

/* --- config.json --- */

#define KEY_A "wit-1.example+991bdd91+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
#define KEY_B "wit-2.example+346d7f91+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR"
#define LOG_KEY "log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
#define ONE(vkey, url) "{\"vkey\":\"" vkey "\",\"url\":\"" url "\"}"

static void settings_are_judged(void **state)
{
	static const struct {
		const char *witnesses, *complaint;
	} bad[] = {
		{"[]", "witnesses: want an object"},
		{"{\"keys\":[]}", "witnesses.threshold: missing"},
		{"{\"threshold\":0}", "witnesses.keys: missing"},
		{"{\"keys\":[],\"threshold\":0,\"more\":1}", "more"},
		{"{\"keys\":[],\"threshold\":1}", "want 0 to 0, got 1"},
		{"{\"keys\":[],\"threshold\":-1}", "witnesses.threshold: want 0 to 32"},
		{"{\"keys\":[1],\"threshold\":0}", "witnesses.keys"},
		{"{\"keys\":[{\"vkey\":\"x\"}],\"threshold\":0}", "url: missing"},
		{"{\"keys\":[" ONE("x", "http://x") "],\"threshold\":0}", "verifier key"},
		{"{\"keys\":[" ONE(LOG_KEY, "http://x") "],\"threshold\":0}", "of type 1, want 4"},
		{"{\"keys\":[" ONE(KEY_A, "ftp://x") "],\"threshold\":0}", "want an http or https"},
		{"{\"keys\":[" ONE(KEY_A, "file:///x") "],\"threshold\":0}", "want an http or"},
		{"{\"keys\":[" ONE(KEY_A, "http://x") "," ONE(KEY_A, "http://y") "],"
										 "\"threshold\":1}",
		 "is there twice"},
		{"{\"keys\":[" ONE(KEY_A, "http://x") "],\"threshold\":2}", "want 0 to 1, got 2"},
	};
	struct place *p = *state;
	CLEANUP(freep) char *path = NULL;

	registry_close(p->t->r);
	p->t->r = NULL;
	assert_true(asprintf(&path, "%s/config.json", p->t->dir) > 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf text = {0};
		struct error err = {0};

		assert_int_equal(buf_printf(&text, NULL,
					    "{\"name\":\"x\",\"origin\":\"town.example/log\","
					    "\"admission\":\"open\",\"witnesses\":%s}",
					    bad[i].witnesses),
				 0);
		assert_int_equal(file_write(AT_FDCWD, path, text.data, text.len, 0644, NULL), 0);
		assert_error(town_reopen(p->t, &err), E_USAGE, &err, bad[i].complaint);
		assert_non_null(strstr(err.text, "config.json: "));
	}
}

static void settings_are_edited_by_name(void **state)
{
	CLEANUP(freep) struct config *c = calloc(1, sizeof(*c));
	struct error err = {0};

	(void)state;
	(void)snprintf(c->origin, sizeof(c->origin), "wit-2.example");
	assert_int_equal(config_add_witness(c, KEY_A "=https://x/=a", NULL), 0);
	assert_string_equal(c->witnesses[0].url, "https://x/=a");
	assert_error(config_add_witness(c, KEY_A, &err), E_USAGE, &err, "want VKEY=URL");
	assert_error(config_add_witness(c, KEY_A "=http://y", &err), E_USAGE, &err, "twice");
	assert_error(config_add_witness(c, KEY_B "=http://y", &err), E_USAGE, &err,
		     "has the log's name");
	assert_error(config_drop_witness(c, "wit-3.example", &err), E_USAGE, &err, "there is none");
	assert_int_equal(config_drop_witness(c, "wit-1.example", NULL), 0);
	assert_int_equal(c->nwitnesses, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(nothing_is_shown_before_it_is_cosigned),
		T(an_older_checkpoint_is_not_shown_again),
		T(lines_that_come_later_leave_proofs_alone),
		T(a_backlog_is_proved_in_parts_and_after_a_restart),
		T(who_asks_no_witness_any_more_shows_all),
		T(a_threshold_of_zero_waits_for_nobody),
		T(the_record_names_them),
		T(a_forked_log_takes_nothing_and_is_read),
		T(nobody_waits_where_nobody_asks),
		T(settings_are_judged),
		cmocka_unit_test(settings_are_edited_by_name),
	};

	return cmocka_run_group_tests_name("cosigned", tests, NULL, NULL);
}
