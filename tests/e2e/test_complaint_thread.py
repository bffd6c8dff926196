"""The complaint plugin in the daemon: what it sends is found beside what it answers."""
import pytest

from conftest import eventually
from mail_house import bring, lmtp_port, parsed, sink  # noqa: F401 (a fixture)
from test_complaint import _folder, house_of  # noqa: F401 (a fixture)


@pytest.mark.parametrize("size", [20, 500, 993])
def test_the_acknowledgement_of_a_mail_answers_it_however_long_its_id(
    start, tmp_path, folder, sink, size
):
    policy = 'channel = "email", addresses = { "complaints@example.com" }'
    daemon = house_of(start, tmp_path, folder, policy=policy, smtp=sink.url)
    name = f"<{'a' * size}@x>"
    lines = ["From: u-1@example.com", "Subject: Late", f"Message-ID:\r\n {name}", "", "Hello", ""]
    data = "\r\n".join(lines).encode()
    assert bring(lmtp_port(daemon), "u-1@example.com", "complaints@example.com", data) == 250
    eventually(lambda: sink.mails)
    (sent,) = sink.mails
    message = parsed(sent)
    assert message["In-Reply-To"].strip() == message["References"].strip() == name
    assert all(len(line) <= 998 for line in sent.data.split(b"\r\n"))
