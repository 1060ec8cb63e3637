# SPDX-License-Identifier: Apache-2.0
"""libbequest-verify.a: what it may call, and what a program with it is linked with.

Only an ordinary build says so: sanitizers and other machines' C libraries add calls of their own.
"""
import os
import re
import subprocess
import unittest

BIN = os.environ["BIN"]
PROGRAM = os.path.join(BIN, "tests", "verifier", "from_memory")

# All that the library calls beside jansson: memory, strings, sorting and formatting into memory.
# No file, socket, process, clock, environment, stream or locale.
LIBC = """calloc free malloc realloc memchr memcmp memcpy memmove memset snprintf vsnprintf strchr
          strcmp strcspn strdup strndup strerror strlen strncmp strrchr strspn qsort fnmatch
          explicit_bzero""".split()
# A failed assert() ends the program, and says on stderr where; likewise an overrun of the stack.
ENDINGS = ["__assert_fail", "__stack_chk_fail"]
# Of libcrypto: digests, public keys, numbers, PEM in memory. Nothing that opens a file, draws
# random numbers or asks for the time.
CRYPTO = """BIO_ctrl BIO_free_all BIO_new BIO_new_mem_buf BIO_s_mem BN_bin2bn BN_bn2binpad BN_free
            BN_is_odd BN_is_one BN_num_bits EVP_Digest EVP_DigestFinal_ex EVP_DigestInit_ex
            EVP_DigestSign EVP_DigestSignInit EVP_DigestUpdate EVP_DigestVerify
            EVP_DigestVerifyInit EVP_MD_CTX_free EVP_MD_CTX_new EVP_MD_fetch EVP_MD_free
            EVP_PKEY_CTX_free EVP_PKEY_CTX_new EVP_PKEY_CTX_new_from_name
            EVP_PKEY_CTX_set_rsa_padding EVP_PKEY_CTX_set_rsa_pss_saltlen
            EVP_PKEY_CTX_set_signature_md EVP_PKEY_free EVP_PKEY_fromdata EVP_PKEY_fromdata_init
            EVP_PKEY_get_bn_param EVP_PKEY_get_group_name EVP_PKEY_get_int_param
            EVP_PKEY_get_raw_public_key EVP_PKEY_get_size EVP_PKEY_is_a
            EVP_PKEY_new_raw_private_key EVP_PKEY_new_raw_public_key EVP_PKEY_verify
            EVP_PKEY_verify_init EVP_sha1 EVP_sha256 EVP_sha512 OSSL_PARAM_BLD_free
            OSSL_PARAM_BLD_new OSSL_PARAM_BLD_push_BN OSSL_PARAM_BLD_to_param OSSL_PARAM_free
            PEM_read_bio_PUBKEY PEM_write_bio_PUBKEY""".split()
# Of jansson: all but what reads and writes files and descriptors, or draws a seed.
JANSSON = re.compile(r"json_(?!loadf|load_file|load_callback|dumpf|dump_file|dump_callback|"
                     r"object_seed)\w+")


def symbols():
    """What the archive defines, and what it calls."""
    listing = subprocess.run(["nm", "-g", os.path.join(BIN, "libbequest-verify.a")], check=True,
                             capture_output=True, text=True).stdout
    rows = [line.split() for line in listing.splitlines() if line and not line.endswith(":")]
    return {r[2] for r in rows if len(r) == 3}, {r[1] for r in rows if len(r) == 2}


def plain(name):
    """The same without what -D_FORTIFY_SOURCE makes of it."""
    return re.sub(r"^__(\w+)_chk$", r"\1", name) if name not in ENDINGS else name


class Symbols(unittest.TestCase):
    def test_it_calls_nothing_that_reaches_out_of_memory(self):
        defined, called = symbols()
        self.assertIn("tuf_refresh", defined)
        outside = {plain(n) for n in called - defined}
        strange = sorted(n for n in outside
                         if n not in {*LIBC, *ENDINGS, *CRYPTO} and not JANSSON.fullmatch(n))
        self.assertEqual(strange, [])
        # The lists are those of what is called, not of what might be.
        self.assertEqual(sorted({*CRYPTO} - outside), [])

    def test_a_program_needs_jansson_and_libcrypto_only(self):
        dynamic = subprocess.run(["readelf", "-d", PROGRAM], check=True, capture_output=True,
                                 text=True).stdout
        needed = re.findall(r"NEEDED.*\[(?:lib)?([a-z0-9]+)[-.]", dynamic)
        self.assertEqual(sorted({*needed} - {"ld"}), ["c", "crypto", "jansson"])


if __name__ == "__main__":
    unittest.main()
