"""What pytest loads in every project that has starpound installed: the plugin itself, under its own name.

Under that name and no other, so that a project may also list it: ``pytest_plugins = ["smpp_sim.pytest_plugin"]``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(pluginmanager: "pytest.PytestPluginManager") -> None:
    """Load the plugin before options are read; the second time nothing happens."""
    pluginmanager.import_plugin("smpp_sim.pytest_plugin")
