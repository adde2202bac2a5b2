"""Addresses of the settings: which are let in, what is shown of them, and what is sent there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages.receivers import Receiver
from workflow.errors import DeliveryError, SettingsError
from workflow.messages import library
from workflow.messages.message import Message
from workflow.messages.recipient import Channel, read

SECRETS = (
    "mailtos://user:hush@smtp.contoso.example/?to=soc@contoso.example&bcc=b@fabrikam.example&from=a@contoso.example"
)


@pytest.mark.parametrize(
    ("url", "channel", "shown"),
    [
        (SECRETS, Channel.MAIL, "2 at contoso.example, fabrikam.example"),
        ("https://hook.example/services?token=hush", Channel.WEBHOOK, "hook.example"),
        ("teams+https://prod.example/workflows/1?sig=hush", Channel.TEAMS, "prod.example"),
        ("slack+https://hooks.slack.example/T/B/hush", Channel.SLACK, "hooks.slack.example"),
        ("opsgenie://01234567-hush", Channel.SERVICE, "opsgenie"),
    ],
)
def test_let_in(url: str, channel: Channel, shown: str) -> None:
    """What is shown of an address holds no secret, and neither does its representation."""
    found = read("soc", url)
    assert (channel, shown) == (found.channel, found.shown)
    assert "hush" not in f"{found!r} {found.shown}"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/", "not let in"),
        ("exec://reboot", "not let in"),
        ("json://hook.example/", "not let in"),
        ("file:///etc/passwd", "not let in"),
        ("syslog://", "not let in"),
        ("evil+https://hook.example/", "not let in"),
        ("https:///nowhere", "needs a host"),
        ("https://user@hook.example/", "neither a user"),
        ("https://hook.example/#here", "nor a fragment"),
        ("https://hook.example:0/", "needs a host"),
        ("https://hook.example:99999/", "no address"),
        ("https://[::1/", "no address"),
        ("https://hook.example/ü", "printable ASCII"),
        ("https://hook.example/a b", "without blanks"),
        ("https://hook.example/\r\nX: y", "printable ASCII"),
        ("https://hook.example/" + "a" * 2000, "at most 2000"),
        (
            "mailtos://u:p@h.example?to=a@b.example&pgpprv=/etc/passwd",
            "options that are not let in; let in are bcc",
        ),
        ("mailtos://u:p@h.example?to=a@b.example&verify=no", "not let in"),
        ("mailtos://u:p@h.example?to=a@b.example&%2BBcc=x", "not let in"),
        ("mailtos://u:p@h.example?to=a@b.example&mode=insecure", "mode"),
        ("mailtos://u:p@h.example?to=a@b.example;verify=no", "mode"),
        ("mailto://u:p@h.example?to=a@b.example", "in the clear"),
        ("mailto://h.example?to=a@b.example&from=c@d.example&pass=x", "in the clear"),
        ("mailtos://x", "no mailbox"),
        ("opsgenie://", "lacks something"),
    ],
)
def test_not_let_in(url: str, words: str) -> None:
    """Everything else is refused, and the refusal does not repeat the address."""
    with pytest.raises(SettingsError, match=words) as refused:
        read("soc", url)
    assert url not in str(refused.value)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["", "https://", "teams+https://", "mailtos://", "mailto://", "opsgenie://", "pagerduty://"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=60),
)
def test_any_text_is_understood_or_refused(scheme: str, rest: str) -> None:
    """Whatever stands in the settings, nothing else comes of it, and no part of a secret is shown."""
    secret = f"{rest}hush"
    try:
        said = repr(read("soc", scheme + secret))
    except SettingsError as refused:
        said = str(refused)
    assert "hush" not in said


def test_plain_http_is_for_this_machine_alone() -> None:
    """Where the settings let a relay in it may do without TLS; nothing else may."""
    assert Channel.WEBHOOK is read("soc", "http://127.0.0.1:8080/", loopback=True).channel
    for url in ("http://hook.example/", "http://127.0.0.1.hook.example/", "http://10.0.0.1/"):
        with pytest.raises(SettingsError, match="not let in"):
            read("soc", url, loopback=True)


def test_every_mailbox_that_is_named() -> None:
    """Whoever gets mail, in copy too, whoever sends it, and who is paged; words around an address are no part of it."""
    assert {"soc@contoso.example", "b@fabrikam.example", "a@contoso.example"} <= set(read("soc", SECRETS).mentions)
    assert ("ada@contoso.example",) == read("soc", "opsgenie://01234567-hush/@ada%40contoso.example").mentions
    assert () == read("soc", "https://hook.example/x").mentions


def test_mail_is_plain_text_under_one_subject(post: Receiver, message: Message) -> None:
    """What a hostile name says becomes neither header nor markup; copies get it too."""
    read("soc", post.mailbox("soc@contoso.example") + "&cc=lead@contoso.example").send(message)
    (mail,) = post.mails
    assert [["soc@contoso.example", "lead@contoso.example"]] == [sorted(item, reverse=True) for item in post.envelopes]
    assert "[Holdfast] User restricted Bcc: eve@evil.example" == mail["Subject"]
    assert (None, "alert_1", "text/plain") == (mail["Bcc"], mail["X-Holdfast-Alert"], mail.get_content_type())
    assert "About: <b>ada</b> @contoso.example & [link](https://evil.example)" in mail.get_content().splitlines()


def test_refused_mail_is_a_failure(post: Receiver, message: Message) -> None:
    """A server that does not take a recipient, or is not there, is told."""
    post.refuses = True
    with pytest.raises(DeliveryError, match="did not accept"):
        read("soc", post.mailbox("soc@contoso.example")).send(message)


def test_what_the_library_raises_stays_there(monkeypatch: pytest.MonkeyPatch, message: Message) -> None:
    """Whatever goes wrong in it becomes a failed delivery, without words that may hold secrets."""

    class Broken:
        headers = None

        def notify(self, **_: str) -> bool:
            raise RuntimeError("hush")

    monkeypatch.setattr(library, "plugin", lambda _: Broken())
    with pytest.raises(DeliveryError, match=r"could not be sent \(RuntimeError\)"):
        library.send("opsgenie://x", message)
    monkeypatch.setattr(library, "plugin", lambda _: None)
    with pytest.raises(DeliveryError, match="makes nothing"):
        library.send("opsgenie://x", message)


@pytest.mark.parametrize("form", ["", "teams+", "slack+"])
def test_webhooks_say_the_same_in_their_own_form(hook: Receiver, message: Message, form: str) -> None:
    """A program gets members, Teams a card of text runs, Slack escaped plain text."""
    read("soc", form + hook.hook, loopback=True).send(message)
    (got,) = hook.posted
    if form == "teams+":
        (card,) = [item["content"] for item in got["attachments"]]
        (block,) = card["body"]
        assert ("RichTextBlock", {"TextRun"}) == (block["type"], {run["type"] for run in block["inlines"]})
        got = {"text": "".join(run["text"] for run in block["inlines"])}
    if form == "slack+":
        assert "&lt;b&gt;ada&lt;/b&gt;" in got["text"]
        assert "plain_text" == got["blocks"][0]["text"]["type"]
    if form:
        assert ["\r" in got["text"], "\u202e" in got["text"], "holdfast case view 1" in got["text"]] == [
            False,
            False,
            True,
        ]
    else:
        assert ("alert_1", 1, False) == (got["id"], got["case_number"], got["test"])
        assert "<b>ada</b> @contoso.example & [link](https://evil.example)" == got["entity"]


def test_a_webhook_is_told_no_entity_that_the_message_lacks(message: Message) -> None:
    """Without an entity there is no member for one."""
    bare = replace(message, entity="")
    assert "entity" not in bare.data()
    assert "About" not in bare.text
