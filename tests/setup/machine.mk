# SPDX-License-Identifier: Apache-2.0
# CROSS=armhf builds for another machine, in build/cross/armhf/, against Debian's libraries in
# sysroot/ there; its compiler goes by this name, and qemu plays its processor.
machines := armhf mipsel s390x
triplet_armhf := arm-linux-gnueabihf
triplet_mipsel := mipsel-linux-gnu
triplet_s390x := s390x-linux-gnu
qemu_armhf := qemu-arm-static
qemu_mipsel := qemu-mipsel-static
qemu_s390x := qemu-s390x-static

# Where the tests find the programs.
bin := $(B)

ifdef CROSS
triplet := $(or $(triplet_$(CROSS)),$(error CROSS: want one of $(machines)))
# From where make runs, whose own path may have a blank.
sysroot := build/cross/$(CROSS)/sysroot
override CC := $(triplet)-gcc
override AR := $(triplet)-ar
override PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(sysroot) \
	PKG_CONFIG_LIBDIR=$(sysroot)/usr/lib/$(triplet)/pkgconfig:$(sysroot)/usr/share/pkgconfig \
	pkg-config
# What stands before a test's name: nothing on this machine.
runs := $(qemu_$(CROSS)) -L "$(CURDIR)/$(sysroot)"
bin := $(B)/run
# The compiler's package comes with headers of another C library than the one that plays.
cross_cflags := --sysroot=$(sysroot) -nostdinc $(addprefix -isystem , \
	$(shell $(CC) -print-file-name=include) \
	$(sysroot)/usr/include/$(triplet) $(sysroot)/usr/include)
cross_ldflags := --sysroot=$(sysroot) -B$(sysroot)/usr/lib/$(triplet) \
	$(foreach d,$(sysroot)/usr/lib/$(triplet) $(sysroot)/lib/$(triplet),-L$d -Wl,-rpath-link,$d)
endif
