/* SPDX-License-Identifier: Apache-2.0 */
#include "client/conf.h"

#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/net/url.h"
#include "lib/tuf/client.h"
#include "policies/statement.h"

enum { CONF_MAX = 64 * 1024, VALUE_MAX = 4096, HEALTH_TIMEOUT_MAX_S = 3600 };
#define BUDGET_MAX (INT64_C(1) << 53)
enum {
	METADATA_LEAST = 64 * 1024,
	/* Where nothing is said: what a router of 32 MiB can spare, to all that the format allows.
	 */
	METADATA_SHARE = 64,
	METADATA_LOW = 512 * 1024,
	METADATA_HIGH = 16 * 1024 * 1024,
};

enum kind {
	TEXT,   /* char * */
	URL,    /* one more of urls */
	CHOICE, /* bool: is it the first of two words? */
	NUMBER, /* int64_t */
};

struct key {
	const char *name;
	size_t offset;
	enum kind kind;
	bool required;
	const char *fallback; /* NULL: none */
	const char *yes, *no; /* CHOICE */
	int64_t min, max;     /* NUMBER */
};

#define AT(member) offsetof(struct conf, member)

static const struct key keys[] = {
	{.name = "product", .offset = AT(product), .required = true},
	{.name = "hardware", .offset = AT(hardware), .required = true},
	{.name = "url", .kind = URL, .required = true},
	{.name = "factory-root", .offset = AT(factory_root), .fallback = "factory-root.json"},
	{.name = "state", .offset = AT(state), .fallback = "state"},
	{.name = "policy", .offset = AT(policy), .fallback = "ask"},
	{.name = "backend", .offset = AT(backend), .fallback = "ab-image"},
	{.name = "slot-a", .offset = AT(slot[SLOT_A]), .required = true},
	{.name = "slot-b", .offset = AT(slot[SLOT_B]), .required = true},
	{.name = "boot-env", .offset = AT(boot_env), .required = true},
	{.name = "keep-image", .offset = AT(keep_image)},
	{.name = "channel", .offset = AT(channel)},
	{.name = "health", .offset = AT(health)},
	{.name = "boot-tries",
	 .offset = AT(boot_tries),
	 .kind = NUMBER,
	 .fallback = "3",
	 .min = 1,
	 .max = BOOT_TRIES_MAX},
	{.name = "health-timeout",
	 .offset = AT(health_timeout_s),
	 .kind = NUMBER,
	 .fallback = "120",
	 .min = 1,
	 .max = HEALTH_TIMEOUT_MAX_S},
	{.name = "byte-budget",
	 .offset = AT(byte_budget),
	 .kind = NUMBER,
	 .fallback = "0",
	 .max = BUDGET_MAX},
	{.name = "metadata-max",
	 .offset = AT(metadata_max),
	 .kind = NUMBER,
	 .min = METADATA_LEAST,
	 .max = TUF_TEXT_MAX},
	{.name = "allow-http",
	 .offset = AT(allow_http),
	 .kind = CHOICE,
	 .fallback = "no",
	 .yes = "yes",
	 .no = "no"},
	{.name = "clock",
	 .offset = AT(clock_trusted),
	 .kind = CHOICE,
	 .fallback = "trusted",
	 .yes = "trusted",
	 .no = "untrusted"},
	{.name = "tls",
	 .offset = AT(tls_verified),
	 .kind = CHOICE,
	 .fallback = "verified",
	 .yes = "verified",
	 .no = "unverified"},
};

static const struct key *find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i].name) == len && memcmp(keys[i].name, name, len) == 0)
			return &keys[i];
	return NULL;
}

static int take_number(const struct key *k, int64_t *at, const char *value, struct error *err)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(value, &end, 10);
	if (errno || !isdigit((unsigned char)*value) || *end || n < k->min || n > k->max)
		return error_set(err, E_USAGE, "%s: want %" PRId64 " to %" PRId64 ", got %s",
				 k->name, k->min, k->max, value);
	*at = n;
	return 0;
}

/* A copy that `c` owns; NULL: out of memory. */
static const char *keep(struct conf *c, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	assert(c->ntexts < CONF_TEXTS_MAX);
	if (copy)
		c->texts[c->ntexts++] = copy;
	return copy;
}

static int take(struct conf *c, const struct key *k, const char *value, struct error *err)
{
	char *member = (char *)c + k->offset;
	const char *copy;

	if (k->kind == NUMBER) {
		int64_t n = 0;
		int r = take_number(k, &n, value, err);

		if (r == 0)
			memcpy(member, &n, sizeof(n));
		return r;
	}
	if (k->kind == CHOICE) {
		bool yes = strcmp(value, k->yes) == 0;

		if (!yes && strcmp(value, k->no) != 0)
			return error_set(err, E_USAGE, "%s: want %s or %s, got %s", k->name, k->yes,
					 k->no, value);
		memcpy(member, &yes, sizeof(yes));
		return 0;
	}
	if (k->kind == URL && *value && !url_ok(value))
		return error_set(err, E_USAGE, "url: want http, https or file, got %.80s", value);
	if (k->kind == URL && c->nurls == CONF_URLS_MAX)
		return error_set(err, E_USAGE, "url: want at most %d", CONF_URLS_MAX);
	if (!*value) /* "channel =" says that there is none */
		return k->required ? error_set(err, E_USAGE, "%s: is empty", k->name) : 0;
	copy = keep(c, value, strlen(value));
	if (!copy)
		return error_nomem(err);
	if (k->kind == URL)
		c->urls[c->nurls++] = copy;
	else
		memcpy(member, &copy, sizeof(copy));
	return 0;
}

static int take_line(struct conf *c, char *line, unsigned lines[ARRAY_LEN(keys)], unsigned number,
		     struct error *err)
{
	size_t name = strcspn(line, " \t=");
	char *value = line + name + strspn(line + name, " \t");
	const struct key *k;
	size_t end;

	if (*value != '=' || name == 0)
		return error_set(err, E_USAGE, "want key = value");
	value++;
	value += strspn(value, " \t");
	for (end = strlen(value); end && strchr(" \t", value[end - 1]); end--)
		value[end - 1] = '\0';
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 && *p != '\t')
			return error_set(err, E_USAGE, "a control character");
	k = find(line, name);
	if (!k)
		return error_set(err, E_USAGE, "%.*s: no such key", (int)name, line);
	if (lines[k - keys] && k->kind != URL)
		return error_set(err, E_USAGE, "%s: given twice, first in line %u", k->name,
				 lines[k - keys]);
	lines[k - keys] = number;
	return take(c, k, value, err);
}

/* Bytes of memory that this machine has; 0: it does not say. */
static int64_t memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (int64_t)pages * size : 0;
}

int64_t conf_metadata_share(int64_t memory)
{
	int64_t share = memory / METADATA_SHARE;

	if (share < METADATA_LOW)
		return METADATA_LOW;
	return share < METADATA_HIGH ? share : METADATA_HIGH;
}

/* What no single line can show. */
static int finish(struct conf *c, const unsigned lines[ARRAY_LEN(keys)], struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		int r = 0;

		if (!lines[i] && keys[i].required)
			return error_set(err, E_USAGE, "%s: is missing", keys[i].name);
		if (!lines[i] && keys[i].fallback)
			r = take(c, &keys[i], keys[i].fallback, err);
		if (r < 0)
			return r;
	}
	if (c->metadata_max == 0)
		c->metadata_max = conf_metadata_share(memory());
	if (!product_id_ok(c->product))
		return error_set(err, E_USAGE, "product: want [a-z0-9][a-z0-9.-]*, got %s",
				 c->product);
	if (!c->factory_root || !c->state || !c->policy)
		return error_set(err, E_USAGE, "factory-root, state and policy: none may be empty");
	if (!c->backend || strcmp(c->backend, "ab-image") != 0)
		return error_set(err, E_USAGE, "backend: want ab-image, got %s",
				 c->backend ? c->backend : "nothing");
	return 0;
}

int conf_parse(const char *text, size_t len, const char *name, struct conf *out, struct error *err)
{
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	unsigned lines[ARRAY_LEN(keys)] = {0}; /* where each key was given */
	int r;

	for (unsigned number = 1; len; number++) {
		const char *end = memchr(text, '\n', len);
		size_t here = end ? (size_t)(end - text) : len;
		char line[VALUE_MAX + 1];
		const char *first;

		if (here > VALUE_MAX || memchr(text, '\0', here))
			return error_set(err, E_USAGE, "%s: line %u: want text of at most %d bytes",
					 name, number, VALUE_MAX);
		memcpy(line, text, here);
		line[here] = '\0';
		if (here && line[here - 1] == '\r')
			line[here - 1] = '\0';
		first = line + strspn(line, " \t");
		text += end ? here + 1 : here;
		len -= end ? here + 1 : here;
		if (!*first || *first == '#')
			continue;
		r = take_line(&c, line + (first - line), lines, number, err);
		if (r < 0)
			return error_prefix(err, r, "%s: line %u", name, number);
	}
	r = finish(&c, lines, err);
	if (r < 0)
		return error_prefix(err, r, "%s", name);
	*out = c;
	c = (struct conf){.dir = -1};
	return 0;
}

/* The folder of `path`, as a descriptor and a name. */
static int open_folder(const char *path, struct conf *c, struct error *err)
{
	const char *slash = strrchr(path, '/');

	c->folder = slash ? keep(c, path, (size_t)(slash - path) + 1) : "./";
	if (!c->folder)
		return error_nomem(err);
	return file_open_dir(AT_FDCWD, c->folder, false, &c->dir, err);
}

int conf_load(const char *path, struct conf *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	int r = file_read(AT_FDCWD, path, CONF_MAX, &text, err);

	if (r == E_NOTFOUND || r == E_INVALID)
		return err ? err->code = E_USAGE : E_USAGE;
	if (r == 0)
		r = conf_parse(text.data ? text.data : "", text.len, path, &c, err);
	if (r == 0)
		r = open_folder(path, &c, err);
	if (r < 0)
		return r;
	*out = c;
	c = (struct conf){.dir = -1};
	return 0;
}

size_t conf_root_max(const struct conf *c)
{
	return (size_t)c->metadata_max / 2;
}

void conf_clear(struct conf *c)
{
	closep(&c->dir);
	for (size_t i = 0; i < c->ntexts; i++)
		free(c->texts[i]);
	*c = (struct conf){.dir = -1};
}
