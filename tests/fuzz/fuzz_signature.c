/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signature by a key of each kind: however the input cuts up the true one, and the headers
 * of its OpenPGP packet, it holds only while it is the same number over the same headers.
 *
 * covers: lib/sign/key.c lib/sign/ed25519.c lib/sign/pgp_packet.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "lib/sign/key.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/surgery.h"

static const char message[] = "signed";

static const char ed25519[] =
	"{\"keytype\":\"ed25519\",\"scheme\":\"ed25519\",\"keyval\":{\"public\":\""
	"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\"}}";
static const char by_ed25519[] =
	"563ea47700019e5bd58e308ec93631c8428eeb8d4e015d992d2813e65f45cb8e3ecd10a0d07c8f48"
	"0c42492201afaba8343fa7092ead4725a8feb623e58b2b01";

static const char p256[] =
	"{\"keytype\":\"ecdsa\",\"scheme\":\"ecdsa-sha2-nistp256\",\"keyval\":{\"public\":\""
	"-----BEGIN PUBLIC KEY-----\\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1bmRhdzPD5yXiecHeXAGTim/gNFR\\n"
	"wiTKdqaGn/JQi/xJwiphD22GkQHFuCuz5UDW5UHws6xUvlY/UJsty7nqqw==\\n"
	"-----END PUBLIC KEY-----\\n"
	"\"}}";
/* (r, s) and (r, n - s) */
static const char by_p256[] =
	"30440220565d3d96ecd3f6729cbab0c622290475fb870b38cb6094b6b18f0e0f70e78a1802202ab7"
	"8e0cb3a7aed3a3e17b75e7fa2448cac0f31c497091074358791e1a34f634";
static const char by_p256_too[] =
	"30450220565d3d96ecd3f6729cbab0c622290475fb870b38cb6094b6b18f0e0f70e78a18022100d5"
	"4871f24c58512d5c1e848a1805dbb6f22607915da70d7db06151a4e22e2f1d";

static const char rsa[] =
	"{\"keytype\":\"rsa\",\"scheme\":\"rsassa-pss-sha256\",\"keyval\":{\"public\":\""
	"-----BEGIN PUBLIC KEY-----\\n"
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA932Y9aC9btY1OAliS37H\\n"
	"ipzPVR/JXgT+9XT2YxWMuwZbYpqXmeZhPpALDNJSHmnYXIjOF4jJ54BtubSeKI6Y\\n"
	"nSetW7sOpcPMSe7CNzv3wSIoqF7Y2bG4C1au3g10ScyztAJ+qTyFQzdpqMwXCLyT\\n"
	"XNbIYRINhdyPPaOxYqB8i9dC02AiSZU7OmN1SR9btrAmWpn1yT6ZYqd7zErqQyzC\\n"
	"hS1AIAYQQqeLhsfx/UFnAnBBoQg5+6laRIRwYEbNXUgfHf8TaENuG8AS28ZhdoJk\\n"
	"NtsbfJfvwXfGTMYHN/QJq+piAC0ct/mKdLd/RlvMXAp6cQ+FIRnIGamVUR6BdmSw\\n"
	"RQIDAQAB\\n"
	"-----END PUBLIC KEY-----\\n"
	"\"}}";
static const char by_rsa[] =
	"38ac8e17807073a427459a2aff21d3b1fe819d4e9739bdd27a3e66b18a1b12bb8e15bd0ca7502049"
	"edb47d90f5b060b1bfc63459f16df37c1a8691e8e95d74c36c562f06db4c8f4cf98e86c6981692e9"
	"8fc733892449600aecb5ad42a1cfa87138053cfaeba894618c88e4452773b04b9779f3d1a9402a36"
	"588f2d30c0a4ae68e144b5eb9b23f5a7f721770ac41697e2e81f13aa42c4c9c3c95766ca48af0eaf"
	"c4c3463e71e4af177906759deb7cf5e9bd44f539f8240ce2d67aa5ff79ce4065b5ef95b179452057"
	"e300f5b5bd919e9372c1ea1f565b442969e29c122456e1a438b9c155c533de93d3f4ebd3a11a0a47"
	"145e9ee76642527000a327a2441c271c";

static const char pgp_ed25519[] =
	"{\"keytype\":\"eddsa\",\"scheme\":\"pgp+eddsa-ed25519\",\"keyval\":{\"public\":{\"q\":\""
	"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\"}}}";
static const char by_pgp_ed25519[] =
	"769f8cc1346906f444955fdf0473ba3cb2059fb893dcf2786ee6fbf01be052515bedd8063bc8ae87"
	"ca89ceb4625375d4df94060bd916ea3e0db369eaea57b906";

static const char pgp_rsa[] =
	"{\"keytype\":\"rsa\",\"scheme\":\"pgp+rsa-pkcsv1.5\",\"keyval\":{\"public\":{"
	"\"e\":\"010001\",\"n\":\""
	"f77d98f5a0bd6ed6353809624b7ec78a9ccf551fc95e04fef574f663158cbb065b629a9799e6613e"
	"900b0cd2521e69d85c88ce1788c9e7806db9b49e288e989d27ad5bbb0ea5c3cc49eec2373bf7c122"
	"28a85ed8d9b1b80b56aede0d7449ccb3b4027ea93c85433769a8cc1708bc935cd6c861120d85dc8f"
	"3da3b162a07c8bd742d3602249953b3a6375491f5bb6b0265a99f5c93e9962a77bcc4aea432cc285"
	"2d4020061042a78b86c7f1fd4167027041a10839fba95a4484706046cd5d481f1dff1368436e1bc0"
	"12dbc66176826436db1b7c97efc177c64cc60737f409abea62002d1cb7f98a74b77f465bcc5c0a7a"
	"710f852119c819a995511e817664b045"
	"\"}}}";
/* A number with eight zero bits in front, which OpenPGP leaves out. */
#define PKCS1 \
	"4e1afc12a16280c96854e0a9ec00a82d6de1f1c247e6975f12594debb0a36f27f315a44a7cf269b3" \
	"3b94bdf1a59ea944ec1de25bca7665e4b587682dc7f64f24cc81bbfef2885b994087949957e7b985" \
	"447aeb0e873d6128e1e70a7d1b2d9c94a49ec017c972ffc04186b05d64c68778ab5dc3c09edc9ca7" \
	"b6f52a1fdf003eaa3ad933e8415affffa012241b41452db093e8565f83955531302bf411e9addb5b" \
	"853246f6fadea914230ba2baeef5b1a0c6b59ce58ac7d8b2932a6922e123f13b5207d43107e97447" \
	"722179a9741ce6b2abc4111a1fe2bc10a907322fa454ace57c409bc422029f47e8c7cff774ce3d8b" \
	"0f42e34d2c65a5b1da840494b49e92"
static const char by_pgp_rsa[] = PKCS1, by_pgp_rsa_too[] = "00" PKCS1;

static const struct kind {
	enum key_kind kind;
	const char *key;
	const char *sig, *too; /* another spelling that holds; NULL: there is none */
	const char *headers;   /* NULL: nobody looks at them */
} kinds[] = {
	{KEY_ED25519, ed25519, by_ed25519, NULL, NULL},
	{KEY_ECDSA_P256, p256, by_p256, by_p256_too, NULL},
	{KEY_RSA_PSS, rsa, by_rsa, NULL, NULL},
	{KEY_PGP_ED25519, pgp_ed25519, by_pgp_ed25519, NULL, "04001608000605026b02f2fb"},
	{KEY_PGP_RSA, pgp_rsa, by_pgp_rsa, by_pgp_rsa_too, "04000108000605026b02f2fb"},
};

static const struct key *key_of(size_t i)
{
	static struct key *keys[ARRAY_LEN(kinds)];
	CLEANUP(json_decrefp) json_t *object = NULL;

	if (keys[i])
		return keys[i];
	if (strict_parse(kinds[i].key, strlen(kinds[i].key), "key", &object, NULL) < 0 ||
	    key_parse("k", object, "key", &keys[i], NULL) < 0 || key_kind(keys[i]) != kinds[i].kind)
		abort();
	return keys[i];
}

/* Digits exchanged, put in and taken out, or bytes that are none, wherever the input says. */
static void cut(char *text, size_t room, struct feed *in)
{
	static const char digits[] = "0123456789abcdef";

	while (in->at < in->end && *text) {
		uint8_t how = feed_byte(in);
		size_t len = strlen(text), at = ((size_t)feed_byte(in) << 2 | how >> 6) % len;
		uint8_t what = feed_byte(in);

		switch (how % 5) {
		case 0: text[at] = digits[what & 15]; break;
		case 1: text[at] = (char)what; break;
		case 2: memmove(text + at, text + at + 1, len - at); break;
		case 3:
			if (len + 1 < room) {
				memmove(text + at + 1, text + at, len - at + 1);
				text[at] = digits[what & 15];
			}
			break;
		default:
			for (size_t n = what & 15; n > 0 && text[at]; n--)
				text[at++] = digits[what >> 4];
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed in = {data, data + size};
	uint8_t which = feed_byte(&in);
	const struct kind *k = &kinds[which % ARRAY_LEN(kinds)];
	const struct key *key = key_of(which % ARRAY_LEN(kinds));
	bool too = which & 0x80 && k->too, same;
	char text[1024], *headers;
	struct signature s = {.keyid = "k"};

	(void)snprintf(text, sizeof(text), "%s\n%s", too ? k->too : k->sig,
		       k->headers ? k->headers : "");
	cut(text, sizeof(text), &in);
	headers = strchr(text, '\n');
	if (headers)
		*headers++ = '\0';
	s.sig = text;
	s.other_headers = headers;
	same = (strcmp(text, k->sig) == 0 || (k->too && strcmp(text, k->too) == 0)) &&
	       (!k->headers || (headers && strcmp(headers, k->headers) == 0));
	if (key_verify(key, message, strlen(message), &s) != same)
		abort();
	return 0;
}
