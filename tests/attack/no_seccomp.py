#!/usr/bin/env python3
"""`no_seccomp.py PROGRAM ARGUMENT...` runs a program on a system that seems to have no seccomp: its calls say that there is
no such thing. (They do so by a filter, which is seccomp; but the program cannot tell.)"""
import ctypes
import errno
import os
import sys

ALLOW, PR_SET_SECCOMP, EQUAL = 0x7fff0000, 22, 4


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("first", ctypes.c_uint64),
                ("second", ctypes.c_uint64)]


def refuse_with(number):
    return 0x00050000 | number


def hide():
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                                               ctypes.c_void_p]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    context = library.seccomp_init(ALLOW)
    is_set = Comparison(0, EQUAL, PR_SET_SECCOMP, 0)
    for name, number, count, comparison in ((b"seccomp", errno.ENOSYS, 0, None),
                                            (b"prctl", errno.EINVAL, 1, ctypes.byref(is_set))):
        status = library.seccomp_rule_add_array(context, refuse_with(number), library.seccomp_syscall_resolve_name(name),
                                                count, comparison)
        assert status == 0, os.strerror(-status)
    assert library.seccomp_load(context) == 0


hide()
os.execv(sys.argv[1], sys.argv[1:])
