/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/openeox.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/strict.h"

#define SCHEMA "https://docs.oasis-open.org/openeox/v1.0/schema/core.json"
#define TBA "tba"

enum { SECONDS_LEN = 19, DATE_MAX = 64, NANO_DIGITS = 9, HOUR_S = 3600, MINUTE_S = 60 };

/* --- dates ------------------------------------------------------------------------ */

static bool two_digits(const char *s, int most, int *out)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*out = (s[0] - '0') * 10 + (s[1] - '0');
	return *out <= most;
}

/* ".25"; at least one digit. *at moves behind it. */
static bool read_fraction(const char **at, int *nano)
{
	int digits = 0;

	if (**at != '.')
		return true;
	for (++*at; **at >= '0' && **at <= '9'; ++*at, digits++)
		if (digits < NANO_DIGITS)
			*nano = *nano * 10 + (**at - '0');
	for (int i = digits; i < NANO_DIGITS; i++)
		*nano *= 10;
	return digits > 0;
}

/* "Z" or "+05:30", to the end. */
static bool read_zone(const char *at, int64_t *offset)
{
	int hours, minutes;

	if (strcmp(at, "Z") == 0)
		return true;
	if ((*at != '+' && *at != '-') || strlen(at) != strlen("+05:30") || at[3] != ':' ||
	    !two_digits(at + 1, 23, &hours) || !two_digits(at + 4, 59, &minutes))
		return false;
	*offset = (int64_t)hours * HOUR_S + (int64_t)minutes * MINUTE_S;
	if (*at == '-')
		*offset = -*offset;
	return true;
}

static bool parse_date(const char *text, struct openeox_date *out)
{
	struct openeox_date d = {.present = true};
	char seconds[SECONDS_LEN + 2];
	int64_t offset = 0;

	if (strlen(text) <= SECONDS_LEN || strlen(text) > DATE_MAX)
		return false;
	memcpy(seconds, text, SECONDS_LEN);
	memcpy(seconds + SECONDS_LEN, "Z", 2);
	const char *rest = text + SECONDS_LEN;
	if (!utc_parse(seconds, &d.at) || !read_fraction(&rest, &d.nano) ||
	    !read_zone(rest, &offset))
		return false;
	d.at -= offset;
	*out = d;
	return true;
}

static int read_date(const char *text, const char *key, struct openeox_date *out, struct error *err)
{
	if (!text)
		return 0;
	if (strcmp(text, TBA) == 0) {
		*out = (struct openeox_date){.present = true, .tba = true};
		return 0;
	}
	if (parse_date(text, out))
		return 0;
	return error_set(err, E_INVALID,
			 "%s: want a date such as 2030-01-31T00:00:00Z, or tba, got \"%.80s\"", key,
			 text);
}

static bool dated(const struct openeox_date *d)
{
	return d->present && !d->tba;
}

static bool later(const struct openeox_date *a, const struct openeox_date *b)
{
	return a->at != b->at ? a->at > b->at : a->nano > b->nano;
}

/* Tests 7.1.1 and 7.1.3; what is not dated is left out. */
static int check_order(const struct openeox *c, struct error *err)
{
	const struct {
		const char *key;
		const struct openeox_date *date;
	} others[] = {
		{"end_of_security_support", &c->end_of_security_support},
		{"end_of_sales", &c->end_of_sales},
		{"general_availability", &c->general_availability},
		{"end_of_life", &c->end_of_life},
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct openeox_date *d = others[i].date;

		if (dated(d) && dated(&c->end_of_life) && later(d, &c->end_of_life))
			return error_set(err, E_INVALID, "%s: want no date after end_of_life",
					 others[i].key);
		if (dated(d) && dated(&c->general_availability) &&
		    later(&c->general_availability, d))
			return error_set(err, E_INVALID,
					 "general_availability: want no date after %s",
					 others[i].key);
	}
	if (dated(&c->general_availability) && later(&c->general_availability, &c->last_updated))
		return error_set(err, E_INVALID,
				 "general_availability: want no date after last_updated");
	return 0;
}

/* --- a core ------------------------------------------------------------------------- */

struct reading {
	const char *schema, *end_of_life, *security, *updated, *sales, *available;
};

#define DATE(k, member, opt) \
	{ \
		.key = (k), .kind = FIELD_TEXT, .offset = offsetof(struct reading, member), \
		.optional = (opt), .min = 1, .max = DATE_MAX \
	}

static int read_core(json_t *core, struct openeox *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "$schema",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct reading, schema),
		 .min = 1,
		 .max = sizeof(SCHEMA)},
		DATE("end_of_life", end_of_life, false),
		DATE("end_of_security_support", security, false),
		DATE("last_updated", updated, false),
		DATE("end_of_sales", sales, true),
		DATE("general_availability", available, true),
	};
	struct openeox c = {.end_of_life = {.present = true}};
	struct reading in = {0};
	int r = strict_read(core, "", fields, ARRAY_LEN(fields), STRICT_CLOSED, &in, err);

	if (r == 0 && strcmp(in.schema, SCHEMA) != 0)
		r = error_set(err, E_INVALID, "$schema: want %s", SCHEMA);
	if (r == 0)
		r = read_date(in.end_of_life, "end_of_life", &c.end_of_life, err);
	if (r == 0)
		r = read_date(in.security, "end_of_security_support", &c.end_of_security_support,
			      err);
	if (r == 0)
		r = read_date(in.updated, "last_updated", &c.last_updated, err);
	if (r == 0)
		r = read_date(in.sales, "end_of_sales", &c.end_of_sales, err);
	if (r == 0)
		r = read_date(in.available, "general_availability", &c.general_availability, err);
	if (r == 0 && c.last_updated.tba)
		r = error_set(err, E_INVALID, "last_updated: want a date");
	if (r == 0)
		r = check_order(&c, err);
	if (r == 0)
		*out = c;
	return r;
}

int openeox_read(json_t *src, const char *name, struct openeox *out, struct error *err)
{
	json_t *list = json_object_get(src, "statements");
	json_t *core = src;

	if (list && json_array_size(list) != 1)
		return error_set(err, E_INVALID, "%s: statements: want one, got %zu", name,
				 json_array_size(list));
	if (list)
		core = json_object_get(json_array_get(list, 0), "core");
	if (!json_is_object(core))
		return error_set(err, E_INVALID, "%s: want an object of OpenEoX", name);
	int r = read_core(core, out, err);
	return r < 0 ? error_prefix(err, r, "%s", name) : 0;
}

/* --- writing -------------------------------------------------------------------------- */

static int put_date(json_t *core, const char *key, const struct openeox_date *d, struct error *err)
{
	char at[UTC_SIZE] = TBA;

	if (!d->present)
		return 0;
	if (!d->tba)
		utc_format(d->at, at);
	return json_object_set_new(core, key, json_string(at)) < 0 ? error_nomem(err) : 0;
}

int openeox_write(const struct openeox *c, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *core = json_pack("{s:s}", "$schema", SCHEMA);
	int r = core ? check_order(c, err) : error_nomem(err);

	if (r == 0)
		r = put_date(core, "general_availability", &c->general_availability, err);
	if (r == 0)
		r = put_date(core, "end_of_sales", &c->end_of_sales, err);
	if (r == 0)
		r = put_date(core, "end_of_security_support", &c->end_of_security_support, err);
	if (r == 0)
		r = put_date(core, "end_of_life", &c->end_of_life, err);
	if (r == 0)
		r = put_date(core, "last_updated", &c->last_updated, err);
	if (r == 0)
		*out = steal(core);
	return r;
}
