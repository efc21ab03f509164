"""The demo: a car maker, a trading company and a web shop, loaded through the public API."""

from deploy.local.demo.loading import DemoReport, load_demo

__all__ = ["DemoReport", "load_demo"]
