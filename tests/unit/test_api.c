/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/api.h"

#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "tests/support/httpd.h"
#include "tests/unit/unit.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DOCUMENT(state, rest) \
	"{\"id\":\"" A64 "\",\"state\":\"" state "\",\"have\":1,\"need\":2,\"proof\":null," rest "}"
#define ONE(state) DOCUMENT(state, "\"missing\":[]")

enum { BLOB = 1000, CUT = 300 };

/* What the server is to say, and what it was asked; set and read between requests. */
static struct script {
	int status;
	const char *answer;
	int drops;   /* hang up on so many requests first */
	int waiting; /* say "waiting" so many times first */

	/* the blob */
	size_t have;
	int heads, patches;
	int cuts;      /* take CUT bytes of so many PATCHes, then hang up */
	int conflicts; /* answer so many PATCHes with 409 */
	bool silent;   /* without Upload-Offset */
	bool refuses;  /* the digest is wrong */

	char body[4096], head[2048];
	int requests;
} script;

static struct httpd *server;

static bool say_offset(const struct httpd_request *q, int status)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "HTTP/1.1 %d Said\r\nUpload-Offset: %zu\r\n%s\r\n",
		       status, script.have, status == 204 ? "" : "Content-Length: 0\r\n");
	return httpd_say(q->fd, text);
}

static bool say_patch(const struct httpd_request *q)
{
	const char *offset = strcasestr(q->head, "\r\nUpload-Offset: ");

	script.patches++;
	if (!strcasestr(q->head, "\r\nContent-Type: application/offset+octet-stream\r\n") ||
	    !strcasestr(q->head, "\r\nTus-Resumable: 1.0.0\r\n"))
		return httpd_answer(q->fd, 415, "", "");
	if (!offset || strtoul(strchr(offset, ':') + 1, NULL, 10) != script.have ||
	    script.conflicts-- > 0)
		return httpd_answer(q->fd, 409, "", "{\"error\":\"invalid\",\"message\":\"else\"}");
	if (script.refuses)
		return httpd_answer(q->fd, 403, "",
				    "{\"error\":\"untrusted\",\"message\":\"wrong digest\"}");
	if (script.cuts-- > 0) {
		script.have += CUT;
		return false;
	}
	script.have += q->body.len;
	if (script.silent)
		return httpd_say(q->fd, "HTTP/1.1 204 Said\r\n\r\n");
	return say_offset(q, 204);
}

static bool handle(void *ctx, const struct httpd_request *q)
{
	(void)ctx;
	script.requests++;
	(void)snprintf(script.head, sizeof(script.head), "%s", q->head);
	(void)snprintf(script.body, sizeof(script.body), "%.*s", (int)q->body.len,
		       q->body.len ? q->body.data : "");
	if (script.drops-- > 0)
		return false;
	if (script.status >= 400)
		return httpd_answer(q->fd, script.status, "",
				    httpd_asks(q, "HEAD ") ? "" : script.answer);
	if (httpd_asks(q, "HEAD ")) {
		script.heads++;
		return script.silent ? httpd_answer(q->fd, 200, "", "") : say_offset(q, 200);
	}
	if (httpd_asks(q, "PATCH "))
		return say_patch(q);
	if (script.waiting-- > 0)
		return httpd_answer(
			q->fd, 200, "",
			DOCUMENT("waiting", "\"missing\":[{\"sha256\":\"" B64 "\",\"size\":5}]"));
	return httpd_answer(q->fd, script.status ? script.status : 200, "", script.answer);
}

static struct api api;

static int start(void **state)
{
	server = httpd_start(handle, NULL);
	if (!server || http_new(NULL, &api.http, NULL) < 0)
		return -1;
	api.base = httpd_url(server);
	*state = &api;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_free(api.http);
	httpd_stop(server);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void errors_are_what_the_registry_says(void **state)
{
	static const struct {
		int status;
		const char *body;
		int code;
		const char *part;
	} said[] = {
		{400, "{\"error\":\"invalid\",\"message\":\"eol: want x\"}", E_INVALID,
		 "registry: eol: want x"},
		{422, "{\"error\":\"invalid\",\"message\":\"m\"}", E_INVALID, "registry: m"},
		{403, "{\"error\":\"untrusted\",\"message\":\"m\"}", E_UNTRUSTED, "registry: m"},
		{404, "{\"error\":\"not-found\",\"message\":\"m\"}", E_NOTFOUND, "registry: m"},
		{409, "{\"error\":\"denied\",\"message\":\"m\"}", E_DENIED, "registry: m"},
		{409, "{\"error\":\"not-yet\",\"message\":\"m\"}", E_NOTYET, "registry: m"},
		{409, "{\"error\":\"exists\",\"message\":\"m\"}", E_EXISTS, "registry: m"},
		{413, "{\"error\":\"invalid\",\"message\":\"m\"}", E_INVALID, "registry: m"},
		{429, "{\"error\":\"busy\",\"message\":\"m\"}", E_BUSY, "registry: m"},
		{503, "{\"error\":\"busy\",\"message\":\"m\"}", E_BUSY, "registry: m"},
		{507, "{\"error\":\"full\",\"message\":\"m\"}", E_FULL, "registry: m"},
		{500, "{\"error\":\"system\",\"message\":\"m\"}", E_NET, "registry: m"},
		{502, "<html>no gateway</html>", E_NET, "v1/x: HTTP status 502"},
		{403, "", E_UNTRUSTED, "v1/x: HTTP status 403"},
		{409, "{\"error\":5,\"message\":\"m\"}", E_DENIED, "HTTP status 409"},
		{409, "[]", E_DENIED, "HTTP status 409"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		json_t *out = NULL;
		struct error err = {0};

		script = (struct script){.status = said[i].status, .answer = said[i].body};
		assert_error(api_get(&api, "v1/x", &out, &err), said[i].code, &err, said[i].part);
		assert_error(api_post(&api, "v1/x", NULL, &out, &err), said[i].code, &err,
			     said[i].part);
		assert_null(out);
	}
}

static void get_and_post_carry_json(void **state)
{
	json_t *body = json_pack("{s:s}", "publisher", "acme");
	json_t *out = NULL;
	struct error err = {0};

	(void)state;
	script = (struct script){.answer = "{\"n\":5}"};
	assert_int_equal(api_post(&api, "/v1/a", body, &out, NULL), 0);
	assert_int_equal(json_integer_value(json_object_get(out, "n")), 5);
	assert_string_equal(script.body, "{\"publisher\":\"acme\"}");
	assert_non_null(strstr(script.head, "POST /v1/a HTTP"));
	assert_non_null(strstr(script.head, "Content-Type: application/json\r\n"));
	json_decref(out);
	out = NULL;
	assert_int_equal(api_get(&api, "v1/b", &out, NULL), 0);
	assert_non_null(strstr(script.head, "GET /v1/b HTTP"));
	json_decref(out);
	json_decref(body);
	out = NULL;
	script.answer = "no json";
	assert_error(api_get(&api, "v1/b", &out, &err), E_INVALID, &err, "v1/b");
	script.answer = "";
	assert_int_equal(api_post(&api, "v1/b", NULL, &out, NULL), E_INVALID);
	assert_null(out);
}

static void get_is_tried_again_and_post_is_not(void **state)
{
	json_t *out = NULL;

	(void)state;
	script = (struct script){.answer = "{}", .drops = 2};
	assert_int_equal(api_get(&api, "v1/x", &out, NULL), 0);
	assert_in_range(script.requests, 3, 5); /* libcurl repeats on a kept connection */
	json_decref(out);
	out = NULL;
	script = (struct script){.answer = "{}", .drops = 2};
	assert_int_equal(api_post(&api, "v1/x", NULL, &out, NULL), E_NET);
	assert_in_range(script.requests, 1, 2);
}

static void trying_again_ends(void **state)
{
	struct httpd *gone = httpd_start(handle, NULL);
	struct api nowhere = api;
	CLEANUP(freep) char *url = NULL;
	int64_t before = now_ms();
	json_t *out = NULL;

	(void)state;
	assert_non_null(gone);
	url = strdup(httpd_url(gone));
	httpd_stop(gone);
	nowhere.base = url;
	assert_int_equal(api_get(&nowhere, "v1/x", &out, NULL), E_NET);
	assert_in_range(now_ms() - before, 1000, 4000);
}

static void one_document_is_posted_as_it_is(void **state)
{
	CLEANUP(buf_clear) struct buf doc = {0};
	json_t *out = NULL;

	(void)state;
	assert_int_equal(buf_puts(&doc, "{ \"signed\":1 }\n", NULL), 0);
	script = (struct script){.answer = "{\"documents\":[" ONE("published") "]}"};
	assert_int_equal(api_post_documents(&api, &doc, 1, &out, NULL), 0);
	assert_string_equal(script.body, doc.data);
	assert_non_null(strstr(script.head, "POST /v1/documents HTTP"));
	json_decref(out);
}

static void several_documents_are_one_array(void **state)
{
	struct buf docs[3] = {{0}, {0}, {0}};
	json_t *out = NULL;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(buf_printf(&docs[i], NULL, "{\"n\":%zu}", i), 0);
	script = (struct script){.answer = "{\"documents\":[" ONE("waiting") "," ONE(
					 "proposal") "," ONE("published") "]}"};
	assert_int_equal(api_post_documents(&api, docs, 3, &out, NULL), 0);
	assert_string_equal(script.body, "[{\"n\":0},{\"n\":1},{\"n\":2}]");
	json_decref(out);
	assert_int_equal(api_post_documents(&api, docs, 0, &out, NULL), E_INVALID);
	for (size_t i = 0; i < 3; i++)
		buf_clear(&docs[i]);
}

static void replies_about_documents_are_checked(void **state)
{
	static const struct {
		const char *reply, *part;
	} bad[] = {
		{"{}", "documents"},
		{"[]", "object"},
		{"{\"documents\":[]}", "documents: want 1"},
		{"{\"documents\":[" ONE("waiting") "," ONE("waiting") "]}", "documents: want"},
		{"{\"documents\":[" ONE("else") "]}", "state"},
		{"{\"documents\":[" DOCUMENT("waiting", "\"missing\":{}") "]}", "missing"},
		{"{\"documents\":[" DOCUMENT("waiting", "\"missing\":[{}]") "]}", "missing.sha256"},
		{"{\"documents\":[" DOCUMENT("waiting", "\"missing\":[{\"sha256\":\"../../x\","
							"\"size\":1}]") "]}",
		 "missing.sha256"},
		{"{\"documents\":[" DOCUMENT("waiting", "\"missing\":[{\"sha256\":\"" B64
							"\",\"size\":-1}]") "]}",
		 "missing.size"},
	};
	CLEANUP(buf_clear) struct buf doc = {0};

	(void)state;
	assert_int_equal(buf_puts(&doc, "{}", NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *out = NULL;
		struct error err = {0};

		script = (struct script){.answer = bad[i].reply};
		assert_error(api_post_documents(&api, &doc, 1, &out, &err), E_INVALID, &err,
			     bad[i].part);
		assert_null(out);
	}
}

static void waiting_ends_when_it_is_published(void **state)
{
	json_t *out = NULL;

	(void)state;
	script = (struct script){.waiting = 3, .answer = ONE("published")};
	assert_int_equal(api_wait(&api, A64, 10, &out, NULL), 0);
	assert_string_equal(json_string_value(json_object_get(out, "state")), "published");
	assert_int_equal(script.requests, 4);
	assert_non_null(strstr(script.head, "GET /v1/documents/" A64 " HTTP"));
	json_decref(out);
}

static void waiting_ends_after_the_time_given(void **state)
{
	json_t *out = NULL;
	struct error err = {0};
	int64_t before = now_ms();

	(void)state;
	script = (struct script){.waiting = 1000};
	assert_error(api_wait(&api, A64, 1, &out, &err), E_NOTYET, &err, "waits for 1 blobs");
	assert_in_range(now_ms() - before, 300, 1500);
	assert_in_range(script.requests, 4, 6); /* after 0, 50, 150, 350, 750 ms */
	script = (struct script){.answer = ONE("proposal")};
	assert_error(api_wait(&api, A64, 0, &out, &err), E_NOTYET, &err, "has 1 of 2 signatures");
	assert_int_equal(script.requests, 1);
}

static void waiting_ends_when_it_is_refused(void **state)
{
	json_t *out = NULL;
	struct error err = {0};

	(void)state;
	script = (struct script){
		.answer = DOCUMENT("refused", "\"missing\":[],\"reason\":\"too old\"")};
	assert_error(api_wait(&api, A64, 10, &out, &err), E_DENIED, &err, "too old");
	assert_int_equal(script.requests, 1);
	script = (struct script){.answer = ONE("refused")};
	assert_error(api_wait(&api, A64, 10, &out, &err), E_DENIED, &err, "refused");
	assert_null(out);
}

static void waiting_ends_at_an_error(void **state)
{
	json_t *out = NULL;
	struct error err = {0};

	(void)state;
	script = (struct script){.status = 404, .answer = ""};
	assert_int_equal(api_wait(&api, A64, 10, &out, NULL), E_NOTFOUND);
	script = (struct script){.answer = "{}"};
	assert_error(api_wait(&api, A64, 10, &out, &err), E_INVALID, &err, "registry: ");
	assert_null(out);
}

/* --- blobs ----------------------------------------------------------------- */

static void last_done(void *ctx, uint64_t done, uint64_t total)
{
	assert_int_equal(total, BLOB);
	*(uint64_t *)ctx = done;
}

static int put(uint64_t size, struct error *err)
{
	uint64_t done = 0;
	struct api a = api;
	int fd = memfd_create("blob", MFD_CLOEXEC);
	int r;

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	a.progress = last_done;
	a.ctx = &done;
	r = api_put_blob(&a, A64, fd, size, err);
	if (r == 0 && script.patches && size)
		assert_int_equal(done, size);
	(void)close(fd);
	return r;
}

static void a_blob_goes_in_one_request(void **state)
{
	(void)state;
	script = (struct script){.have = 0};
	assert_int_equal(put(BLOB, NULL), 0);
	assert_int_equal(script.have, BLOB);
	assert_int_equal(script.heads, 1);
	assert_int_equal(script.patches, 1);
	assert_non_null(strstr(script.head, "PATCH /v1/blobs/" A64 " HTTP"));
}

static void a_blob_that_is_there_costs_one_head(void **state)
{
	(void)state;
	script = (struct script){.have = BLOB};
	assert_int_equal(put(BLOB, NULL), 0);
	assert_int_equal(script.heads, 1);
	assert_int_equal(script.patches, 0);
}

static void an_empty_blob_is_sent(void **state)
{
	(void)state;
	script = (struct script){.have = 0};
	assert_int_equal(put(0, NULL), 0);
	assert_int_equal(script.patches, 1);
}

static void an_upload_goes_on_where_it_was_cut(void **state)
{
	(void)state;
	script = (struct script){.have = 50, .cuts = 3};
	assert_int_equal(put(BLOB, NULL), 0);
	assert_int_equal(script.have, BLOB);
	script = (struct script){.conflicts = 1};
	assert_int_equal(put(BLOB, NULL), 0);
	assert_int_equal(script.patches, 2);
	script = (struct script){.have = 0};
	assert_int_equal(put(BLOB, NULL), 0);
}

static void an_upload_that_gets_nowhere_ends(void **state)
{
	struct error err = {0};

	(void)state;
	script = (struct script){.conflicts = 1000};
	assert_error(put(BLOB, &err), E_NET, &err, "else");
	assert_int_equal(script.patches, 5);
}

static void uploads_are_refused_for_good(void **state)
{
	struct error err = {0};

	(void)state;
	script = (struct script){.refuses = true};
	assert_error(put(BLOB, &err), E_UNTRUSTED, &err, "wrong digest");
	assert_int_equal(script.patches, 1);
	script = (struct script){.status = 404};
	assert_error(put(BLOB, &err), E_NOTFOUND, &err, "no document at the registry lists it");
	script = (struct script){.status = 503};
	assert_error(put(BLOB, &err), E_BUSY, &err, "HTTP status 503");
	script = (struct script){.have = BLOB + 1};
	assert_error(put(BLOB, &err), E_INVALID, &err, "Upload-Offset: want 0 to 1000");
	script = (struct script){.silent = true};
	assert_error(put(BLOB, &err), E_INVALID, &err, "Upload-Offset");
}

/* Asked of nobody, for the server's thread must not take the failing allocation. */
static void out_of_memory_is_reported(void **state)
{
	struct buf docs[2] = {{0}, {0}};
	struct api nowhere = {.http = api.http, .base = "http://127.0.0.1:0/"};
	json_t *out = NULL;
	long n = 0;
	int r;

	(void)state;
	assert_int_equal(buf_puts(&docs[0], "1", NULL), 0);
	assert_int_equal(buf_puts(&docs[1], "2", NULL), 0);
	for (;; n++) {
		oom_after(n);
		r = api_post_documents(&nowhere, docs, 2, &out, NULL);
		if (!oom_fired())
			break;
		assert_int_equal(r, E_NOMEM);
	}
	assert_int_equal(r, E_NET);
	assert_int_equal(n, 2);
	oom_after(0);
	assert_int_equal(api_put_blob(&nowhere, A64, -1, 5, NULL), E_NOMEM);
	oom_after(0);
	assert_int_equal(api_wait(&nowhere, A64, 5, &out, NULL), E_NOMEM);
	(void)oom_fired();
	assert_null(out);
	buf_clear(&docs[0]);
	buf_clear(&docs[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_what_the_registry_says),
		cmocka_unit_test(get_and_post_carry_json),
		cmocka_unit_test(get_is_tried_again_and_post_is_not),
		cmocka_unit_test(trying_again_ends),
		cmocka_unit_test(one_document_is_posted_as_it_is),
		cmocka_unit_test(several_documents_are_one_array),
		cmocka_unit_test(replies_about_documents_are_checked),
		cmocka_unit_test(waiting_ends_when_it_is_published),
		cmocka_unit_test(waiting_ends_after_the_time_given),
		cmocka_unit_test(waiting_ends_when_it_is_refused),
		cmocka_unit_test(waiting_ends_at_an_error),
		cmocka_unit_test(a_blob_goes_in_one_request),
		cmocka_unit_test(a_blob_that_is_there_costs_one_head),
		cmocka_unit_test(an_empty_blob_is_sent),
		cmocka_unit_test(an_upload_goes_on_where_it_was_cut),
		cmocka_unit_test(an_upload_that_gets_nowhere_ends),
		cmocka_unit_test(uploads_are_refused_for_good),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("api", tests, start, stop);
}
