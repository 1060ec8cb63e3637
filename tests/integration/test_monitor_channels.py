# SPDX-License-Identifier: Apache-2.0
"""The monitor on delegated roles: whose they are, and what devices are given of them."""
import sys

from lib_liar import FAR, ORIGIN, PRODUCT, after, late, run_tests
from test_registry_poller import Key, document

METADATA = f"p/{PRODUCT}/metadata/"


class Channels:
    """A product whose targets delegate to `alpha` and `beta`, in the log and looked at."""

    def __init__(self, w, **beta):
        self.liar = w.liar
        self.alpha, self.beta = Key(), Key()
        w.settle()
        self.to = {"alpha": self.alpha, "beta": {"key": self.beta, **beta}}
        self.top = self.liar.targets(to=self.to)
        self.docs = {"alpha": self.liar.targets(role="alpha", signer=self.alpha),
                     "beta": self.liar.targets(role="beta", signer=self.beta)}
        self.publish()
        assert w.look() == [], w.report

    def publish(self):
        self.liar.online_roles(self.top, **self.docs)
        self.liar.seal()

    def next(self, name, **args):
        self.docs[name] = self.liar.targets(role=name, signer=getattr(self, name), **args)


def channel_of_the_role_that_was_delegated_to(w):
    c = Channels(w)
    c.next("beta")
    c.publish()
    assert w.look("--all") == ["targets"], w.report
    c.docs["beta"] = c.liar.targets(role="beta", signer=Key())
    c.publish()
    assert w.look(status=3)[0] == "unsigned", w.report
    assert w.text("unsigned").startswith("beta version 3 is in the log, but "), w.report


def channel_of_nobody(w):
    c = Channels(w)
    c.docs["gamma"] = c.liar.targets(role="gamma", signer=c.alpha)
    c.publish()
    assert w.look(status=3) == ["unsigned"], w.report
    assert w.text("unsigned").endswith("no role delegates to gamma"), w.report


def sibling_has_no_say_in_a_role(w):
    """`alpha` comes before `targets` by name; not by rank."""
    c = Channels(w)
    c.next("alpha", to={"beta": c.alpha})
    c.next("beta")
    c.publish()
    assert w.look("--all") == ["targets", "targets"], w.report
    c.docs["beta"] = c.liar.targets(role="beta", signer=c.alpha)
    c.publish()
    assert w.look(status=3)[0] == "unsigned", w.report


def delegation_that_was_taken_back_counts_no_more(w):
    c = Channels(w)
    c.next("alpha", to={"gamma": c.alpha})
    c.docs["gamma"] = c.liar.targets(role="gamma", signer=c.alpha)
    c.publish()
    assert w.look() == [], w.report
    del c.to["alpha"]
    c.top = c.liar.targets(to=c.to)
    c.docs["gamma"] = c.liar.targets(role="gamma", signer=c.alpha)
    c.publish()
    assert w.look(status=3) == ["unsigned"], w.report
    assert w.text("unsigned").endswith("no role delegates to gamma"), w.report


def delegation_of_a_publisher_that_left_counts_no_more(w):
    c = Channels(w)
    c.next("alpha", to={"gamma": c.alpha})
    c.publish()
    assert w.look() == [], w.report
    c.liar.root(**{"x-bequest": {
        "publisher": {"id": "other", "name": "Other", "kind": "vendor"},
        "logs": [{"origin": ORIGIN, "vkey": c.liar.log.vkey, "url": "log/"}]}})
    c.liar.version["targets"] = 0
    c.top, c.docs = c.liar.targets(expires="2089-01-01T00:00:00Z", to={"alpha": Key()}), {}
    c.docs["gamma"] = c.liar.targets(role="gamma", signer=c.alpha)
    c.publish()
    assert w.look("--all", status=3) == ["root", "unreleased", "targets", "unsigned"], w.report
    assert w.text("unsigned").endswith("no role delegates to gamma"), w.report


def channel_with_other_bytes_than_were_logged(w):
    """The same words under more signatures: what the snapshot says of it fits, the log does not."""
    c = Channels(w)
    c.docs["beta"]["signatures"].append(Key().sign(c.docs["beta"]["signed"]))
    c.liar.put(METADATA + "1.beta.json", c.docs["beta"])
    c.publish()
    assert w.look() == [], w.report
    assert late(w, status=3) == ["not-as-logged"], w.report
    assert w.text("not-as-logged").startswith("devices are given another beta version 1"), w.report


def other_words_in_a_channel_than_were_logged(w):
    c = Channels(w)
    c.docs["beta"] = document({**c.docs["beta"]["signed"], "expires": "2089-01-01T00:00:00Z"},
                              c.beta)
    c.liar.put(METADATA + "1.beta.json", c.docs["beta"])
    c.publish()
    assert late(w, status=3) == ["not-as-logged"], w.report
    c.docs["beta"]["signed"]["expires"] = FAR
    c.docs["beta"] = document(c.docs["beta"]["signed"], c.beta)
    c.liar.put(METADATA + "1.beta.json", c.docs["beta"])
    c.publish()
    assert w.look() == ["not-as-logged"], w.report
    assert w.text("not-as-logged").startswith("over: "), w.report


def top_level_targets_with_other_signatures_than_were_logged(w):
    c = Channels(w)
    c.top["signatures"].append(Key().sign(c.top["signed"]))
    c.liar.put(METADATA + "2.targets.json", c.top)
    c.publish()
    assert late(w, status=3) == ["not-as-logged"], w.report


def channel_that_is_held_back(w):
    c = Channels(w)
    old = dict(c.docs)
    c.next("beta")
    c.docs = old
    c.publish()
    assert late(w, status=3) == ["not-as-logged"], w.report
    assert "given beta version 1, and 2 is the last" in w.text("not-as-logged"), w.report


def channel_that_is_not_served(w):
    c = Channels(w)
    kept = c.liar.files.pop(METADATA + "1.beta.json")
    assert late(w, status=3) == ["metadata"], w.report
    assert w.text("metadata") == "beta: is not served", w.report
    c.liar.files[METADATA + "1.beta.json"] = kept
    assert w.look() == ["metadata"], w.report


def channel_that_the_snapshot_does_not_list(w):
    c = Channels(w)
    del c.docs["beta"]
    c.publish()
    assert sorted(late(w, status=3)) == ["metadata", "not-as-logged"], w.report
    assert "given beta in no version, and 1 is the last" in w.text("not-as-logged"), w.report
    # nor one that nobody delegates to any more: no client takes such a snapshot
    del c.to["beta"]
    c.top = c.liar.targets(to=c.to)
    c.publish()
    assert w.look(status=3) == ["metadata"], w.report
    assert w.text("metadata").startswith("over: "), w.report
    assert [s["kind"] for s in w.report["standing"]] == ["not-as-logged"], w.report


def channel_by_another_key_than_is_asked_for(w):
    c = Channels(w)
    c.to["beta"] = Key()
    c.top = c.liar.targets(to=c.to)
    c.publish()
    assert late(w, status=3) == ["metadata"], w.report
    assert w.text("metadata").startswith("beta: "), w.report


def channel_that_expires(w):
    c = Channels(w)
    c.next("beta", expires=after(10))
    c.next("alpha", expires=after(-1))
    c.publish()
    assert w.look(status=3) == ["expiry", "expiry"], w.report
    told = {(e["level"], " ".join(e["text"].split()[:2])) for e in w.report["events"]}
    assert told == {("warning", "beta expires"), ("alarm", "alpha expired")}, w.report
    # of what nobody delegates to any more nobody is told
    c.top = c.liar.targets()
    c.publish()
    assert w.look() == ["expiry", "expiry"], w.report
    assert w.report["standing"] == [], w.report


def steward_for_a_while_may_expire(w):
    c = Channels(w, **{"x-bequest": {"until": after(1)}})
    c.next("beta", expires=after(1))
    c.publish()
    assert w.look() == ["expiry"], w.report
    c.to["beta"]["x-bequest"]["until"] = after(-1)
    c.top = c.liar.targets(to=c.to)
    c.publish()
    assert w.look() == ["expiry"], w.report
    assert w.text("expiry").startswith("over: "), w.report


def channel_below_a_channel(w):
    c = Channels(w)
    c.gamma = Key()
    c.next("alpha", to={"gamma": c.gamma})
    c.next("gamma", expires=after(-1))
    c.publish()
    assert w.look(status=3) == ["expiry"], w.report
    # what is not known is not over
    kept = c.liar.files.pop(METADATA + "2.alpha.json")
    assert late(w, status=3) == ["metadata"], w.report
    c.liar.files[METADATA + "2.alpha.json"] = kept
    assert w.look(status=3) == ["metadata"], w.report


def names_as_long_as_they_may_be_and_longer(w):
    c = Channels(w)
    longest = "x" * 128
    c.to[longest] = c.alpha
    c.top = c.liar.targets(to=c.to)
    c.docs[longest] = c.liar.targets(role=longest, signer=c.alpha)
    c.publish()
    assert w.look() == [], w.report
    old = dict(c.docs)
    c.docs[longest] = c.liar.targets(role=longest, signer=c.alpha)
    c.docs, kept = old, c.docs
    c.publish()
    assert late(w, status=3) == ["not-as-logged"], w.report
    c.docs = kept
    c.publish()
    assert w.look() == ["not-as-logged"], w.report
    # what the log cannot have
    longer = "y" * 129
    c.docs[longer] = c.liar.targets(role=longer, signer=c.alpha, log=False)
    c.publish()
    assert late(w, status=3) == ["not-as-logged"], w.report
    assert "no leaf could be of a role with this name" in w.text("not-as-logged"), w.report
    del c.docs[longer]
    c.publish()
    assert w.look() == ["not-as-logged"], w.report


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
