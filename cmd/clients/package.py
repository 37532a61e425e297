#!/usr/bin/env python3
"""Makes the packages of the clients, each with the binaries of a platform.

Usage: package.py OUT [PLATFORM ...]
       package.py --version [VERSION]

--version prints the version that all have, or sets it. OUT gets, of npm, jtx-VERSION.tgz and jtx-PLATFORM-VERSION.tgz, and a wheel for each platform.
Without PLATFORM, as node calls it (linux-x64), it makes those of all. It needs Go and Python.
"""

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = ["jtx", "jtx-plus"]
FLAGS = os.environ.get("JTX_BUILD_FLAGS", "-trimpath -ldflags=-s")  # -s leaves out what debuggers need
TIME = 315532800  # 1980, the oldest that a zip has: the same sources make the same packages

# By node's name: Go's system and processor, node's, and the tags of wheels.
PLATFORMS = {
    "linux-x64": ("linux", "amd64", "linux", "x64", "manylinux2014_x86_64.musllinux_1_1_x86_64"),
    "linux-arm64": ("linux", "arm64", "linux", "arm64", "manylinux2014_aarch64.musllinux_1_1_aarch64"),
    "darwin-x64": ("darwin", "amd64", "darwin", "x64", "macosx_11_0_x86_64"),
    "darwin-arm64": ("darwin", "arm64", "darwin", "arm64", "macosx_11_0_arm64"),
}


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--version":
        if len(sys.argv) > 2:
            set_version(sys.argv[2])
        print(version())
        return
    version()
    out, platforms = sys.argv[1], sys.argv[2:] or list(PLATFORMS)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(HERE, "node", "package.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    npm_main(out, manifest)
    for platform in platforms:
        if platform not in PLATFORMS:
            sys.exit(f"{platform}: want one of {', '.join(PLATFORMS)}")
        with tempfile.TemporaryDirectory() as binaries:
            build(platform, binaries)
            npm_platform(out, manifest, platform, binaries)
            wheel(out, manifest["version"], platform, binaries)


# Where the version stands: npm and Python each read it in a place of their own.
VERSIONS = {
    os.path.join("node", "package.json"): r'(?<="version": ")[^"]*',
    os.path.join("python", "src", "jtx", "__init__.py"): r'(?<=__version__ = ")[^"]*',
}


def version() -> str:
    found = {name: re.search(place, contents(os.path.join(HERE, name)).decode())[0] for name, place in VERSIONS.items()}
    if len(set(found.values())) != 1:
        sys.exit(f"the versions differ: {found}; package.py --version VERSION sets both")
    return next(iter(found.values()))


def set_version(to: str) -> None:
    if not re.fullmatch(r"\d+\.\d+\.\d+", to):
        sys.exit(f"{to}: want a version such as 0.1.0")
    for name, place in VERSIONS.items():
        text = re.sub(place, to, contents(os.path.join(HERE, name)).decode(), count=1)
        with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
            f.write(text)


def build(platform: str, into: str) -> None:
    system, processor = PLATFORMS[platform][:2]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOOS": system, "GOARCH": processor}
    command = ["go", "build", *FLAGS.split(), "-o", into + os.sep]
    subprocess.run(command + [f"./cmd/{p}" for p in PROGRAMS], cwd=ROOT, env=environment, check=True)


def contents(name: str) -> bytes:
    with open(name, "rb") as f:
        return f.read()


def npm_main(out: str, manifest: dict) -> None:
    version = manifest["version"]
    published = {k: v for k, v in manifest.items() if k != "scripts"}
    published["optionalDependencies"] = {f"jtx-{p}": version for p in PLATFORMS}
    files = {name: contents(os.path.join(HERE, "node", name)) for name in manifest["files"]}
    npm(out, f"jtx-{version}.tgz", published, files, {"bin.js"})


def npm_platform(out: str, manifest: dict, platform: str, binaries: str) -> None:
    _, _, system, processor, _ = PLATFORMS[platform]
    version = manifest["version"]
    published = {"name": f"jtx-{platform}", "version": version, "license": manifest["license"],
                 "description": f"The binaries of jtx for {platform}", "os": [system], "cpu": [processor]}
    files = {f"bin/{name}": contents(os.path.join(binaries, name)) for name in sorted(os.listdir(binaries))}
    npm(out, f"jtx-{platform}-{version}.tgz", published, files, set(files))


def npm(out: str, name: str, manifest: dict, files: dict, executable: set) -> None:
    """Writes a package as npm pack does: everything below package/."""
    files = {"package.json": json.dumps(manifest, indent=2).encode() + b"\n", "LICENSE": contents(os.path.join(ROOT, "LICENSE")), **files}
    with tarfile.open(os.path.join(out, name), "w:gz") as tar:
        for file, data in files.items():
            entry = tarfile.TarInfo("package/" + file)
            entry.size, entry.mtime, entry.mode = len(data), TIME, 0o755 if file in executable else 0o644
            tar.addfile(entry, io.BytesIO(data))


def wheel(out: str, version: str, platform: str, binaries: str) -> None:
    """Writes a wheel: a zip file with the package, what it is, and a list of both."""
    tag, source, info = f"py3-none-{PLATFORMS[platform][4]}", os.path.join(HERE, "python", "src"), f"jtx-{version}.dist-info"
    files = {"safe_json_operations.py": contents(os.path.join(source, "safe_json_operations.py"))}
    for name in sorted(os.listdir(os.path.join(source, "jtx"))):
        if name.endswith((".py", ".typed")):
            files[f"jtx/{name}"] = contents(os.path.join(source, "jtx", name))
    programs = {f"jtx/bin/{name}": contents(os.path.join(binaries, name)) for name in sorted(os.listdir(binaries))}
    files.update(programs)
    tags = "".join(f"Tag: py3-none-{t}\n" for t in PLATFORMS[platform][4].split("."))
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: jtx\nRoot-Is-Purelib: false\n{tags}".encode()
    files[f"{info}/METADATA"] = (f"Metadata-Version: 2.1\nName: jtx\nVersion: {version}\nSummary: Transactions over plain JSON files\n"
                                 "License: MIT\nRequires-Python: >=3.9\n").encode()
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\njtx = jtx.__main__:main\n"
    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    with zipfile.ZipFile(os.path.join(out, f"jtx-{version}-{tag}.whl"), "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if name in programs else 0o100644) << 16  # of an ordinary file
            z.writestr(entry, data, zipfile.ZIP_DEFLATED)


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
