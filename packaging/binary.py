"""What a built binary runs on, read from its head, and what every package says of it."""

import dataclasses
import pathlib
import re
import struct
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
SUMMARY = tomllib.loads((ROOT / "suite/Cargo.toml").read_text())["package"]["description"]
LICENSES = [ROOT / "LICENSE-APACHE", ROOT / "LICENSE-MIT"]


@dataclasses.dataclass
class Binary:
    """A binary: its bytes, and the platform by the names of Rust, of npm and of wheels."""

    bytes: bytes
    target: str
    os: str
    cpu: str
    libc: str | None
    tag: str

    @property
    def name(self):
        return "mcp-conform.exe" if self.os == "win32" else "mcp-conform"


def read(path):
    """Reads a binary, or ends the script with what is wrong with it."""
    data = pathlib.Path(path).read_bytes()
    binary = elf(data) or mach_o(data) or pe(data)
    if binary is None:
        sys.exit(f"{path}: no binary of a platform that packages are made for")
    return binary


def elf(data):
    if data[:6] != b"\x7fELF\x02\x01":
        return None
    (machine,) = struct.unpack_from("<H", data, 18)
    arch, cpu = {62: ("x86_64", "x64"), 183: ("aarch64", "arm64")}.get(machine, (None, None))
    if arch is None:
        return None
    if not has_interpreter(data):
        tag = f"manylinux_2_17_{arch}.musllinux_1_1_{arch}"
        return Binary(data, f"{arch}-unknown-linux-musl", "linux", cpu, None, tag)
    # The newest version of the C library of which it takes a symbol.
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", data)]
    if not versions:
        return None
    tag = f"manylinux_2_{max(versions)}_{arch}"
    return Binary(data, f"{arch}-unknown-linux-gnu", "linux", cpu, "glibc", tag)


def has_interpreter(data):
    """Whether a program header names a dynamic loader (PT_INTERP): a static binary has none."""
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return any(struct.unpack_from("<I", data, offset + i * size)[0] == 3 for i in range(count))


def mach_o(data):
    if data[:4] != b"\xcf\xfa\xed\xfe":
        return None
    (machine,) = struct.unpack_from("<I", data, 4)
    # The oldest systems that Rust builds for.
    if machine == 0x01000007:
        return Binary(data, "x86_64-apple-darwin", "darwin", "x64", None, "macosx_10_12_x86_64")
    if machine == 0x0100000C:
        return Binary(data, "aarch64-apple-darwin", "darwin", "arm64", None, "macosx_11_0_arm64")
    return None


def pe(data):
    if data[:2] != b"MZ":
        return None
    (head,) = struct.unpack_from("<I", data, 60)
    (machine,) = struct.unpack_from("<H", data, head + 4)
    if machine == 0x8664:
        return Binary(data, "x86_64-pc-windows-msvc", "win32", "x64", None, "win_amd64")
    if machine == 0xAA64:
        return Binary(data, "aarch64-pc-windows-msvc", "win32", "arm64", None, "win_arm64")
    return None
