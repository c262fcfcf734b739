#!/usr/bin/env python3
"""Executes a command with the system calls that the default seccomp profiles forbid without capabilities.

    confined.py COMMAND...

Of those, the libraries of the server try only these: OpenBLAS calls mbind, and some allocators get_mempolicy. They fail with
EPERM, as with the profile. Standard library only.
"""

import ctypes
import os
import struct
import sys

# The numbers are those of x86-64: get_mempolicy, mbind, set_mempolicy, move_pages.
FORBIDDEN = [239, 237, 238, 279]
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, EPERM = 0x7FFF0000, 0x00050000 | 1
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def instruction(code, argument, equal=0, other=0):
    return struct.pack("HBBI", code, equal, other, argument)


def main():
    count = len(FORBIDDEN)
    program = instruction(LOAD_NUMBER, 0)
    program += b"".join(instruction(JUMP_IF_EQUAL, number, count - index) for index, number in enumerate(FORBIDDEN))
    program += instruction(RETURN, ALLOW) + instruction(RETURN, EPERM)
    memory = ctypes.create_string_buffer(program)
    filter_program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", count + 3, ctypes.addressof(memory)))
    library = ctypes.CDLL(None, use_errno=True)
    for arguments in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0)]:
        if library.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "prctl")
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
