# SPDX-License-Identifier: Apache-2.0
"""The periods of a release, to the second, at a device: one too few is refused, the last is taken.

A vendor falls silent; after 180 days a trustee says so; 30 days later, if nobody objected, the
trustees' approvals release the deposit. All of it goes by the witnesses, whose clocks are set here.
"""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lib_device import LONG, Case, identity, preload, run_tests  # noqa: E402

DAY = 86400
SILENCE, WAIT = 180 * DAY, 30 * DAY  # policies/release/standard.json
SILENT, LONG_WAIT = 1095 * DAY, 90 * DAY  # of a vendor that objects, and gives no update
YEAR_2090 = 3786912000
V1, V2 = (bytes([i]) * 100_001 for i in (1, 2))


def _silent(case, silence, wait, between=lambda product: None, at=None, began=None, support=None):
    """All is as it should be, but for these periods; the device's clock says `at`."""
    product = case.product
    log = product.log
    product.proved_anew = 1  # a proof says when something was logged
    log.now = began = began or int(time.time()) - silence - wait - 30 * DAY
    product.witnessed(3, 2)
    product.image("1.0.0", V1)
    product.publish(**LONG)
    d = case.device(image=V1, policy="auto")

    def when_is(what):
        given = began + silence
        log.now = {"deposit": began, "notice": given, "approval": given + wait,
                   "bridge": given + wait + DAY}[what]
        if what == "approval":
            between(product)

    product.handover(notice="silence", when_is=when_is, support_until=_text(support or began))
    product.image("2.0.0", V2)
    product.publish(product.keepers, **LONG)
    product.show_log()
    library = preload("clock", case.dir) if at is not None else None
    if library:
        d.env_more = {"LD_PRELOAD": str(library), "CLOCK_AT": str(at)}
    return d


def _text(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _refused(d, *why):
    h = d.json("check", status=4)["handover"]
    assert h["released"] == "no", h
    text = d.ok("why").stdout
    assert all(one in text for one in why), text
    d.expect(4, "update")
    assert d.status()["root_version"] == 1 and d.slot("B", 1) == b"\0"


def _taken(d):
    d.ok("update")
    assert d.status()["root_version"] == 3 and d.slot("B", len(V2)) == V2


def _objects(product):
    product.log.now -= 1
    product.statement("objection", 1, {"notice": identity(product.given), "reason": "we are here"},
                      product.vendor.root[:2], json.loads(product.roots[0]))
    product.log.now += 1


def _updates(product):
    product.log.now -= 1
    product.publish(**LONG)
    product.log.now += 1


def silence_one_second_too_short_is_refused(case):
    _refused(_silent(case, SILENCE - 1, WAIT), "(5 of 6)",
             "days without a sign of life from the vendor: 179; needs at least 180")


def silence_is_enough_at_its_second(case):
    _taken(_silent(case, SILENCE, WAIT + 3 * DAY))


def a_release_one_second_before_its_wait_is_over_is_refused(case):
    _refused(_silent(case, SILENCE + 3 * DAY, WAIT - 1), "(5 of 6)", "29 so far")


def a_release_is_taken_at_the_second_its_wait_is_over(case):
    _taken(_silent(case, SILENCE + 3 * DAY, WAIT))


def the_end_of_support_is_over_a_second_later(case):
    """At the very end it has not ended yet."""
    began = int(time.time()) - SILENCE - WAIT - 30 * DAY
    for ends, check in ((0, _refused), (-1, _taken)):
        other = Case()
        try:
            check(_silent(other, SILENCE, WAIT, began=began, support=began + SILENCE + ends))
        finally:
            other.close()


def an_objection_in_the_last_second_ends_it(case):
    _refused(_silent(case, SILENCE, WAIT, between=_objects), "(5 of 6)")


def an_update_in_the_last_second_ends_it(case):
    _refused(_silent(case, SILENCE, WAIT, between=_updates),
             "days without a sign of life from the vendor: 0")


def who_only_objects_for_years_is_heard_one_second_too_short_of_them(case):
    _refused(_silent(case, SILENT - 1, LONG_WAIT, between=_objects), "(4 of 5)",
             "days without an update: 1094")


def who_only_objects_is_heard_for_ninety_days_and_no_second_more(case):
    for wait, check in ((LONG_WAIT - 1, _refused), (LONG_WAIT, _taken)):
        other = Case()
        try:
            check(_silent(other, SILENT, wait, between=_objects))
        finally:
            other.close()


def no_clock_of_the_device_shortens_a_wait(case):
    _refused(_silent(case, SILENCE, WAIT - 1, at=YEAR_2090), "29 so far")


def a_clock_of_1970_lengthens_none(case):
    _taken(_silent(case, SILENCE, WAIT, at=5))


def one_witness_moves_no_end_of_a_wait(case):
    """Of three two count: one that is years ahead, or behind, changes nothing."""
    for skew in (-900 * DAY, 900 * DAY):
        for wait, check in ((WAIT - 1, _refused), (WAIT, _taken)):
            other = Case()
            try:
                other.product.log.skew = {1: skew}
                check(_silent(other, SILENCE, wait))
            finally:
                other.close()


run_tests(globals(), __name__)
