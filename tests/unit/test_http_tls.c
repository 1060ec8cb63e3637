/* SPDX-License-Identifier: Apache-2.0 */
/* https, against OpenSSL's test server with certificates made for the occasion. */
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/net/http.h"
#include "tests/unit/unit.h"

enum { LINE = 256 };

static char *folder;
static pid_t server;
static unsigned port;

static int make_certificate(const char *name)
{
	CLEANUP(buf_clear) struct buf key = {0};
	CLEANUP(buf_clear) struct buf cert = {0};

	if (buf_printf(&key, NULL, "%s/%s.key", folder, name) < 0 ||
	    buf_printf(&cert, NULL, "%s/%s.pem", folder, name) < 0)
		return -1;
	const char *const argv[] = {"openssl",
				    "req",
				    "-x509",
				    "-newkey",
				    "ec",
				    "-pkeyopt",
				    "ec_paramgen_curve:prime256v1",
				    "-nodes",
				    "-days",
				    "1",
				    "-subj",
				    "/CN=localhost",
				    "-addext",
				    "subjectAltName=DNS:localhost",
				    "-keyout",
				    key.data,
				    "-out",
				    cert.data,
				    NULL};

	return proc_run(argv, NULL, NULL, NULL, 1 << 16, NULL);
}

/* "ACCEPT 127.0.0.1:41749" */
static int read_port(int fd)
{
	FILE *f = fdopen(fd, "r");
	char line[LINE];
	int found = -1;

	while (f && found < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "ACCEPT 127.0.0.1:%5u", &port) == 1)
			found = 0;
	if (f)
		(void)fclose(f);
	return found;
}

static int start(void **state)
{
	static const char *const argv[] = {"openssl", "s_server", "-accept", "127.0.0.1:0",
					   "-cert",   "ours.pem", "-key",    "ours.key",
					   "-WWW",    NULL};
	struct proc_spec s = PROC_SPEC(argv);
	int ends[2], dir = -1;

	(void)state;
	if (file_temp_dir(true, &folder, NULL) < 0 || make_certificate("ours") < 0 ||
	    make_certificate("other") < 0 ||
	    file_open_dir(AT_FDCWD, folder, false, &dir, NULL) < 0 ||
	    file_write(dir, "hello", "hello", 5, 0644, NULL) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	(void)close(dir);
	s.folder = folder;
	s.out = ends[1];
	if (proc_start(&s, &server, NULL) < 0)
		return -1;
	(void)close(ends[1]);
	return read_port(ends[0]);
}

static int stop(void **state)
{
	(void)state;
	proc_kill(server);
	int r = file_remove_tree(AT_FDCWD, folder, NULL);
	free(folder);
	return r;
}

/* GET https://<host>:<port>/hello, trusting <ca>.pem (NULL: what the system trusts). */
static int get(const char *host, const char *ca, struct buf *out, struct error *err)
{
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(buf_clear) struct buf url = {0};
	struct http_options o = {0};

	assert_int_equal(buf_printf(&path, NULL, "%s/%s.pem", folder, ca ? ca : ""), 0);
	assert_int_equal(buf_printf(&url, NULL, "https://%s:%u/hello", host, port), 0);
	o.ca_file = ca ? path.data : NULL;
	assert_int_equal(http_new(&o, &h, NULL), 0);
	return http_get(h, url.data, 100, out, err);
}

static void a_server_of_the_named_authority_is_read(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	assert_int_equal(get("localhost", "ours", &out, NULL), 0);
	assert_string_equal(out.data, "hello");
}

static void any_other_server_is_not(void **state)
{
	static const struct {
		const char *host, *ca, *part;
	} bad[] = {
		{"localhost", NULL, "certificate"},
		{"localhost", "other", "certificate"},
		{"127.0.0.1", "ours", "127.0.0.1"}, /* it is localhost that was certified */
		{"localhost", "none", "none.pem"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct error err = {0};

		assert_error(get(bad[i].host, bad[i].ca, &out, &err), E_NET, &err, bad[i].part);
		assert_int_equal(out.len, 0);
	}
}

/* For those who believe signatures only. What is listened to still needs no plain text. */
static void any_certificate_will_do_where_it_was_said(void **state)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1"};
	const struct http_options o = {.any_certificate = true};
	CLEANUP(http_freep) struct http *h = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(http_new(&o, &h, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		CLEANUP(buf_clear) struct buf url = {0};
		CLEANUP(buf_clear) struct buf out = {0};

		assert_int_equal(buf_printf(&url, NULL, "https://%s:%u/hello", hosts[i], port), 0);
		assert_int_equal(http_get(h, url.data, 100, &out, &err), 0);
		assert_string_equal(out.data, "hello");
	}
	CLEANUP(buf_clear) struct buf none = {0};
	assert_error(http_get(h, "http://192.0.2.1/hello", 100, &none, &err), E_USAGE, &err,
		     "plain http is not allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_of_the_named_authority_is_read),
		cmocka_unit_test(any_other_server_is_not),
		cmocka_unit_test(any_certificate_will_do_where_it_was_said),
	};

	return cmocka_run_group_tests_name("http over TLS", tests, start, stop);
}
