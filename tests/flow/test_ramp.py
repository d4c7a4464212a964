"""A country in mode pilot whose ramp sends some alerts to the real channel already."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flow.world import URGENT_FR, world

if TYPE_CHECKING:
    from classifiers.mentions import MentionClassifier

PILOT = "mode: pilot\n  pilot_receiver: backup\n  ramp: {ramp}"


@pytest.mark.parametrize(
    ("ramp", "real", "trial"),
    [
        ("{share: 1}", True, False),
        ("{share: 0}", False, True),
        ("{share: 1, severities: [1]}", False, True),
        ("{share: 1, hours: {sun: '03:00-03:01'}}", False, True),
    ],
)  # fmt: skip
def test_an_alert_goes_to_one_channel_as_the_ramp_says(
    tmp_path: Path, classifier: "MentionClassifier", ramp: str, real: bool, trial: bool
) -> None:
    with world(tmp_path, classifier, defaults=PILOT.format(ramp=ramp)) as here:
        here.post(URGENT_FR)
        here.pass_once()
        here.later(minutes=1)  # the trial channel waits for company, too
        here.send()
        shown = {channel: [text for text in here.shown(channel) if "bouilloire" in text] for channel in ("C1", "C2")}
        assert (bool(shown["C1"]), bool(shown["C2"])) == (real, trial)
        assert all("PILOT" in text for text in shown["C2"])
        assert not any("PILOT" in text for text in shown["C1"])
        (alert,) = here.app.store.alerts.alerts()
        assert alert.pilot is trial
