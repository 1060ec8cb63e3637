# SPDX-License-Identifier: Apache-2.0
"""The real firmware that the demonstration uses: fetched once, checked by digest, kept in build/inputs.

First choice is the firmware of the LEGO MINDSTORMS NXT (sold 2006 to 2013): its source archive and
the image built from it, both from the Debian mirror that apt is set up with. If the mirror no
longer has them, Ubertooth One (production ended) takes its place, from two Debian packages.
"""
import glob
import hashlib
import os
import shutil
import subprocess
import urllib.parse

NXT_POOL = "pool/main/n/nxt-firmware/"
NXT_SOURCE = ("nxt-firmware_1.29.7.orig.tar.gz",
              "749718d2b3bf174e91eb853ea747fbee55b3d6041ef656d68a0394e79ae7cb8d")
NXT_PACKAGE = ("nxt-firmware_1.29.7-2~bpo12+1_all.deb",
               "6bc7fde5a2d7f0da878ee34493843d53d2a521592c10c913f2d9d95efdfb17a3")
NXT_IMAGE_SHA256 = "d3d499d72b5d26b8817606127b853f263161d3b135038d2aa14bf153e2a8125e"
NXT_EPOCH = 1729288005  # the moment that the released image carries as its build date


class Input:
    """One product to play the story with; `fix` is the patch that the maintainer applies."""

    def __init__(self, name, product, title, vendor, source, image, **more):
        self.name, self.product, self.title, self.vendor = name, product, title, vendor
        self.source, self.image = source, image
        self.hardware = more["hardware"]
        self.version, self.fixed_version = more["version"], more["fixed_version"]
        self.epoch = more["epoch"]
        self.build = more["build"]      # argv, run in the source tree
        self.built = more["built"]      # what it leaves there
        self.fix = more["fix"]          # a patch file
        self.fix_says = more["fix_says"]
        self.licence = more["licence"]
        self.reproducible = more.get("reproducible", False)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        for chunk in iter(lambda: f.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def mirrors():
    """Base URLs of the package archives that this machine uses."""
    out = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                          "Identifier: Packages"], capture_output=True, text=True, check=False)
    return sorted({line.strip() for line in out.stdout.splitlines() if line.strip()})


def fetch(name, digest, folder):
    """The pool file `name` below `folder`, or None if no mirror has it."""
    path = os.path.join(folder, name)
    if os.path.exists(path) and sha256(path) == digest:
        return path
    for base in mirrors():
        url = urllib.parse.urljoin(base.rstrip("/") + "/", NXT_POOL + name)
        got = subprocess.run(["curl", "--silent", "--fail", "--location", "--max-time", "60",
                              "--output", path + ".part", url], check=False)
        if got.returncode == 0 and sha256(path + ".part") == digest:
            os.rename(path + ".part", path)
            return path
    if os.path.exists(path + ".part"):
        os.remove(path + ".part")
    return None


def nxt(folder, here):
    source = fetch(*NXT_SOURCE, folder)
    package = fetch(*NXT_PACKAGE, folder)
    if not source or not package:
        return None
    image = os.path.join(folder, "nxt_firmware.bin")
    if not os.path.exists(image) or sha256(image) != NXT_IMAGE_SHA256:
        unpacked = os.path.join(folder, "nxt-package")
        subprocess.run(["dpkg", "-x", package, unpacked], check=True)
        shutil.copy(os.path.join(unpacked, "usr/share/nxt-firmware/nxt_firmware.bin"), image)
        shutil.rmtree(unpacked)
    if sha256(image) != NXT_IMAGE_SHA256:
        return None
    return Input("lego-nxt", "lego.nxt", "LEGO MINDSTORMS NXT", "The LEGO Group", source, image,
                 hardware="lego,nxt", version="1.29.7", fixed_version="1.29.7.1",
                 epoch=NXT_EPOCH, build=["make", "CROSS_COMPILE=arm-none-eabi-"],
                 built="nxt_firmware.bin", reproducible=True,
                 fix=os.path.join(here, "nxt-clear-name.patch"),
                 fix_says="clears a Bluetooth reply that leaked 16 bytes of old memory",
                 licence="LicenseRef-LEGO-Open-Source")


def unpack_packages(names, folder):
    """Download Debian packages and unpack them into one folder; None if that cannot be done."""
    unpacked = os.path.join(folder, "ubertooth")
    os.makedirs(unpacked, exist_ok=True)
    for name in names:
        if not glob.glob(os.path.join(folder, name + "_*.deb")):
            got = subprocess.run(["apt-get", "download", name], cwd=folder, check=False,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if got.returncode:
                return None
        for deb in glob.glob(os.path.join(folder, name + "_*.deb")):
            subprocess.run(["dpkg", "-x", deb, unpacked], check=True)
    return unpacked


def ubertooth(folder, here):
    """The fall-back: source, one header it shares with the host, image and C library are packages."""
    unpacked = unpack_packages(("ubertooth-firmware", "ubertooth-firmware-source",
                                "libubertooth-dev"), folder)
    image = os.path.join(unpacked or "", "usr/share/ubertooth/firmware/bluetooth_rxtx.dfu")
    if not unpacked or not os.path.exists(image):
        return None
    subprocess.run(["sh", os.path.join(here, "../setup/deps.sh"), "fallback"], check=True)
    tree = os.path.join(folder, "ubertooth-tree")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(os.path.join(tree, "host/libubertooth/src"))
    subprocess.run(["tar", "xzf", os.path.join(unpacked, "usr/src/ubertooth-firmware-source.tar.gz"),
                    "-C", tree], check=True)
    os.rename(os.path.join(tree, "ubertooth-firmware-source"), os.path.join(tree, "firmware"))
    shutil.copy(os.path.join(unpacked, "usr/include/ubertooth/ubertooth_interface.h"),
                os.path.join(tree, "host/libubertooth/src"))
    archive = os.path.join(folder, "ubertooth-source.tar.gz")
    subprocess.run(["tar", "czf", archive, "--transform", "s,^\\.,ubertooth,", "-C", tree, "."],
                   check=True)
    defined = [f"{name}=-D'{name}=\"{value}\"'" for name, value in
               (("COMPILE_BY", "user"), ("COMPILE_HOST", "localhost"), ("TIMESTAMP", ""))]
    return Input("ubertooth", "greatscott.ubertooth-one", "Ubertooth One", "Great Scott Gadgets",
                 archive, image, hardware="greatscott,ubertooth-one", version="2018.12",
                 fixed_version="2018.12.1", epoch=1544054400,
                 build=["make", "-C", "firmware/bluetooth_rxtx", *defined, "bluetooth_rxtx.bin"],
                 built="firmware/bluetooth_rxtx/bluetooth_rxtx.bin",
                 fix=os.path.join(here, "ubertooth-check-length.patch"),
                 fix_says="refuses a USB request that announces more registers than it sends",
                 licence="GPL-2.0-or-later")


def own(source, image, build):
    """Anybody's own: source archive, image, and a script that, run in the source, leaves image.bin."""
    return Input("own", "own.product", "your product", "Your Vendor", source, image,
                 hardware="own,product", version="1.0", fixed_version="1.1", epoch=1700000000,
                 build=["sh", os.path.abspath(build)], built="image.bin", fix=None,
                 fix_says="is built anew by the community", licence="LicenseRef-own")


def find(folder, here):
    os.makedirs(folder, exist_ok=True)
    found = nxt(folder, here)
    if found:
        return found
    print("The mirror does not have the LEGO NXT firmware any more; going on with Ubertooth One.")
    found = ubertooth(folder, here)
    if found:
        return found
    raise SystemExit("demo: neither firmware can be fetched from the package mirror: is it reachable?")
