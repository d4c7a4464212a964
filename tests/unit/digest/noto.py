"""The mark of tests that want letters drawn which only the Noto fonts have."""

import pytest

from listener.digest import fonts

needs_noto = pytest.mark.skipif(
    bool(fonts.missing_fonts(["中", "あ", "한", "ع", "ह"])),
    reason="needs the Debian packages fonts-noto-core and fonts-noto-cjk",
)
