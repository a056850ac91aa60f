#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One control operation that sets a value, past what kvault(1) checks.

usage: control.py METHOD PATH FILE
Prints status and answer; exit 0 for 2xx, 2 for 4xx, 1 for all else.
"""
import ctypes
import fcntl
import os
import struct
import sys

METHODS = {"GET": 1, "PUT": 2, "POST": 3, "PATCH": 4, "DELETE": 5}
SECRET_SET = 2
CONTROL = 0xE901


def main():
    method, path = METHODS[sys.argv[1]], sys.argv[2].encode()
    with open(sys.argv[3], "rb") as f:
        value = f.read()
    bufs = [ctypes.create_string_buffer(b, n) for b, n in
            ((path, len(path)), (b"{}", 2), (b"", 65536), (value, max(len(value), 1)))]
    at = [ctypes.addressof(b) for b in bufs]
    arg = bytearray(struct.pack("=IIIIQIIQQIIQQII16s", 96, SECRET_SET, method, 0, at[0], len(path),
                                0, at[1], at[2], 2, 65536, at[3], 0, len(value), 0, b""))
    fd = os.open("/dev/kvault", os.O_RDWR)
    fcntl.ioctl(fd, CONTROL, arg)
    fields = struct.unpack("=IIIIQIIQQIIQQII16s", arg)
    print(fields[6], bufs[2].raw[:fields[10]].decode())
    return 0 if fields[6] < 300 else 2 if fields[6] < 500 else 1


sys.exit(main())
