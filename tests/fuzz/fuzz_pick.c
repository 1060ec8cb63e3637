/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `targets` of a publisher, signed as it is, on a device that runs 1.0.0: whatever
 * it says, what is chosen is for this hardware, newer, and fetched from below targets/.
 *
 * covers: client/pick.c lib/base/version.c
 */
#include <assert.h>
#include <string.h>

#include "client/pick.h"
#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/toy.h"
#include "tests/support/tuf_sim.h"

#define INSTALLED "1.0.0"

/* Made once; an input changes only what is said of targets. */
static struct tuf_sim *publisher(void)
{
	static struct tuf_sim *s;

	if (s)
		return s;
	toy_reset();
	s = sim_new();
	s->write = toy_document;
	(void)json_object_set_new(sim_role(s, "root")->body, "x-bequest",
				  json_pack("{s:{s:s, s:s, s:s}, s:[], s:{s:[], s:i}}", "publisher",
					    "id", "acme", "name", "Acme", "kind", "vendor", "logs",
					    "witnesses", "keys", "threshold", 0));
	sim_bump(s, "root");
	return s;
}

static void device(const struct tuf_sim *s, struct device *out)
{
	static struct tuf_root *root;
	const struct sim_file *file = sim_remote((struct tuf_sim *)(uintptr_t)s, "2.root.json");
	struct slot_record *now = &out->st.slot[SLOT_A];
	struct error err;

	*out = DEVICE_NONE;
	out->conf.hardware = "x1";
	out->conf.backend = "ab-image";
	out->clock = s->now;
	now->status = SLOT_GOOD;
	memcpy(now->version, INSTALLED, sizeof(INSTALLED));
	memset(now->sha256, '1', SHA256_HEX);
	if (!root && tuf_root_parse(file->bytes.data, file->bytes.len, "root", &root, &err) < 0)
		abort();
	out->root = root;
}

/* The metadata as the device has it after a refresh; false: it does not take it. */
static bool refresh(struct tuf_sim *s, json_t *targets, struct session *out)
{
	const struct sim_file *root = sim_remote(s, "2.root.json");
	const struct tuf_options o = {.now = s->now};
	const struct tuf_io io = sim_io(s);
	struct error err;

	if (json_object_set(sim_role(s, "targets")->body, "targets", targets) < 0)
		abort();
	sim_publish(s, "targets");
	sim_publish(s, "snapshot");
	sim_publish(s, "timestamp");
	while (s->local.n)
		sim_forget(&s->local, s->local.list[0].name);
	sim_put(&s->local, "root.json", root->bytes.data, root->bytes.len);
	(void)sim_requests(s);
	return tuf_open(&io, &o, &out->tuf, &err) == 0 && tuf_refresh(out->tuf, &err) == 0;
}

/* Does a path have a component that leads up? */
static bool leads_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "/..")); at += strlen("/.."))
		if (at[strlen("/..")] == '/' || at[strlen("/..")] == '\0')
			return true;
	return false;
}

static void check(const struct pick *p, json_t *targets)
{
	json_t *entry = json_object_get(targets, p->name);
	json_t *says = json_object_get(json_object_get(entry, "custom"), "bequest");
	const char *version = json_string_value(json_object_get(says, "version"));

	/* Quoted, it may be longer than a path can be; but it goes down only. */
	assert(strncmp(p->url, "targets/", strlen("targets/")) == 0 && !leads_up(p->url));
	if (!entry) /* a name that is too long to be shown */
		return;
	assert((int64_t)p->image.size == json_integer_value(json_object_get(entry, "length")));
	assert(version_ok(version) && strcmp(version, p->image.record.version) == 0);
	assert(p->listed || version_compare(version, INSTALLED) > 0);
	assert(!json_is_true(json_object_get(says, "recall")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tuf_sim *s = publisher();
	CLEANUP(json_decrefp) json_t *targets = NULL;
	struct session session = {0};
	struct pick p = {0};
	struct device d;
	struct error err;

	if (strict_parse(data, size, "targets", &targets, NULL) < 0 || !json_is_object(targets))
		return 0;
	device(s, &d);
	if (refresh(s, targets, &session) && pick_image(&d, &session, &p, &err) == 0 && p.found)
		check(&p, targets);
	pick_clear(&p);
	tuf_close(session.tuf);
	return 0;
}
