"""The dashboard: declare its pages and run the one the address names."""

from tracking.ui import frame

frame.navigate().run()
