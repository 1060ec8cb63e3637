/* SPDX-License-Identifier: Apache-2.0 */
/* A repository made with lib/tuf/repo, read by securesystemslib, the library under python-tuf. */
#include <fcntl.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/base/scratch.h"
#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

enum { ANSWER_MAX = 65536 };

/* Put the repository's files into a folder and ask; gives proc_run()'s word. */
static int ask(const struct tuf_sim *s, struct buf *answer, struct error *err)
{
	const char *python = getenv("PYTHON");
	CLEANUP(scratch_close) struct scratch folder = SCRATCH_NONE;
	const char *argv[] = {python ? python : "/usr/bin/python3", "tests/unit/sslib_repo.py",
			      NULL, NULL};

	assert_int_equal(scratch_open(NULL, &folder, err), 0);
	for (size_t i = 0; i < s->remote.n; i++)
		assert_int_equal(file_write(folder.fd, s->remote.list[i].name,
					    s->remote.list[i].bytes.data,
					    s->remote.list[i].bytes.len, 0600, err),
				 0);
	argv[2] = folder.path;
	return proc_run(argv, NULL, NULL, answer, ANSWER_MAX, err);
}

/* Root 4 of 4 by three kinds of key, after a rotation that the old keys sign, too. */
static void securesystemslib_agrees_with_what_we_sign(void **state)
{
	static const char *const kinds[] = {"ecdsa", "rsa", "ed25519"};
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(buf_clear) struct buf answer = {0};
	struct error err = {0};
	json_t *role;

	(void)state;
	sim_add_key(s, "targets", "ecdsa");
	sim_add_key(s, "snapshot", "rsa");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		sim_add_key(s, "root", kinds[i]);
	role = json_object_get(json_object_get(sim_role(s, "root")->body, "roles"), "root");
	assert_int_equal(json_object_set_new(role, "threshold", json_integer(4)), 0);
	sim_target(s, "targets", "dir/\xc3\xa9 \"quoted\" \\ back", "content");
	sim_bump(s, "root");
	sim_release(s, "targets");
	sim_forget(&s->remote, "1.root.json");
	if (ask(s, &answer, &err) < 0)
		fail_msg("%s\n%s", err.text, answer.data ? answer.data : "");
	assert_non_null(strstr(answer.data, "2.root.json: 4 of 4"));
	assert_non_null(strstr(answer.data, "2.targets.json: 2 of 1"));
	assert_non_null(strstr(answer.data, "2.snapshot.json: 2 of 1"));
	assert_non_null(strstr(answer.data, "timestamp.json: 1 of 1"));
}

/* The check above can fail: one signed byte is another. */
static void securesystemslib_disagrees_with_what_was_changed(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(buf_clear) struct buf answer = {0};
	struct error err = {0};
	char *at;

	(void)state;
	at = strstr(sim_remote(s, "timestamp.json")->bytes.data, "2031-01-01");
	assert_non_null(at);
	at[3] = '2';
	assert_int_equal(ask(s, &answer, &err), E_SYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(securesystemslib_agrees_with_what_we_sign),
		cmocka_unit_test(securesystemslib_disagrees_with_what_was_changed),
	};

	return cmocka_run_group_tests_name("tuf_sslib", tests, NULL, NULL);
}
