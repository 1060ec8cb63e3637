/* SPDX-License-Identifier: Apache-2.0 */
#include "client/conf.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

#define NEEDED \
	"product = lego.nxt\nhardware = lego,nxt\nurl = http://127.0.0.1:8080/\n" \
	"slot-a = slot-a.img\nslot-b = slot-b.img\nboot-env = boot.env\n"

static int parse(const char *text, struct conf *out, struct error *err)
{
	return conf_parse(text, strlen(text), "client.conf", out, err);
}

static void conf_refuses_and_names_the_line(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{"", "client.conf: product: is missing"},
		{"product = p\n", "client.conf: hardware: is missing"},
		{NEEDED "hardwre = x\n", "client.conf: line 7: hardwre: no such key"},
		{NEEDED "product = q\n",
		 "client.conf: line 7: product: given twice, first in line 1"},
		{NEEDED "policy = ask\n# x\npolicy = ask\n",
		 "line 9: policy: given twice, first in line 7"},
		{NEEDED "boot-tries = 0\n", "boot-tries: want 1 to 100, got 0"},
		{NEEDED "boot-tries = 101\n", "boot-tries: want 1 to 100, got 101"},
		{NEEDED "boot-tries = 3x\n", "boot-tries: want 1 to 100, got 3x"},
		{NEEDED "boot-tries =\n", "boot-tries: want 1 to 100"},
		{NEEDED "health-timeout = 3601\n", "health-timeout: want 1 to 3600"},
		{NEEDED "byte-budget = -1\n", "byte-budget: want 0 to"},
		{NEEDED "metadata-max = 65535\n",
		 "metadata-max: want 65536 to 33554432, got 65535"},
		{NEEDED "metadata-max = 33554433\n", "metadata-max: want 65536 to 33554432"},
		{NEEDED "allow-http = maybe\n", "allow-http: want yes or no, got maybe"},
		{NEEDED "clock = wrong\n", "clock: want trusted or untrusted, got wrong"},
		{NEEDED "backend = rauc\n", "backend: want ab-image, got rauc"},
		{NEEDED "policy =\n", "none may be empty"},
		{NEEDED "nonsense\n", "line 7: want key = value"},
		{NEEDED "= x\n", "line 7: want key = value"},
		{NEEDED "channel = a\033[2J\n", "line 7: a control character"},
		{"product = Lego\nhardware = h\nurl = http://u/\nslot-a = a\nslot-b = b\nboot-env = e\n",
		 "product: want [a-z0-9]"},
		{"product =\n", "line 1: product: is empty"},
		{NEEDED "url = gopher://u/\n", "line 7: url: want http, https or file, got gopher"},
		{NEEDED "boot-tries = +3\n", "boot-tries: want 1 to 100, got +3"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct conf c = {.boot_tries = 77};
		struct error err = {0};

		assert_error(parse(bad[i].text, &c, &err), E_USAGE, &err, bad[i].complaint);
		assert_int_equal(c.boot_tries, 77); /* untouched */
	}
}

static void conf_has_a_default_for_all_that_is_not_required(void **state)
{
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	struct error err = {0};

	(void)state;
	assert_int_equal(parse(NEEDED, &c, &err), 0);
	assert_string_equal(c.product, "lego.nxt");
	assert_string_equal(c.hardware, "lego,nxt");
	assert_string_equal(c.factory_root, "factory-root.json");
	assert_string_equal(c.state, "state");
	assert_string_equal(c.policy, "ask");
	assert_string_equal(c.slot[SLOT_A], "slot-a.img");
	assert_string_equal(c.slot[SLOT_B], "slot-b.img");
	assert_int_equal(c.boot_tries, 3);
	assert_int_equal(c.health_timeout_s, 120);
	assert_int_equal(c.byte_budget, 0);
	assert_in_range(c.metadata_max, 512 * 1024, 16 * 1024 * 1024);
	assert_int_equal(conf_root_max(&c), c.metadata_max / 2);
	assert_false(c.allow_http);
	assert_true(c.clock_trusted);
	assert_true(c.tls_verified);
	assert_null(c.channel);
	assert_null(c.health);
}

static void metadata_may_take_a_share_of_the_memory(void **state)
{
	const int64_t mib = 1024 * 1024;

	(void)state;
	assert_int_equal(conf_metadata_share(0), mib / 2);
	assert_int_equal(conf_metadata_share(16 * mib), mib / 2);
	assert_int_equal(conf_metadata_share(64 * mib), mib);
	assert_int_equal(conf_metadata_share(128 * mib), 2 * mib);
	assert_int_equal(conf_metadata_share(1024 * mib), 16 * mib);
	assert_int_equal(conf_metadata_share(INT64_MAX), 16 * mib);
}

static void conf_takes_comments_spaces_and_several_mirrors(void **state)
{
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	struct error err = {0};

	(void)state;
	assert_int_equal(
		parse("# a device\r\n\n  " NEEDED
		      "url=http://b/\nhealth = test -e \"a = b\" \t\nclock=untrusted\ntls = unverified\n"
		      "allow-http = yes\nchannel =\nbyte-budget = 1000\n"
		      "metadata-max = 33554432",
		      &c, &err),
		0);
	assert_int_equal(c.nurls, 2);
	assert_string_equal(c.urls[1], "http://b/");
	assert_string_equal(c.health, "test -e \"a = b\"");
	assert_true(c.allow_http);
	assert_false(c.clock_trusted);
	assert_false(c.tls_verified);
	assert_null(c.channel);
	assert_int_equal(c.byte_budget, 1000);
	assert_int_equal(c.metadata_max, 33554432);
}

static void conf_takes_sixteen_mirrors_and_no_more(void **state)
{
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(buf_puts(&text, NEEDED, &err), 0);
	for (int i = 1; i < CONF_URLS_MAX; i++)
		assert_int_equal(buf_puts(&text, "url = http://m/\n", &err), 0);
	assert_int_equal(parse(text.data, &c, &err), 0);
	conf_clear(&c);
	assert_int_equal(buf_puts(&text, "url = http://m/\n", &err), 0);
	assert_error(parse(text.data, &c, &err), E_USAGE, &err, "url: want at most 16");
}

static void conf_that_is_not_there_is_a_usage_error(void **state)
{
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	struct error err = {0};

	(void)state;
	assert_error(conf_load("/nonexistent/client.conf", &c, &err), E_USAGE, &err,
		     "/nonexistent/client.conf");
}

static void conf_paths_are_relative_to_its_folder(void **state)
{
	char dir[] = "/tmp/bequest-test-XXXXXX", path[64];
	CLEANUP(conf_clear) struct conf c = {.dir = -1};
	struct error err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/client.conf", dir);
	assert_int_equal(file_write(AT_FDCWD, path, NEEDED, strlen(NEEDED), 0600, &err), 0);
	assert_int_equal(conf_load(path, &c, &err), 0);
	assert_true(file_exists(c.dir, "client.conf"));
	assert_int_equal(file_remove_tree(AT_FDCWD, dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conf_refuses_and_names_the_line),
		cmocka_unit_test(conf_has_a_default_for_all_that_is_not_required),
		cmocka_unit_test(metadata_may_take_a_share_of_the_memory),
		cmocka_unit_test(conf_takes_comments_spaces_and_several_mirrors),
		cmocka_unit_test(conf_takes_sixteen_mirrors_and_no_more),
		cmocka_unit_test(conf_that_is_not_there_is_a_usage_error),
		cmocka_unit_test(conf_paths_are_relative_to_its_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
