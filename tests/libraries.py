"""The playbook library that comes with the daemon, read once in each process of the tests: nothing changes it."""

from functools import cache

from playbooks.library import PlaybookLibrary


@cache
def shipped_library() -> PlaybookLibrary:
    return PlaybookLibrary.load()
