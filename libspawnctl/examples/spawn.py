#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""spawn PROGRAM [ARGUMENT...]: runs it with descriptors 0, 1 and 2 and ends as it ends.

The C interface by ctypes, with nothing to compile.
"""
import ctypes
import sys
from ctypes import byref, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

library = ctypes.CDLL("libspawnctl.so.1")
library.spawnctl_plan_new.restype = c_void_p


class Failure(ctypes.Structure):
    """struct spawnctl_failure"""

    _fields_ = [("error", c_int32), ("stage", c_int32), ("index", c_uint32), ("signal", c_int32),
                ("detail", c_char_p), ("reserved", c_uint64 * 3)]

    def __str__(self):
        text = ctypes.create_string_buffer(256)
        library.spawnctl_failure_message(byref(self), text, c_size_t(len(text)))
        return text.value.decode()


class Status(ctypes.Structure):
    """struct spawnctl_status"""

    _fields_ = [("code", c_int32), ("signal", c_int32), ("core_dumped", c_int32), ("reserved", c_int32),
                ("user_us", c_uint64), ("system_us", c_uint64), ("max_resident_kib", c_uint64),
                ("reserved2", c_uint64 * 2)]


class Process:
    """A child that runs."""

    def __init__(self, handle):
        self.handle = handle

    def __del__(self):
        library.spawnctl_process_free(self.handle)

    def reason(self):
        """Who made it, and why not the other."""
        text = ctypes.create_string_buffer(256)
        library.spawnctl_process_reason(self.handle, text, c_size_t(len(text)))
        return text.value.decode()

    def wait(self):
        """Its exit status, or minus the signal that ended it."""
        status = Status()
        check(library.spawnctl_process_wait(self.handle, byref(status)))
        return -status.signal if status.signal else status.code


def check(ret):
    """Raises what a function returned, if it failed."""
    if ret < 0:
        raise OSError(-ret, "libspawnctl")


def spawn(program, *arguments):
    """Runs a program with the caller's standard descriptors and no other."""
    plan = c_void_p(library.spawnctl_plan_new(program.encode()))
    child, why = c_void_p(), Failure()
    try:
        check(library.spawnctl_plan_pass_stdio(plan))
        for argument in arguments:
            check(library.spawnctl_plan_arg(plan, argument.encode()))
        if library.spawnctl_spawn(plan, byref(child), byref(why)) < 0:
            raise OSError(why.error, str(why), program)
    finally:
        library.spawnctl_plan_free(plan)
    return Process(child)


if __name__ == "__main__":
    try:
        started = spawn(*sys.argv[1:])
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        sys.exit(127)
    print("made by", started.reason(), file=sys.stderr)
    result = started.wait()
    sys.exit(128 - result if result < 0 else result)
