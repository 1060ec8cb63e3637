/* SPDX-License-Identifier: Apache-2.0 */
/* init: a factory, or an owner, does this once. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "client/verbs.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/print.h"

enum { CONF_MODE = 0644 };

const struct cli_option verb_init_options[] = {
	CLI_OPT(struct init_options, config, CLI_TEXT, "config", "FILE",
		"configuration (default " CONF_DEFAULT_FILE "); made if it is not there"),
	CLI_OPT(struct init_options, root, CLI_TEXT, "root", "FILE",
		"the publisher's root.json, kept as the factory root"),
	CLI_OPT(struct init_options, product, CLI_TEXT, "product", "ID", "the product"),
	CLI_OPT(struct init_options, urls, CLI_LIST, "url", "URL", "a mirror; may repeat"),
	CLI_OPT(struct init_options, hardware, CLI_TEXT, "hardware", "ID",
		"what this device is, such as vendor,model"),
	CLI_OPT(struct init_options, installed, CLI_TEXT, "installed", "VERSION",
		"the version in the running slot"),
	{0},
};

/* A configuration from the command line alone, with the usual names for files. */
static int make_conf(const struct init_options *o, const char *path, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(conf_clear) struct conf check = {.dir = -1};
	int r;

	if (!o->product || !o->hardware || !o->urls.n)
		return error_set(err, E_USAGE,
				 "%s: is missing, and to make it --product, --hardware and --url "
				 "are needed",
				 path);
	r = buf_printf(&text, err,
		       "product = %s\nhardware = %s\nslot-a = slot-a.img\nslot-b = slot-b.img\n"
		       "boot-env = boot.env\n",
		       o->product, o->hardware);
	for (size_t i = 0; r == 0 && i < o->urls.n; i++)
		r = buf_printf(&text, err, "url = %s\n", o->urls.items[i]);
	if (r == 0) /* what the options say may be no value that a file can hold */
		r = conf_parse(text.data, text.len, path, &check, err);
	return r == 0 ? file_write(AT_FDCWD, path, text.data, text.len, CONF_MODE, err) : r;
}

/* Options that say other than the configuration are a mistake. */
static int check_conf(const struct init_options *o, const struct conf *c, struct error *err)
{
	if (o->product && strcmp(o->product, c->product) != 0)
		return error_set(err, E_USAGE, "--product: the configuration says %s", c->product);
	if (o->hardware && strcmp(o->hardware, c->hardware) != 0)
		return error_set(err, E_USAGE, "--hardware: the configuration says %s",
				 c->hardware);
	for (size_t i = 0; i < o->urls.n; i++) {
		bool there = false;

		for (size_t j = 0; j < c->nurls; j++)
			there = there || strcmp(o->urls.items[i], c->urls[j]) == 0;
		if (!there)
			return error_set(err, E_USAGE, "--url: the configuration has no %s",
					 o->urls.items[i]);
	}
	if (o->installed && !version_ok(o->installed))
		return error_set(err, E_USAGE, "--installed: %s is no version", o->installed);
	return 0;
}

static int check_new(const struct conf *c, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "%s/state.json", c->state);

	if (r == 0 && file_exists(c->dir, path.data))
		r = error_set(err, E_EXISTS, "%s: this device is initialised already", path.data);
	return r;
}

/* Is what was given the same as what is there? */
static int keep_root(const struct init_options *o, const struct conf *c, struct error *err)
{
	CLEANUP(buf_clear) struct buf given = {0};
	CLEANUP(buf_clear) struct buf there = {0};
	int r = file_read(AT_FDCWD, o->root, TUF_ROOT_MAX, &given, err);

	if (r < 0)
		return r == E_NOTFOUND
			       ? error_set(err, E_USAGE, "--root: %s: is not there", o->root)
			       : r;
	r = file_read(c->dir, c->factory_root, TUF_ROOT_MAX, &there, err);
	if (r == E_NOTFOUND)
		return file_copy(AT_FDCWD, o->root, c->dir, c->factory_root, CONF_MODE, err);
	if (r == 0 && (given.len != there.len || memcmp(given.data, there.data, given.len) != 0))
		return error_set(err, E_EXISTS, "%s: is there already, and another one",
				 c->factory_root);
	return r;
}

static int make_bootenv(const struct conf *c, struct error *err)
{
	CLEANUP(bootenv_clear) struct bootenv e = {0};

	if (file_exists(c->dir, c->boot_env))
		return 0;
	bootenv_init(&e, c->boot_tries);
	bootenv_drop(&e, SLOT_B); /* nobody has put anything there */
	e.booted = SLOT_A;
	return bootenv_save(&e, c->dir, c->boot_env, err);
}

static int prepare(const struct init_options *o, const char *path, struct error *err)
{
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	int r = file_exists(AT_FDCWD, path) ? 0 : make_conf(o, path, err);

	if (r == 0)
		r = conf_load(path, &c, err);
	if (r == 0)
		r = check_conf(o, &c, err);
	if (r == 0)
		r = check_new(&c, err);
	if (r == 0 && o->root)
		r = keep_root(o, &c, err);
	return r == 0 ? make_bootenv(&c, err) : r;
}

/* What the factory put into the running slot. */
static int record_slot(struct device *d, const char *version, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	struct slot_record *s = &d->st.slot[d->boot.running];
	uint64_t size;
	int r = who ? publisher_read(d->root, "root.json", who, err) : error_nomem(err);

	if (r == 0)
		r = backend_size(d->backend, d->boot.running, &size, err);
	if (r == 0)
		r = image_digest(d->backend, d->boot.running, size, s->sha256, err);
	if (r != 0)
		return r;
	s->status = SLOT_GOOD;
	s->size = (int64_t)size;
	(void)snprintf(s->publisher, sizeof(s->publisher), "%s", who->id);
	if (version)
		(void)snprintf(s->version, sizeof(s->version), "%s", version);
	return 0;
}

int verb_init(const struct cli_call *call, struct error *err)
{
	const struct init_options *o = call->opt;
	const char *path = o->config ? o->config : CONF_DEFAULT_FILE;
	CLEANUP(device_close) struct device d = DEVICE_NONE;
	int r = prepare(o, path, err);

	if (r == 0)
		r = device_open(path, DEVICE_CHANGE, &d, err);
	if (r == 0)
		r = record_slot(&d, o->installed, err);
	if (r != 0)
		return r;
	r = device_note(&d, "init", err, "factory root %" PRId64 ", %s", d.root->version,
			envelope_id(d.root->doc));
	if (r == 0)
		r = verb_end(&d, "init", 0, err);
	if (r != 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:I, s:s}", "ok", 1, "product",
					    d.conf.product, "root_version",
					    (json_int_t)d.root->version, "root",
					    envelope_id(d.root->doc)),
				  err);
	(void)printf("%s: root %" PRId64 " is trusted, id %s\n", d.conf.product, d.root->version,
		     envelope_id(d.root->doc));
	return 0;
}
