"""What figures, topics, signals, endings and trends are called, in the source language; catalogues say it in others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from listener.digest.words import marked

Better = Literal["more", "less", "neither"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a figure is called, how it is defined, and whether more of it is better."""

    label: str
    definition: str
    better: Better = "neither"


FIGURES: Mapping[str, Meaning] = {
    "mentions": Meaning(
        # Translators: posts that name the brand; the basic unit of media monitoring.
        marked("Mentions"),
        marked(
            "Posts published in the week that matched a brand, one for each brand they matched. "
            "Posts about competitors alone are left out."
        ),
    ),
    "authors": Meaning(
        marked("Authors"),
        marked("Different accounts that wrote the mentions."),
    ),
    "reach": Meaning(
        # Translators: how many people may have seen the mentions.
        marked("Reach"),
        marked(
            "For each author the greater of the most followers and the views of all posts of the week, added up. "
            "An account for which the network gives neither counts 0."
        ),
    ),
    "complaints": Meaning(
        marked("Complaints"),
        marked("Mentions that the model takes for complaints, unless people said otherwise: their word counts."),
        "less",
    ),
    "urgent": Meaning(
        marked("Urgent complaints"),
        marked("Complaints that cannot wait, by the threshold of their country."),
        "less",
    ),
    "complaint_share": Meaning(
        marked("Share of complaints"),
        marked("Complaints divided by mentions."),
        "less",
    ),
    "net_sentiment": Meaning(
        # Translators: a standard measure of media monitoring: positive minus negative, in points.
        marked("Net sentiment"),
        marked(
            "Positive less negative mentions, divided by all mentions, times 100: "
            "from −100, all negative, to +100, all positive."
        ),
        "more",
    ),
    "share_of_voice": Meaning(
        # Translators: a standard measure of media monitoring.
        marked("Share of voice"),
        marked("A brand’s share of all mentions of our brands and the listed competitors in these countries."),
    ),
    "alerts": Meaning(
        # Translators: a post that the system brought to the attention of the team.
        marked("Alerts"),
        marked(
            "Alerts about posts that were opened in the week. "
            "Those of drills, those that went to a trial channel alone, and those of incidents are left out."
        ),
    ),
    "needing": Meaning(
        marked("Alerts that needed an answer"),
        marked("All alerts but those dismissed as no complaint, closed as needing no reply, or withdrawn."),
    ),
    "response_rate": Meaning(
        marked("Response rate"),
        marked("Alerts answered in public or in private, divided by the alerts that needed an answer."),
        "more",
    ),
    "in_target": Meaning(
        marked("Answered in time"),
        marked(
            "Alerts answered within their target, divided by those that needed an answer "
            "and were answered or whose time is over."
        ),
        "more",
    ),
    "private": Meaning(
        marked("Moved to private"),
        marked("Alerts whose conversation went on in a private channel, divided by those answered."),
    ),
    "first_contact": Meaning(
        marked("Solved at first contact"),
        marked("Alerts solved after exactly one reply and never reopened, divided by those solved."),
        "more",
    ),
    "recontacts": Meaning(
        marked("Wrote again within seven days"),
        marked(
            "Alerts of authors who had been answered about the same brand in the seven days before, "
            "divided by all alerts."
        ),
        "less",
    ),
    "precision": Meaning(
        marked("Precision of alerts"),
        marked("Alerts that people closed as anything but “not a complaint”, divided by all that people closed."),
        "more",
    ),
    "snoozed": Meaning(
        marked("Snoozed"),
        marked("Alerts that were put off at least once."),
    ),
    "claim": Meaning(
        # Translators: a step of answering an alert: from its opening until somebody takes charge of it.
        marked("Time to claim"),
        marked("From the opening of an alert until somebody first takes it over."),
        "less",
    ),
    "answer": Meaning(
        marked("Time to first answer"),
        marked("From the opening of an alert to the first answer, in public or in private."),
        "less",
    ),
    "resolution": Meaning(
        marked("Time to resolution"),
        marked("From the opening of an alert until it is closed."),
        "less",
    ),
    "median": Meaning(
        # Translators: the statistical median of a duration.
        marked("Median"),
        marked(
            "Half of the alerts that needed an answer took no longer. "
            "One that still waits counts as longer than any that does not."
        ),
    ),
    "p90": Meaning(
        # Translators: the statistical percentile of a duration.
        marked("90th percentile"),
        marked("Nine in ten of the alerts that needed an answer took no longer."),
    ),
    "working_time": Meaning(
        marked("Working time"),
        marked("Only the working hours of the team in its country count; other times are by the clock."),
    ),
    "irritants": Meaning(
        # Translators: causes that many people complain of, such as late deliveries.
        marked("Irritants"),
        marked(
            "Complaints that resemble one another across languages, followed from week to week until they end. "
            "Shares are of all complaints of the brand in these countries."
        ),
    ),
    "missed": Meaning(
        marked("Probably missed"),
        marked("What the same watch brought in the same hours of the four weeks before."),
    ),
}

TOPICS: Mapping[str, str] = {
    "delivery": marked("Delivery"),
    "billing": marked("Billing and refunds"),
    "outage": marked("Outage"),
    "quality": marked("Quality"),
    "staff": marked("Staff"),
    "booking": marked("Booking"),
    "account": marked("Customer account"),
    "safety": marked("Safety"),
    "privacy": marked("Privacy"),
    # Translators: the topic of a post: what something costs.
    "price": marked("Price"),
    # Translators: the topic of a post: somebody asks something.
    "question": marked("Question"),
    # Translators: the topic of a post: somebody praises the brand.
    "praise": marked("Praise"),
    "other": marked("Other topics"),
}

# Translators: the eight signals follow the kind of a post after a semicolon:
# "Complaint: Late delivery; time-critical; wrote before without an answer".
SIGNALS: Mapping[str, str] = {
    # Translators: of a post that cannot wait.
    "T": marked("time-critical"),
    # Translators: of a post that tells of a danger.
    "S": marked("about safety or health"),
    "M": marked("money lost or fraud"),
    "R": marked("wrote before without an answer"),
    "C": marked("threatens to leave, or with a lawyer, an authority or the press"),
    "V": marked("vulnerable person"),
    "W": marked("many customers hit"),
    "I": marked("insult or hate"),
}

NETWORKS: Mapping[str, str] = {
    "x": "X",
    "vk": "VK",
    "wechat": "WeChat",
    # Translators: posts that were read from an exported file instead of a network.
    "file": marked("Imported file"),
}

ENDINGS: Mapping[str, str] = {
    "public": marked("Answered in public"),
    "private": marked("Moved to a private channel"),
    "solved": marked("Solved"),
    "no_reply": marked("No reply needed"),
    "not_complaint": marked("Not a complaint"),
    # Translators: of a burst of negative posts (an incident).
    "over": marked("The burst is over"),
    "withdrawn": marked("The post was withdrawn"),
    "drill": marked("The drill is over"),
    # Translators: the state of an alert: nobody has closed it yet.
    "open": marked("Still open"),
    # Translators: the state of an alert: it was put off.
    "snoozed": marked("Snoozed"),
    "was:question": marked("Not a complaint: a question"),
    "was:praise": marked("Not a complaint: praise"),
    "was:other_brand": marked("Not a complaint: about something else of that name"),
    "was:advert": marked("Not a complaint: an advertisement or spam"),
    "was:joke": marked("Not a complaint: a joke or irony"),
    "was:news": marked("Not a complaint: news or general talk"),
    "was:own": marked("Not a complaint: posted by ourselves or a partner"),
    "was:other": marked("Not a complaint: something else"),
}

TRENDS: Mapping[str, str] = {
    # Translators: the trend of an irritant (a cause of complaints): first seen this week.
    "new": marked("new"),
    # Translators: the trend of an irritant (a cause of complaints).
    "growing": marked("growing"),
    # Translators: the trend of an irritant (a cause of complaints): neither growing nor fading.
    "steady": marked("steady"),
    # Translators: the trend of an irritant (a cause of complaints): ever fewer posts.
    "fading": marked("fading"),
    # Translators: the trend of an irritant (a cause of complaints): seen before, but not last week.
    "recurring": marked("back again"),
    # Translators: the trend of an irritant (a cause of complaints): none this week.
    "ended": marked("ended"),
}
