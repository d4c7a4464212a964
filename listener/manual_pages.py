"""The pages of the manual: for each command its summary, examples and where to read on."""

from collections.abc import Mapping

from listener.manual import EXIT_STATUS, Page

FIRST, LISTEN, DESK, TUNE, PARTS = "First steps", "Listening", "Alerts and people", "Tuning", "Texts and parts"

_CONFIG = {"config.yaml": "read from the working directory unless --config names another; docs/configuration.md"}
_FINDS = {**EXIT_STATUS, "1": "something is wrong, and said; or an error"}
_DIFFERS = {**EXIT_STATUS, "1": "something differs; or an error"}
_TOKENS = {
    "X_BEARER_TOKEN, VK_TOKEN, SLACK_BOT_TOKEN, …": "the secrets that the configuration names as ${env:NAME}",
}
_EDITOR = "docs/configuration.md"

PAGES: Mapping[str, Page] = {
    "": Page(
        "",
        "",
        (
            ("listener init", "a first configuration, by a few questions"),
            ("listener run", "listen, until Ctrl-C"),
            ("listener help simulate", "the help of one command"),
        ),
        environment={
            **_TOKENS,
            "NO_COLOR": "set to anything: no colours",
            "COLUMNS": "how wide help and cards are, where the terminal does not say",
        },
        files={**_CONFIG, "var/": "the database, the language model, presses not carried out yet"},
        see=("docs/README.md", "docs/getting-started.md", "docs/commands.md"),
    ),
    "init": Page(
        FIRST,
        "Write a first configuration, by a few questions",
        (
            ("listener init", "ask, and write into this folder"),
            ("listener init desk --brand Yunfan --country FR --country DE --yes", "ask nothing: defaults for the rest"),
            (
                "listener init --brand Yunfan --terms 'yunfan, 云帆' --account x:yunfan --country 中国 --source wechat"
                " --slack-channel C0123ABCD --yes",
                "every answer as an option",
            ),
        ),
        environment={
            "X_BEARER_TOKEN, VK_TOKEN, SLACK_BOT_TOKEN, …": "tried where they are set; never written anywhere"
        },
        files={
            "config.yaml, brand.yaml": "written, commented",
            ".env.example": "names of the secrets, empty",
            "NAME.TIME.bak": "what --force replaced",
        },
        see=("docs/getting-started.md", "listener check", "listener test-source"),
    ),
    "check": Page(
        FIRST,
        "Check the configuration; say what is on and off",
        (("listener check", "this folder's config.yaml"), ("listener check -c new.yaml", "another, before it is used")),
        exits=_FINDS,
        environment=_TOKENS,
        files=_CONFIG,
        see=(_EDITOR, "listener config schema", "listener test-source"),
    ),
    "test-source": Page(
        FIRST,
        "Make one small real request with a source's token",
        (
            ("listener test-source x", "the first watch of X"),
            ("listener test-source x --watch x/FR/yunfan", "this one"),
        ),
        exits={**EXIT_STATUS, "1": "the source cannot be heard; what to do is said"},
        environment=_TOKENS,
        see=("docs/sources.md", "listener status"),
    ),
    "try": Page(
        FIRST,
        "Show what would become of a post",
        (
            (
                "listener try 'where is my parcel @yunfan, third week!' --country GB",
                "scores, rules, route, card, drafts",
            ),
            (
                "listener try '云帆水壶漏电了' --country CN --followers 90000",
                "as if somebody with many followers wrote it",
            ),
        ),
        files=_CONFIG,
        see=("docs/classify.md", "listener replay", "listener explain"),
    ),
    "run": Page(
        FIRST,
        "Listen, until Ctrl-C",
        (
            ("listener run", "collect, classify, raise alerts, send them"),
            ("listener run --once", "one pass, with a summary"),
            ("listener run --or-last-valid", "as a service: a restart in the night is not lost to a typo of the day"),
        ),
        exits={**EXIT_STATUS, "1": "with --once: not one watch could be read; or an error"},
        environment=_TOKENS,
        files={**_CONFIG, "var/": "made on first use"},
        see=("docs/operations.md", "listener status"),
    ),
    "status": Page(
        LISTEN,
        "Where each watch stands, and what was not seen",
        (("listener status", "watches, gaps, what could not be delivered"),),
        see=("docs/operations.md", "docs/sources.md", "listener outbox"),
    ),
    "outbox": Page(
        LISTEN,
        "What waits, is held back or could not be delivered",
        (("listener outbox", "all of it"), ("listener outbox resend --all --receiver slack", "try dead ones again")),
        see=("docs/delivery.md",),
    ),
    "outbox list": Page(
        LISTEN,
        "List what is not delivered",
        (("listener outbox list --state dead --json", "what was given up, as JSON"),),
        see=("docs/delivery.md",),
    ),
    "outbox show": Page(
        LISTEN, "Show one notification whole", (("listener outbox show 17", "its text, attempts and what went wrong"),)
    ),
    "outbox resend": Page(
        LISTEN,
        "Try dead notifications again",
        (("listener outbox resend 17 18", "these two"), ("listener outbox resend --all", "all that are dead")),
    ),
    "outbox drop": Page(
        LISTEN,
        "Give up dead notifications for good",
        (("listener outbox drop 17 --reason 'told by phone'", "this one; the reason is kept"),),
    ),
    "replay": Page(
        LISTEN,
        "Run a file of posts through everything",
        (
            ("listener replay examples/replay/reviews.csv --cards", "at once, every alert's card"),
            ("listener replay posts.jsonl --country FR --speed 60", "a minute for each hour"),
        ),
        see=("docs/file-format.md", "listener simulate"),
    ),
    "console": Page(
        LISTEN,
        "Serve the pages for people in a browser",
        (("listener console", "at the address that `console.listen` names; Ctrl-C stops"),),
        see=("docs/console.md", "listener people"),
    ),
    "people": Page(
        DESK,
        "Who may sign in to the console, and do what",
        (
            ("listener people add ann --role admin --everywhere", "the first admin; the password is asked for"),
            ("listener people list", "all accounts"),
        ),
        see=("docs/console.md", "docs/admins.md"),
    ),
    "people add": Page(
        DESK,
        "Add somebody who signs in with a password",
        (
            ("listener people add ann --role community-manager --countries FR,BE --language fr", "of two countries"),
            ("listener people add bo --role viewer --everywhere --password-stdin < secret", "for a script"),
        ),
        see=("docs/console.md",),
    ),
    "people list": Page(DESK, "Show who may sign in", (("listener people list", "names, roles, countries"),)),
    "people role": Page(
        DESK,
        "Change what somebody may do",
        (("listener people role ann communications-lead --everywhere", "in all countries"),),
    ),
    "people password": Page(
        DESK, "Set somebody's password", (("listener people password ann --must-change", "to be changed at once"),)
    ),
    "people disable": Page(
        DESK, "Let somebody sign in no more", (("listener people disable ann", "and sign them out"),)
    ),
    "people enable": Page(DESK, "Let somebody sign in again", (("listener people enable ann", "as before"),)),
    "digest": Page(
        DESK,
        "Say how a week went",
        (
            ("listener digest", "the last whole week, in the terminal"),
            ("listener digest --week 2026-W46 --language fr --format pdf -o week.pdf", "one week, in French, as a PDF"),
            ("listener digest --reader head-office", "as this reader gets it"),
        ),
        see=("docs/digest.md", "docs/communications-leads.md"),
    ),
    "alerts": Page(
        DESK,
        "List the open alerts",
        (
            ("listener alerts --country FR", "of one country"),
            ("listener alerts --owner nobody --json", "which nobody has, as JSON"),
        ),
        see=("docs/desk.md", "docs/community-managers.md", "listener alert"),
    ),
    "alert": Page(
        DESK,
        "Act on an alert, as in Slack",
        (
            ("listener alert A-12 claim", "take it"),
            ("listener alert A-12 snooze 1h", "look again in an hour"),
            ("listener alert A-12 replied --private", "it was answered in private"),
            ("listener alert A-12 not-a-complaint praise", "the model was wrong"),
            ("listener alert A-12 resolve solved", "it is over"),
        ),
        exits={**EXIT_STATUS, "1": "nothing changed, and why; or an error"},
        see=("docs/desk.md", "listener history", "listener explain"),
    ),
    "history": Page(
        DESK,
        "Show an alert's whole record",
        (("listener history A-12", "who did what when, what was sent where"),),
        see=("docs/desk.md", "listener explain"),
    ),
    "explain": Page(
        DESK,
        "Show every step from a post to its message",
        (
            ("listener explain A-12", "why it was raised, for whom, what was sent"),
            ("listener explain x:1790000000", "why a post raised nothing"),
        ),
        see=("docs/explain.md", "listener simulate", "listener try"),
    ),
    "silence": Page(
        DESK,
        "Mute alerts for a while",
        (
            ("listener silence preview country=FR topic=outage", "what would be muted"),
            ("listener silence add country=FR topic=outage --for 2h --reason 'known outage'", "mute it"),
        ),
        see=("docs/desk.md",),
    ),
    "silence add": Page(
        DESK,
        "Mute the alerts that fulfil all matchers",
        (
            ("listener silence add country=FR 'topic=~outage|quality' --for 2h --reason 'known outage'", "from now"),
            (
                "listener silence add team=tokyo --for 1d --from '2026-12-31 00:00' --timezone Asia/Tokyo",
                "from then",
            ),
        ),
    ),
    "silence list": Page(
        DESK, "Show who muted what, and why", (("listener silence list --all", "those that are over, too"),)
    ),
    "silence end": Page(
        DESK, "End a silence before its time", (("listener silence end 3", "what it held back is sent"),)
    ),
    "silence preview": Page(
        DESK,
        "Show what matchers would mute",
        (("listener silence preview brand=skybird severity=1", "nothing is muted"),),
    ),
    "correct": Page(
        DESK,
        "Say what the model got wrong of a post",
        (
            ("listener correct A-12 --not-a-complaint", "it was none"),
            ("listener correct x:1790000000 --urgency 3 --topic safety", "worse than thought"),
        ),
        see=("docs/learning.md", "listener learn"),
    ),
    "forget": Page(
        DESK,
        "Withdraw a post that somebody asks to delete",
        (("listener forget x:1790000000 --by 'request of 3 May'", "from the database and from every card"),),
        see=("docs/privacy.md",),
    ),
    "drill": Page(
        DESK,
        "See how fast rules, Slack and people are",
        (
            ("listener drill --country FR", "harmless posts, to the trial receiver alone"),
            ("listener drill --report last", "the last one's report again"),
        ),
        see=("docs/drill.md",),
    ),
    "simulate": Page(
        TUNE,
        "Replay stored weeks under new rules; nothing is sent",
        (
            (
                "listener simulate --config new.yaml --since 7d",
                "alerts a day, now against then; what appears and vanishes",
            ),
            (
                "listener simulate --config new.yaml --since 30d --country FR --against config",
                "what your change alone does",
            ),
        ),
        exits={**EXIT_STATUS, "3": "with --exit-code: an alert would appear, vanish or differ"},
        see=("docs/simulate.md", "listener tune", "listener config diff"),
    ),
    "tune": Page(
        TUNE,
        "Propose thresholds for a budget or a precision",
        (
            ("listener tune --country FR --budget 25/day", "so many alerts a day, and the curve"),
            ("listener tune --country FR --precision 0.8", "so many of them right, by people's verdicts"),
            ("listener tune --country FR --budget 25/day --write", "and write it into config.yaml"),
        ),
        exits={**EXIT_STATUS, "1": "the wish cannot be met; or an error"},
        see=("docs/tune.md", "listener simulate", "listener config rollback"),
    ),
    "pilot": Page(
        TUNE,
        "Say whether a country in mode pilot is ready",
        (("listener pilot --country FR --since 14d", "what its alerts and its people showed, what to set next"),),
        exits={**EXIT_STATUS, "1": "a country is not ready; or an error"},
        see=("docs/admins.md", _EDITOR),
    ),
    "config": Page(
        TUNE,
        "Which configurations were in force, and the way back",
        (
            ("listener config history", "since when, by whom, what each changed"),
            ("listener config rollback", "the one before the last again"),
        ),
        see=("docs/admins.md", _EDITOR),
    ),
    "config history": Page(
        TUNE, "List the configurations that were in force", (("listener config history --limit 5", "the last five"),)
    ),
    "config diff": Page(
        TUNE,
        "Show what differs between configurations",
        (
            ("listener config diff", "the last kept against the files"),
            ("listener config diff 3 5 --effective", "two versions, by settings in effect"),
        ),
        exits=_DIFFERS,
    ),
    "config rollback": Page(
        TUNE,
        "Put an earlier configuration back",
        (
            ("listener config rollback", "the one before the last"),
            ("listener config rollback 3 --by Ann", "version 3; see `config history`"),
        ),
        see=("listener config history", "listener config diff"),
    ),
    "config show": Page(
        TUNE,
        "Show a country's settings and where each comes from",
        (("listener config show --country FR", "the country, `defaults`, or built in; with the line"),),
    ),
    "config schema": Page(
        TUNE,
        "Print the configuration's JSON Schema, for editors",
        (
            (
                "listener config schema > config.schema.json",
                "then, as config.yaml's first line: # yaml-language-server: $schema=config.schema.json",
            ),
        ),
        see=(_EDITOR,),
    ),
    "learn": Page(
        TUNE,
        "Learn from what people corrected",
        (
            ("listener learn --dry-run", "what would come of it"),
            ("listener learn", "install it where it is no worse"),
            ("listener learn --back", "the model before again"),
        ),
        see=("docs/learning.md", "listener evaluate"),
    ),
    "evaluate": Page(
        TUNE,
        "Say how good the model in force is",
        (
            ("listener evaluate", "on the shipped set"),
            ("listener evaluate ours.jsonl --json", "and on a file of your own"),
        ),
        see=("docs/learning.md", "docs/classify.md"),
    ),
    "playbooks": Page(
        PARTS,
        "What to answer: check, look at, extend the library",
        (("listener playbooks lint", "check every text"), ("listener playbooks preview --country FR", "look at them")),
        see=("docs/playbooks.md", "docs/replies.md"),
    ),
    "playbooks lint": Page(
        PARTS,
        "Check every text of the library",
        (("listener playbooks lint", "each finding with its line"),),
        exits=_FINDS,
    ),
    "playbooks preview": Page(
        PARTS,
        "Show all that people would be offered",
        (("listener playbooks preview --country FR --topic safety --terminal", "of one topic, in the terminal"),),
    ),
    "playbooks new": Page(
        PARTS,
        "Make the files of a new playbook or locale",
        (
            ("listener playbooks new lost-luggage --locale en --locale fr", "a playbook"),
            ("listener playbooks new sv --like en", "a locale, beginning with English"),
        ),
    ),
    "playbooks schema": Page(
        PARTS, "Write the library's JSON Schemas, for editors", (("listener playbooks schema", "beside the library"),)
    ),
    "slack-manifest": Page(
        PARTS,
        "Print what to create the Slack app from",
        (("listener slack-manifest > manifest.json", "with exactly the scopes it needs"),),
        see=("docs/slack.md",),
    ),
    "classify": Page(
        PARTS,
        "Classify posts of a file, as JSON Lines",
        (
            ("listener classify posts.jsonl > classified.jsonl", "one line in, one line out"),
            ("cat posts.jsonl | listener classify --no-reasons", "in a pipe"),
        ),
        exits={**EXIT_STATUS, "1": "some lines could not be read, each says why; or an error"},
        see=("docs/classify.md",),
    ),
    "bursts": Page(
        PARTS,
        "Score a series of counts: where does it burst",
        (("listener bursts counts.csv --above", "points at or above the threshold"),),
        see=("docs/bursts.md", "docs/incidents.md"),
    ),
    "completion": Page(
        PARTS,
        "Print the script that lets a shell complete",
        (
            ('eval "$(listener completion bash)"', "in ~/.bashrc"),
            ("listener completion zsh > ~/.zfunc/_listener", "in a folder of $fpath, before compinit"),
            ("listener completion fish > ~/.config/fish/completions/listener.fish", "fish finds it by itself"),
        ),
    ),
    "help": Page(PARTS, "Show the help of a command", (("listener help config rollback", "as --help does"),)),
}
