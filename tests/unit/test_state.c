/* SPDX-License-Identifier: Apache-2.0 */
#include "client/state.h"

#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

static void fill(char out[SHA256_HEX_SIZE], char digit)
{
	memset(out, digit, SHA256_HEX);
	out[SHA256_HEX] = '\0';
}

static struct offer an_offer(void)
{
	struct offer o = {.shown = 1000};

	fill(o.from, '1');
	fill(o.bridge, '2');
	fill(o.after, '3');
	fill(o.evidence, '4');
	fill(o.nonce, '5');
	return o;
}

static struct state consenting(void)
{
	struct state s = {.offer = an_offer()};

	s.consent.to = s.offer;
	memcpy(s.consent.product, "lego.nxt", 9);
	return s;
}

static void consent_is_to_what_was_shown_and_nothing_else(void **state)
{
	struct state s = consenting();
	struct offer now = an_offer();
	char *const parts[] = {now.from, now.bridge, now.after, now.evidence};

	(void)state;
	assert_true(consent_holds(&s, "lego.nxt", &now));
	assert_false(consent_holds(&s, "lego.ev3", &now));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		parts[i][63] ^= 1;
		assert_false(consent_holds(&s, "lego.nxt", &now));
		parts[i][63] ^= 1;
	}
	assert_true(consent_holds(&s, "lego.nxt", &now));
	s.offer.nonce[0] = '6'; /* it was shown anew since */
	assert_false(consent_holds(&s, "lego.nxt", &now));
}

static void no_consent_holds_for_no_offer(void **state)
{
	struct state s = {0};
	struct offer none = {0};

	(void)state;
	assert_false(consent_holds(&s, "", &none));
	assert_false(offer_same_step(&none, &none));
}

static void refusal_is_of_the_step_whatever_the_evidence(void **state)
{
	struct offer a = an_offer(), b = an_offer();

	(void)state;
	b.evidence[0] = '9';
	assert_false(offer_same(&a, &b));
	assert_true(offer_same_step(&a, &b));
	b.after[0] = '9';
	assert_false(offer_same_step(&a, &b));
}

static void state_survives_a_round_trip(void **state)
{
	char dir[] = "/tmp/bequest-test-XXXXXX";
	struct state s = consenting(), back;
	struct slot_record failed = {.version = "2.0"};
	char endless[2 * STATE_LOG_MAX] = {0};
	struct error err = {0};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(file_open_dir(AT_FDCWD, dir, false, &fd, &err), 0);
	assert_int_equal(state_load(fd, &back, &err), E_NOTFOUND);
	fill(s.device, 'd');
	s.slot[SLOT_B] = (struct slot_record){.status = SLOT_READY, .version = "2.1.0", .size = 99};
	fill(s.slot[SLOT_B].sha256, 'b');
	memcpy(s.slot[SLOT_B].publisher, "lego", 5);
	fill(failed.entry, 'e');
	state_fail(&s, &failed);
	s.refused = an_offer();
	s.witnessed = 7;
	s.seq = 8;
	s.since = 9;
	fill(s.leaf, 'f');
	state_wait(&s, WAITING_HANDOVER, s.offer.bridge, "want \"%s\"\n", "\xff\xfe");
	memcpy(s.last.verb, "check", 6);
	s.last.exit = 4;
	s.last.at = 10;
	s.nlogs = STATE_LOGS_MAX;
	for (size_t i = 0; i < s.nlogs; i++) {
		memset(s.logs[i].log, 'o', STATE_LOG_NAME_MAX);
		fill(s.logs[i].root, '7');
		s.logs[i].size = (INT64_C(1) << 53) - 1;
	}
	s.kept = s.slot[SLOT_B];
	memset(s.stale, 's', STATE_STALE_MAX);
	memcpy(s.left, "2.1.0", 6);
	memset(endless, 'l', sizeof(endless) - 1);
	endless[1] = '\xc3';
	state_log(&s, endless);
	assert_int_equal(strlen(s.log), STATE_LOG_MAX);
	assert_int_equal(state_save(&s, fd, &err), 0);
	memset(&back, 0xaa, sizeof(back));
	assert_int_equal(state_load(fd, &back, &err), 0);
	assert_string_equal(back.waiting.reason, "want \"??\"?");
	assert_true(consent_holds(&back, "lego.nxt", &s.offer));
	assert_true(state_has_failed(&back, failed.entry));
	assert_string_equal(back.slot[SLOT_B].version, "2.1.0");
	assert_string_equal(back.slot[SLOT_B].publisher, "lego");
	assert_int_equal(back.slot[SLOT_B].size, 99);
	assert_int_equal(back.slot[SLOT_B].status, SLOT_READY);
	assert_true(offer_same(&back.refused, &s.refused));
	assert_int_equal(back.witnessed, 7);
	assert_int_equal(back.seq, 8);
	assert_int_equal(back.since, 9);
	assert_string_equal(back.leaf, s.leaf);
	assert_int_equal(back.last.exit, 4);
	assert_int_equal(back.nlogs, STATE_LOGS_MAX);
	assert_memory_equal(back.logs, s.logs, sizeof(s.logs));
	assert_string_equal(back.kept.sha256, s.kept.sha256);
	assert_int_equal(back.kept.size, 99);
	assert_string_equal(back.stale, s.stale);
	assert_string_equal(back.left, "2.1.0");
	assert_memory_equal(back.log, "l?l", 3);
	assert_string_equal(back.log, s.log);
	closep(&fd);
	assert_int_equal(file_remove_tree(AT_FDCWD, dir, &err), 0);
}

static void state_refuses_what_it_did_not_write(void **state)
{
	static const char *const bad[] = {"", "{}", "[]", "{\"format\": \"bequest-state/2\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct state s = {.seq = 5};
		struct error err = {0};

		assert_error(state_parse(bad[i], strlen(bad[i]), &s, &err), E_INVALID, &err,
			     "state.json");
		assert_int_equal(s.seq, 5);
	}
}

static void failed_updates_are_remembered_sixteen_back(void **state)
{
	struct state s = {0};
	struct slot_record r = {.version = "1.0"};

	(void)state;
	state_fail(&s, &r); /* without an entry there is nothing to remember */
	assert_int_equal(s.nfailed, 0);
	for (int i = 0; i <= STATE_FAILED_MAX; i++) {
		fill(r.entry, (char)('a' + i));
		state_fail(&s, &r);
		state_fail(&s, &r); /* once is enough */
	}
	assert_int_equal(s.nfailed, STATE_FAILED_MAX);
	assert_true(state_has_failed(&s, r.entry));
	fill(r.entry, 'a');
	assert_false(state_has_failed(&s, r.entry));
	fill(r.entry, 'b');
	assert_true(state_has_failed(&s, r.entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(consent_is_to_what_was_shown_and_nothing_else),
		cmocka_unit_test(no_consent_holds_for_no_offer),
		cmocka_unit_test(refusal_is_of_the_step_whatever_the_evidence),
		cmocka_unit_test(state_survives_a_round_trip),
		cmocka_unit_test(state_refuses_what_it_did_not_write),
		cmocka_unit_test(failed_updates_are_remembered_sixteen_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
