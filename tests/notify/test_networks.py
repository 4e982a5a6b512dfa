"""Which addresses are public."""

import pytest

from vaultdash.notify.networks import addresses, is_public


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"])
def test_a_global_address_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::a00:1", "64:ff9b:1::808:808", "2002:7f00:1::", "::10.0.0.1", "::127.0.0.1", "::8.8.8.8", "fec0::1",
        "fec0::1%2", "ff02::1", "no address", "",
    ],
)  # fmt: skip
def test_an_address_of_a_network_of_our_own_is_not_public(address):
    assert not is_public(address)


def test_a_name_may_stand_for_several_addresses_and_a_number_for_one():
    assert "127.0.0.1" in addresses("localhost", 80)
    assert addresses("2130706433", 80) == ["127.0.0.1"]
