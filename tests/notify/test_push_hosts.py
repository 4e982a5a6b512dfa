"""Where a message for a browser may go."""

import pytest

from vaultdash.domain.errors import InvalidInput
from vaultdash.notify.push_hosts import PushHosts


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://wns2-am3p.notify.windows.com/w/?token=BQ",
        "https://web.push.apple.com/QGu",
        "https://FCM.googleapis.com:443/fcm/send/x",
    ],
)
def test_the_services_of_the_browsers_are_known(endpoint):
    assert not PushHosts().of(endpoint).is_named


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:8443/x",
        "https://evilfcm.googleapis.com/x",
        "https://push.apple.com.evil.org/x",
        "https://push.apple.com/x",
        "https://fcm.googleapis.com@evil.org/x",
        "https://evil.org\\@fcm.googleapis.com/x",
        "https://evil.org#@fcm.googleapis.com/",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "https://localhost/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com./x",
        "https:///x",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/x\r\nHost: evil",
        "https://fcm。googleapis.com/x",
        "file:///etc/passwd",
        "https://fcm.googleapis.com/" + "x" * 3000,
    ],
)
def test_everything_else_is_refused(endpoint):
    with pytest.raises(InvalidInput):
        PushHosts().of(endpoint)


def test_a_refusal_does_not_repeat_the_secret_path():
    with pytest.raises(InvalidInput) as caught:
        PushHosts().of("https://push.example.org/secret-token")
    assert "push.example.org" in str(caught.value)
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("named", "endpoint", "known"),
    [
        ("push.example.org", "https://push.example.org/x", True),
        ("push.example.org", "https://push.example.org:8443/x", False),
        ("push.example.org:8443", "https://push.example.org:8443/x", True),
        ("push.example.org:8443", "https://push.example.org/x", False),
        ("*.example.org", "https://a.example.org/x", True),
        ("*.example.org", "https://example.org/x", False),
        ("*.example.org", "https://badexample.org/x", False),
        ("127.0.0.1:8443", "https://127.0.0.1:8443/x", True),
        ("push.example.org", "http://push.example.org/x", False),
    ],
)
def test_a_deployment_may_name_hosts(named, endpoint, known):
    hosts = PushHosts((named,))
    if known:
        assert hosts.of(endpoint).is_named
    else:
        with pytest.raises(InvalidInput):
            hosts.of(endpoint)
