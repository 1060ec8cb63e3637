# SPDX-License-Identifier: Apache-2.0
# Tests on the machines of machine.mk: all that run a program of that machine, which is every unit
# and attack test in C, every corpus, and the scripts of the client.
.PHONY: check-cross run-cross count-cross list-cross size

cross_scripts := $(addprefix tests/integration/,test_client_update.py test_client_handover.py \
	test_client_kill.py test_tuf_verb.py test_verifier.py)
# Debian's libgit2 for 32 bits cannot list a folder whose positions take 64, as on a disk of this
# machine. What needs it is the registry's.
cross_not := $(if $(filter s390x,$(CROSS)),,sources server)
cross_ok := $(filter-out $(cross_not:%=$(B)/tests/unit/test_%.ok),$(units:=.ok)) $(fuzzers:=.ok) \
	$(cross_scripts:%=$(B)/%.ok)

# The native programs come first: a device's client talks to them.
check-cross:
	@sh tests/setup/deps.sh build check cross
	+@$(MAKE) --no-print-directory $(bins)
	+@sh tests/setup/cross.sh '$(MAKE)' $(machines)

ifdef CROSS
run-cross: $(cross_ok)
count-cross:
	@echo $(words $(cross_ok))
list-cross:
	@printf '%s\n' $(cross_ok)

# The client and what uses the small library are started by scripts of their names; everything
# else that they talk to is as it is here.
$(B)/run/bequest-client $(B)/run/tests/verifier/from_memory: $(B)/run/%: $(B)/%
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec %s "$$@"\n' '$(runs) "$(CURDIR)/$<"' >$@ && chmod +x $@
$(B)/run/%: build/%
	@mkdir -p $(@D)
	@ln -sf "$(CURDIR)/$<" $@
endif

# What the device's program takes of its flash, here and on each machine.
size:
	@sh tests/setup/deps.sh build cross
	+@$(MAKE) --no-print-directory build/bequest-client >/dev/null
	+@for m in $(machines); do sh tests/setup/sysroot.sh $$m build/cross/$$m/sysroot && \
		$(MAKE) --no-print-directory CROSS=$$m build/cross/$$m/bequest-client >/dev/null || \
		exit 1; done
	@size -d build/bequest-client
	@$(foreach m,$(machines),$(triplet_$m)-size -d build/cross/$m/bequest-client | tail -n 1;)
